"""The tally table against plain Python that looks at every message alone, and against its own past."""

import math
import random
from datetime import date, timedelta
from functools import cache

import ibis
import pytest

from features.tables.tally import counts, ripe, tally
from features.vocabulary import TALLY_COUNTS
from tests.worlds.features import Runner, event, expected_tally, run, utc
from tests.worlds.sent import END, UNTIL, by_customer, cut, histories


@cache
def _runner(until):
    return Runner(lambda events: tally(events, until=until))


def _found(rows, until=UNTIL):
    return {who: row for (who, _), row in _runner(until)(rows).items()}


def _wanted(rows, moment):
    everybody = {who: expected_tally(mine, moment) for who, mine in by_customer(rows).items()}
    return {who: row for who, row in everybody.items() if row["tally_pairs"]}


def _close(found, wanted):
    assert found["tally_pairs"] == wanted["tally_pairs"]
    for name in TALLY_COUNTS:
        for one, other in zip(found[name], wanted[name], strict=True):
            assert math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9), name


@pytest.mark.parametrize("seed", range(12))
def test_every_array_says_what_plain_python_says(seed):
    rows = histories(seed)
    found, wanted = _found(rows), _wanted(rows, END)
    assert found.keys() == wanted.keys()
    for who, row in wanted.items():
        _close(found[who], row)


@pytest.mark.parametrize("until", [date(2016, 9, 1), date(2017, 1, 7), date(2017, 8, 31)])
def test_the_past_is_what_a_lake_that_ends_there_says(until):
    moment = utc(until.year, until.month, until.day)
    for seed in range(4):
        rows = histories(seed)
        found = _found(rows, until)
        assert found == _found(cut(rows, moment), until)
        assert found.keys() == _wanted(rows, moment).keys()


def test_the_order_of_rows_changes_no_bit():
    rows = histories(3)
    first = _found(rows)
    for seed in range(3):
        assert _found(random.Random(seed).sample(rows, len(rows))) == first


def test_hundreds_of_messages_over_decades_press_as_their_plain_sum_does():
    draw = random.Random(5)
    rows = [
        event("a", "sent", utc(1990, 1, 1) + timedelta(minutes=draw.randrange(28 * 365 * 1440)), channel="email")
        for _ in range(400)
    ]
    rows += [event("a", "sent", END - timedelta(hours=hour), channel="push") for hour in range(1, 400)]
    _close(_found(rows)["a"], expected_tally(rows, END))


def test_a_message_is_not_pressed_by_itself_and_the_second_of_a_moment_is_by_the_first():
    rows = [event("a", "sent", utc(2017, 1, 1), channel=channel) for channel in ("email", "push")]
    found = _found(rows)["a"]
    assert found["tally_pairs"] == ["|email", "|push"]
    assert found["tally_pressed"] == [0.0, 1.0]


def test_a_message_that_bounced_or_has_no_channel_presses_the_next():
    rows = [
        event("a", "sent", utc(2017, 1, 1), channel="email", message="m"),
        event("a", "bounced", utc(2017, 1, 1), message="m"),
        event("a", "sent", utc(2017, 1, 8), offer="tea"),
        event("a", "sent", utc(2017, 1, 15), channel="email"),
    ]
    found = _found(rows)["a"]
    assert (found["tally_pairs"], found["tally_sent"], found["tally_exposed"]) == (["|email"], [2], [1])
    assert found["tally_pressed"] == [0.75]


def test_what_a_machine_opened_stands_apart():
    rows = [
        event("a", "sent", utc(2017, 1, 1), channel="email", offer="tea", message="m"),
        event("a", "opened", utc(2017, 1, 1), message="m", automated=True),
        event("a", "opened", utc(2017, 1, 2), message="m"),
        event("a", "clicked", utc(2017, 1, 2), message="m"),
        event("a", "converted", utc(2017, 1, 3), message="m"),
        event("a", "converted", utc(2017, 1, 4), message="m"),
    ]
    found = _found(rows)["a"]
    held = {name for name in TALLY_COUNTS if found[name] != [0.0]}
    assert found["tally_pairs"] == ["tea|email"]
    assert held == {"tally_sent", "tally_hidden", "tally_hidden_clicked", "tally_hidden_ordered"}
    assert found["tally_hidden_ordered"] == [1.0]


def test_a_machines_click_hides_nothing_and_is_nobodys():
    rows = [
        event("a", "sent", utc(2017, 1, 1), channel="email", message="m"),
        event("a", "clicked", utc(2017, 1, 1), message="m", automated=True),
    ]
    found = _found(rows)["a"]
    assert (found["tally_exposed"], found["tally_clicked"], found["tally_seen"]) == ([1.0], [0.0], [0.0])


def test_nobody_without_a_message_on_a_channel_has_a_row():
    assert _found([event("a", "purchased", utc(2017, 1, 1)), event("b", "sent", utc(2017, 1, 1))]) == {}


def test_a_message_is_as_ripe_as_the_share_of_reactions_that_have_come():
    ages = [0.0, 0.25, 0.5, 2.0, 30.0]
    found = [ibis.duckdb.connect().execute(ripe(ibis.literal(age))) for age in ages]
    assert found == pytest.approx([1 - math.exp(-((age / 0.5) ** 0.6)) for age in ages])
    assert found[0] == 0.0
    assert found[-1] > 0.99999


def test_counts_say_the_same_a_row_a_pair():
    rows = histories(2)
    long = run(lambda events: counts(events, until=UNTIL).rename(event_timestamp="pair"), rows)
    arrays = _found(rows)
    assert len(long) == sum(len(row["tally_pairs"]) for row in arrays.values())
    for who, row in arrays.items():
        for place, pair in enumerate(row["tally_pairs"]):
            assert long[who, pair] == {name: row[name][place] for name in TALLY_COUNTS}
