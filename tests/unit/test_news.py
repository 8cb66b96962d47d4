"""Where news of the ledger enters: which features they go on top of, who is asked for them, and what is added."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from decisions.ledger import LedgerBusy
from decisions.scorers.tallies import life_of, tally_of
from decisions.scoring import batch_of
from decisions.worth.news import News
from decisions.worth.told import Told
from features.layout import Layout, Manifest
from features.vocabulary import TALLY_COUNTS, Vocabulary
from runtime.champions import priors
from runtime.news import news_of
from runtime.scored import Scored
from tests.unit.test_worth_scorer import CHANNELS, KNOWN, LIVES, OFFERS, a_frame, a_scorer
from tests.worlds.deciding import catalogue, policy

NOW = datetime(2026, 3, 2, 13, tzinfo=UTC)
MIDNIGHT = NOW.replace(hour=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAMES = [name.removeprefix("tally_") for name in TALLY_COUNTS]


def some_news(**counts) -> News:
    return News(
        row=np.array([0, 0]),
        pair=np.array([0, 1]),
        pairs=("milk|email", "gone|fax"),
        counts={name: np.array([counts.get(name, 0.0), 9.0]) for name in NAMES},
    )


def test_news_are_added_and_what_was_sent_on_an_unknown_channel_is_not():
    frame = a_frame({"milk|email": {"exposed": 3.0, "ordered": 1.0}}, None)
    found = tally_of(frame, CHANNELS, KNOWN, some_news(exposed=0.5, ordered=1.0))
    place = (0, 0, KNOWN.index("milk"))
    assert (found.exposed[place], found.ordered[place]) == (3.5, 2.0)
    assert found.exposed.sum() == 3.5
    assert found.ordered.sum() == 2.0


def test_nothing_is_counted_below_nought():
    found = tally_of(
        a_frame({"milk|email": {"exposed": 0.2}}), CHANNELS, KNOWN, some_news(exposed=-0.5, hidden=0.5)
    )
    assert found.exposed.min() == 0.0
    assert found.hidden.sum() == 0.5


def test_news_of_orders_raise_the_value_and_leave_how_somebody_lives_alone():
    frame = a_frame({"milk|email": {"exposed": 3.0}})
    batch = batch_of(frame, priors=policy().priors, offers=OFFERS)
    told = replace(batch, news=some_news(ordered=1.0, seen=1.0, opened=1.0))
    scorer = a_scorer()
    assert scorer.predict(told).tau["milk|email"] > scorer.predict(batch).tau["milk|email"]
    assert life_of(told.frame).orders.tolist() == [LIVES["orders_365d"]]


def sent(at, told_at=None, **fields):
    tick = (at - EPOCH) // timedelta(microseconds=1)
    received = ((told_at or at) - EPOCH) // timedelta(microseconds=1)
    empty = {"decision_id": None, "message_id": None, "offer_id": "milk", "channel": "email", "automated": 0}
    known = {"customer_id": "c0", "event_id": f"e{tick}", "kind": "sent", "occurred": tick, "received": received}
    return Told(**{**known, **empty, **fields})


class Ledger:
    """What was told, and how often somebody asked."""

    def __init__(self, *told, fails=None):
        self.every, self.fails, self.asked = told, fails, 0

    def told(self, customer_ids, *, since, now):
        self.asked += 1
        if self.fails:
            raise self.fails
        assert now - since == 63 * DAY
        return [each for each in self.every if each.customer_id in customer_ids]


def as_read(frame, *, of=MIDNIGHT, heard_at=MIDNIGHT + 2 * HOUR):
    moment = pa.timestamp("us", "UTC")
    frame = frame.append_column("event_timestamp", pa.array([of] * len(frame), moment))
    return frame.append_column("features_heard_at", pa.array([heard_at] * len(frame), moment))


KNOWN_TALLY = {"milk|email": {"sent": 1.0, "exposed": 1.0}}


@pytest.mark.parametrize(
    ("happened", "told_at", "counts"),
    [
        (MIDNIGHT - HOUR, MIDNIGHT - HOUR, 0.0),  # in time
        (MIDNIGHT - HOUR, MIDNIGHT + HOUR, 0.0),  # late, and before the build
        (MIDNIGHT - HOUR, MIDNIGHT + 3 * HOUR, 1.0),  # after it
        (MIDNIGHT, MIDNIGHT, 1.0),
        (MIDNIGHT + HOUR, MIDNIGHT + HOUR, 1.0),  # the build knew it, and leaves it to tomorrow's features
    ],
)
def test_an_event_counts_once_whenever_it_was_told(happened, told_at, counts):
    found = news_of(as_read(a_frame(KNOWN_TALLY)), Ledger(sent(happened, told_at)), NOW)
    assert found.counts["sent"].tolist() == [counts]


def test_where_nobody_can_say_when_the_build_was_told_features_know_all_of_their_time():
    late = Ledger(sent(MIDNIGHT - HOUR, MIDNIGHT + 9 * HOUR))
    for frame in (
        as_read(a_frame(KNOWN_TALLY), heard_at=None),
        as_read(a_frame(KNOWN_TALLY)).drop_columns(["features_heard_at"]),
    ):
        assert news_of(frame, late, NOW).counts["sent"].tolist() == [0.0]


def test_of_a_customer_without_a_tally_the_ledger_says_all_there_is():
    for frame in (as_read(a_frame(None)), as_read(a_frame(None), of=None)):
        assert news_of(frame, Ledger(sent(MIDNIGHT - 9 * DAY)), NOW).counts["sent"].tolist() == [1.0]


def test_a_frame_without_tallies_asks_nobody():
    ledger = Ledger()
    assert news_of(pa.table({"customer_id": ["c0"]}), ledger, NOW) is None
    assert ledger.asked == 0


MILK = catalogue(OFFERS[0])


class Frames:
    def online(self, customer_ids, *, now):
        assert list(customer_ids) == ["c0"]
        return as_read(a_frame(KNOWN_TALLY))


def scored(ledger, scorers):
    return Scored(scorers=lambda: scorers, features=Frames(), policy=policy(), catalogue=MILK, telling=ledger)


def test_an_order_of_an_hour_ago_is_in_the_scores_and_a_model_that_counts_nothing_asks_nobody():
    counting = replace(priors("no_labels"), worth=a_scorer())
    ordered = [sent(MIDNIGHT + HOUR, message_id="m"), sent(MIDNIGHT + 2 * HOUR, kind="converted", message_id="m")]
    ledger = Ledger(*ordered)
    tau = [scored(each, counting).of(["c0"], now=NOW)["c0"].tau["milk|email"] for each in (Ledger(), ledger)]
    assert tau[1] > tau[0]
    assert ledger.asked == 1
    scored(ledger, priors("no_labels")).of(["c0"], now=NOW)
    assert ledger.asked == 1


def test_a_ledger_that_is_away_leaves_the_features_to_speak():
    counting = replace(priors("no_labels"), worth=a_scorer())
    away, silent = Ledger(fails=LedgerBusy("away")), Ledger()
    found = [scored(each, counting).of(["c0"], now=NOW) for each in (away, silent)]
    assert found[0] == found[1]
    assert away.asked == 1


@pytest.mark.parametrize("heard_at", [None, NOW])
def test_the_manifest_says_until_when_a_build_was_told(tmp_path, heard_at):
    manifest = Manifest(Vocabulary(("email",), ()), date(2026, 3, 2), 3, 9, 90.0, heard_at)
    Layout(tmp_path).write_manifest(manifest)
    assert Layout(tmp_path).read_manifest() == manifest


def test_a_manifest_of_before_says_nothing_of_it(tmp_path):
    layout = Layout(tmp_path)
    layout.write_manifest(Manifest(Vocabulary(("email",), ()), date(2026, 3, 2), 3, 9, 90.0, NOW))
    layout.manifest.write_text(layout.manifest.read_text().replace('"heard_at"', '"other"'))
    assert layout.read_manifest().heard_at is None
