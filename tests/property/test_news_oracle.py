"""What the ledger adds to the tally, against plain Python that looks at every message alone, then and now."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from decisions.worth.joining import joined
from decisions.worth.news import NEVER, news
from decisions.worth.told import Told
from tests.worlds.features import expected_tally
from tests.worlds.news import HEARD, MIDNIGHT, WATERMARK, added, by_pair, differing, heard, told_of
from tests.worlds.sent import by_customer

EPOCH = WATERMARK.replace(year=1970, month=1, day=1)


def micros(moment):
    return (moment - EPOCH) // timedelta(microseconds=1)


def tallies(rows, moment):
    return {who: by_pair(expected_tally(mine, moment)) for who, mine in by_customer(rows).items()}


def asked(every, *, built=WATERMARK, now=MIDNIGHT):
    told = told_of(every)
    customers = sorted({each.customer_id for each in told})
    rows = {who: row for row, who in enumerate(customers)}
    since = np.full(len(rows), NEVER if built is None else micros(built))
    return news(told, rows, built=since, heard=micros(HEARD), now=micros(now)), customers


@pytest.mark.parametrize("seed", range(15))
def test_features_and_the_news_say_what_features_of_now_would(seed):
    every = heard(seed)
    known = tallies([each.row for each in every if each.known_to_features], WATERMARK)
    wanted = tallies([each.row for each in every], MIDNIGHT)
    found, customers = asked(every)
    assert differing(known, wanted)  # or nothing is tested
    assert differing(added(known, found, customers), wanted) == []


@pytest.mark.parametrize("hours", [1, 9.5, 13, 47])
def test_at_any_hour_of_the_day_it_says_what_a_build_of_that_hour_would(hours):
    every, moment = heard(3), WATERMARK + timedelta(hours=hours)
    told = [each for each in every if each.at <= moment]
    known = tallies([each.row for each in told if each.known_to_features], WATERMARK)
    found, customers = asked(told, now=moment)
    assert differing(added(known, found, customers), tallies([each.row for each in told], moment)) == []


def test_of_customers_whom_features_do_not_know_the_ledger_says_all():
    every = heard(4)
    found, customers = asked(every, built=None)
    assert differing(added({}, found, customers), tallies([each.row for each in every], MIDNIGHT)) == []


def test_what_was_told_in_time_adds_nothing_at_the_moment_of_the_features():
    every = [each for each in heard(5) if each.known_to_features]
    found, customers = asked(every, now=WATERMARK)
    assert differing(added({}, found, customers), {}, by=1e-12) == []


def test_nothing_told_is_no_news():
    assert news([], {"a": 0}, built=np.array([0]), heard=0, now=1) is None


def a_told(kind, at, **fields):
    empty = dict.fromkeys(("channel", "decision_id", "message_id", "offer_id"))
    return Told(**{**empty, "customer_id": "a", "event_id": f"{kind}{at}", "kind": kind, "automated": 0,
                   "occurred": at, "received": at, **fields})  # fmt: skip


def test_a_reaction_to_a_message_that_is_too_long_ago_adds_nothing():
    found = news([a_told("opened", 5, message_id="m")], {"a": 0}, built=np.array([0]), heard=0, now=10)
    assert found.row.tolist() == []


def test_a_long_chain_of_ties_is_one_message():
    names = np.array([[place, place + 1] for place in range(500)])[::-1]
    found = joined(names.copy(), 501)
    assert set(found.label.tolist()) == {0}
    assert found.heads.tolist() == [0]
    assert set(found.by_name[:501].tolist()) == {0}


def test_reports_without_names_are_messages_of_their_own():
    assert joined(np.full((3, 2), 7), 7).heads.tolist() == [0, 1, 2]
