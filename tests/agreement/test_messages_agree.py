"""What a message is, by the ledger and by the lake, against plain Python: reports of it told in any order."""

import random

import ibis
import pytest

from features.contracts import Event
from features.tables.messages import messages
from tests.worlds.arrival import CHANNELS, DAY, NOW, events_table, ledger_dump, tell
from tests.worlds.features import SAID
from tests.worlds.features import messages as by_hand
from tests.worlds.ledger import fresh_url, opened


def reports(dice, who):
    """Draw reports of a few messages; the first of a message often names no channel."""
    for number in range(dice.randint(1, 12)):
        yield Event(
            event_id=f"e{dice.randint(10, 99)}-{number}-{who}",
            customer_id=who,
            type="sent",
            occurred_at=NOW - DAY * dice.randint(0, 5),
            channel=dice.choice((*CHANNELS[:2], None, None)),
            message_id=dice.choice(("m1", "m2", "m3", None)),
            decision_id=dice.choice(("d1", "d2", None, None)),
            campaign_id=dice.choice(("spring", "autumn", None)),
            offer_id=dice.choice(("coffee", "tea", None)),
        )


def known(who, rows):
    """What is left of messages, in an order of their own."""
    return sorted((who, row["occurred_at"], *(row[name] or "" for name in SAID)) for row in rows)


def in_ledger(url, told, dice):
    with opened(url) as ledger:
        tell(ledger, told, dice)
        rows = ledger_dump(ledger)["pressure"]
    micros = {int(each.occurred_at.timestamp() * 1_000_000): each.occurred_at for each in told}
    return [
        row
        | {"occurred_at": micros[row["at"]], "channel": None if row["channel"] == "unknown" else row["channel"]}
        for row in rows
    ]


@pytest.mark.parametrize("seed", range(6))
def test_ledger_and_lake_know_the_same_of_a_message_however_often_and_in_whatever_order_it_is_told(seed, tmp_path):
    dice = random.Random(seed)
    people = [f"p{number}" for number in range(15)]
    told = [each for who in people for each in reports(dice, who)]
    table = events_table(told)
    lake = messages(ibis.duckdb.connect().create_table("events", table)).to_pyarrow().to_pylist()
    ledger = in_ledger(fresh_url(tmp_path), told, dice)
    late = 0
    for who in people:
        wanted = by_hand([row for row in table.to_pylist() if row["customer_id"] == who])
        late += sum(each["told_by"] != each["event_id"] for each in wanted)
        assert known(who, [row for row in lake if row["customer_id"] == who]) == known(who, wanted)
        assert known(who, [row for row in ledger if row["customer_id"] == who]) == known(who, wanted)
    assert late > 3  # the case this is about was met
