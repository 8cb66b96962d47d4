"""The daily tables against plain Python, row by row, and against their own past."""

import math
from datetime import date, timedelta
from functools import cache

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.tables import activity, categories, pressure
from features.vocabulary import MESSAGE_COUNTS
from tests.worlds.features import (
    WORDS,
    Runner,
    event,
    expected_activity,
    expected_categories,
    expected_pressure,
    sends_on,
    utc,
)

UNTIL = date(2018, 1, 1)
END = utc(2018, 1, 1)

# Days that stand on either side of every window's edge, and moments on either side of midnight.
_days = st.sampled_from([0, 1, 2, 6, 7, 8, 29, 30, 31, 89, 90, 91, 364, 365, 366])
_times = st.sampled_from(
    [timedelta(), timedelta(microseconds=1), timedelta(hours=9, minutes=41), timedelta(hours=24) - timedelta(microseconds=1)]
)  # fmt: skip
_moments = st.builds(lambda day, time: END - timedelta(days=day + 1) + time, _days, _times)
_types = st.sampled_from(
    ["purchased", "purchased", "session", "sent", "opened", "clicked", "converted", "bounced", "x_own"]
)


@st.composite
def _events(draw, moments=_moments):
    names = st.sampled_from(["a", "b"])
    properties = draw(
        st.fixed_dictionaries(
            {}, optional={"order_id": st.sampled_from(["1", "2", 1]), "category": st.sampled_from(["bread", "milk", "tea"])}
        )
    )  # fmt: skip
    return event(
        draw(names),
        draw(_types),
        draw(moments),
        channel=draw(st.sampled_from([None, "email", "mail"])),
        value=draw(st.none() | st.integers(0, 40).map(lambda cents: cents / 4)),
        automated=draw(st.booleans()),
        decision=draw(st.sampled_from([None, None, "d1"])),
        message=draw(st.sampled_from([None, "m1", "m2"])),
        **properties,
    )


_histories = st.lists(_events(), min_size=1, max_size=14)

BUILDERS = {
    "activity": lambda events: activity(events, until=UNTIL),
    "pressure": lambda events: pressure(events, until=UNTIL, channel="email"),
    "categories": lambda events: categories(events, until=UNTIL, categories=WORDS.categories),
}
ORACLES = {
    "activity": expected_activity,
    "pressure": lambda rows, moment: expected_pressure(rows, moment, "email"),
    "categories": lambda rows, moment: expected_categories(rows, moment, WORDS.categories),
}


@cache
def _runner(name):
    return Runner(BUILDERS[name])


def _begins(name, row, mine):
    if name == "pressure":
        return _of_a_message(row, mine)
    return name == "activity" or row["type"] == "purchased"


def _of_a_message(row, mine):
    """Tell whether the snapshot after the row knows it for a message, or for what came back."""
    if row["type"] == "sent":
        return bool(sends_on([r for r in mine if r["occurred_at"].date() <= row["occurred_at"].date()], "email"))
    machine = row["automated"] and row["type"] in ("opened", "clicked")
    return row["channel"] == "email" and row["type"] in MESSAGE_COUNTS and not machine


def _close(found, wanted):
    assert found.keys() == wanted.keys()
    for column, value in wanted.items():
        pairs = zip(found[column], value, strict=True) if isinstance(value, list) else [(found[column], value)]
        for a, b in pairs:
            assert (a is None) == (b is None), column
            assert a is None or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9), column


@pytest.mark.parametrize("name", BUILDERS)
@settings(max_examples=20, deadline=None)
@given(rows=_histories)
def test_every_row_says_what_plain_python_says(name, rows):
    found = _runner(name)(rows)
    for customer in ("a", "b"):
        mine = [row for row in rows if row["customer_id"] == customer]
        started = [row["occurred_at"].date() for row in mine if _begins(name, row, mine)]
        moments = sorted(moment for who, moment in found if who == customer)
        dense = (UNTIL - min(started)).days if started else 0
        assert moments == [END - timedelta(days=i) for i in reversed(range(dense))]
        for moment in {*moments[:1], *moments[-8:], *moments[-32:-28], *moments[-92:-88]}:
            _close(found[customer, moment], ORACLES[name](mine, moment))


def _past(runner, rows, cutoff):
    return {key: row for key, row in runner(rows).items() if key[1] <= cutoff}


def _leaks(runner, rows, later, cutoff):
    """Tell whether an event from the cut-off on changes a snapshot that was made by then."""
    known = [row for row in rows if row["occurred_at"] < cutoff]
    return _past(runner, known, cutoff) != _past(runner, [*known, later], cutoff)


@pytest.mark.parametrize("name", BUILDERS)
@settings(max_examples=10, deadline=None)
@given(data=st.data(), rows=_histories, days=st.sampled_from([1, 7, 30, 90]))
def test_nothing_from_the_cut_off_on_changes_a_snapshot(name, data, rows, days):
    cutoff = END - timedelta(days=days)
    later = data.draw(_events(st.integers(0, days * 86_400).map(lambda s: cutoff + timedelta(seconds=s))))
    assert not _leaks(_runner(name), rows, later, cutoff)


def test_a_planted_leak_is_found():
    a_day_early = Runner(
        lambda events: activity(events.mutate(occurred_at=events.occurred_at - ibis.interval(days=1)), until=UNTIL)
    )
    cutoff = END - timedelta(days=7)
    rows = [event("a", "purchased", END - timedelta(days=60), value=1.0)]
    assert _leaks(a_day_early, rows, event("a", "purchased", cutoff, value=5.0), cutoff)
