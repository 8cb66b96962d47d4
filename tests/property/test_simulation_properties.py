"""What holds for any traits, any messages and any moment of a simulated world."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.arena.opportunity import NEVER, Opportunity
from simulation.calendar import Calendar
from simulation.draws import Draws, Purpose
from simulation.families import FAMILIES
from simulation.messages import Messages
from simulation.people.rhythm import HABITS, Attending
from simulation.people.traits import Traits
from simulation.response import daypart, reach, react, worth
from simulation.shop import SHOP, ZONES
from simulation.world import START, World

CALENDAR = Calendar(START, ZONES, before=400, after=400)
STRENGTHS = st.floats(0, 20)


@given(STRENGTHS, st.floats(0, 5), st.floats(0, 2), st.floats(0, 50), st.floats(0, 50))
def test_pressure_never_makes_a_message_more_likely_to_be_seen(seen, slot, worn, some, more):
    low, high = (
        reach(*(np.array([x]) for x in (seen, slot, worn, some))),
        reach(*(np.array([x]) for x in (seen, slot, worn, some + more))),
    )
    assert 0 <= high[0] <= low[0] <= 1


@given(
    st.sampled_from(sorted(FAMILIES)), st.integers(0, 5), st.floats(0, 30), st.floats(0, 30), st.integers(0, 167)
)
def test_pressure_never_does_anybody_any_good(family, seed, some, more, slot):
    people = World.of(FAMILIES[family], customers=20, seed=seed, history=0).people
    who = np.arange(20)
    message = {"who": who, "offer": who % 4, "channel": who % 3}
    hour = {"slot": np.full(20, slot), "slot_factor": np.ones(20)}
    less, pressed = (
        react(people, FAMILIES[family], **message, **hour, pressure=np.full(20, pressure))
        for pressure in (some, some + more)
    )
    assert (pressed.seen <= less.seen).all()
    for harm in ("left", "complained", "driven_off"):
        assert (getattr(pressed, harm) >= getattr(less, harm)).all()
    assert (pressed.moved == less.moved).all()
    helped = less.moved * people.offer_margin[who, who % 4] > 3 * (less.moved + less.redeemed)
    assert (worth(people, pressed, **message).net <= worth(people, less, **message).net + 1e-9)[helped].all()


@given(st.floats(0, 0.99), st.integers(0, 3))
def test_the_parts_of_the_day_average_to_one(strength, offer):
    hours = np.arange(24)
    factors = daypart(strength, np.full(24, offer), hours)
    assert factors.mean() == pytest.approx(1)
    assert factors.max() == pytest.approx(1 + strength)


@given(st.floats(0, 1), st.integers(0, 23))
def test_the_hours_of_a_week_raise_and_lower_attention_around_one(pull, turned):
    attending = Attending.of(
        FAMILIES["clusters"].rhythm.__class__(pull=pull), FAMILIES["clusters"].attention, turned=turned
    )
    mix = np.eye(HABITS)[np.repeat(np.arange(HABITS), 168)]
    slots = np.tile(np.arange(168), HABITS)
    factors = attending.factor(mix, slots, attending.ahead).reshape(HABITS, 168)
    assert factors.mean(axis=1) == pytest.approx(1)
    assert (factors > 0).all() or pull == 1


@given(st.floats(0, 1), st.integers(0, 167), st.floats(0, 1, exclude_max=True))
def test_a_message_is_seen_after_it_was_sent_and_within_four_weeks(pull, slot, drawn):
    attending = Attending.of(FAMILIES["clusters"].rhythm.__class__(pull=pull), FAMILIES["clusters"].attention)
    mix = np.full((1, HABITS), 1 / HABITS)
    delay = attending.delays(mix, np.array([slot]), np.array([drawn]))[0]
    later = attending.delays(mix, np.array([slot]), np.array([min(0.9999, drawn + 0.01)]))[0]
    assert 0 <= delay <= later <= 4 * 168


@given(st.sampled_from(range(len(ZONES))), st.integers(-399 * 86400, 399 * 86400))
def test_wall_clocks_are_those_of_the_zone_on_any_day(zone, second):
    moment = CALENDAR.epoch + second
    local = datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(ZONES[zone]))
    wall = CALENDAR.local(np.array([zone]), np.array([moment]))[0]
    assert datetime.fromtimestamp(int(wall), UTC).replace(tzinfo=None) == local.replace(tzinfo=None)
    assert CALENDAR.slot(np.array([zone]), np.array([moment]))[0] == local.weekday() * 24 + local.hour


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Europe/Berlin", "2026-03-29"), ("America/New_York", "2026-03-08"), ("Europe/London", "2025-10-26")],
)
def test_wall_clocks_are_right_through_every_hour_of_a_daylight_saving_day(zone, day):
    start = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
    moments = start + np.arange(24) * 3600
    walls = CALENDAR.local(np.full(24, ZONES.index(zone)), moments)
    real = [datetime.fromtimestamp(int(m), UTC).astimezone(ZoneInfo(zone)).hour for m in moments]
    assert (walls // 3600 % 24).tolist() == real
    assert len(set(np.diff(walls).tolist())) == 2


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 86399)), max_size=12))
def test_turns_hold_nobody_twice_and_lose_no_message(given_messages):
    who = np.array([each[0] for each in given_messages], dtype=np.int64)
    sent = np.array([each[1] for each in given_messages], dtype=np.int64)
    turns = Messages.of(who, who * 0, who * 0, sent).by_turn()
    assert all(len(np.unique(turn.customer)) == len(turn) for turn in turns)
    assert sum(len(turn) for turn in turns) == len(who)
    for one in np.unique(who):
        moments = [int(turn.sent_at[turn.customer == one][0]) for turn in turns if one in turn.customer]
        assert moments == sorted(moments)


@given(st.integers(0, 100), st.lists(st.integers(0, 72 * 3), min_size=3, max_size=3), st.integers(1, 3))
def test_rest_is_what_counting_says(start, hours, cap):
    rules = Opportunity(cap=cap)
    recent = np.array([[NEVER if hour == 0 else (start - hour) * 3600 for hour in hours[:cap]]])
    moments = start * 3600 + np.arange(72) * 3600
    free = rules.rested(recent, moments)[0]
    for moment, ok in zip(moments, free, strict=True):
        since = [moment - each for each in recent[0]]
        assert ok == (sum(gap < 7 * 86400 for gap in since) < cap and all(gap >= 86400 for gap in since))


@pytest.mark.parametrize("purpose", [Purpose.LOSSES, Purpose.LATENESS])
def test_the_fates_of_events_are_even_and_independent(purpose):
    who, seconds = np.repeat(np.arange(300), 300), np.tile(np.arange(300) * 61, 300) + 1_770_000_000
    draws = Draws("clusters", 1)
    one, other = (
        draws.of_events(purpose, np.full(len(who), kind, dtype=np.int8), who, seconds) for kind in (3, 4)
    )
    elsewhere = Draws("clusters", 2).of_events(purpose, np.full(len(who), 3, dtype=np.int8), who, seconds)
    assert np.histogram(one, 20, (0, 1))[0] == pytest.approx(len(who) / 20, rel=0.06)
    for second in (other, elsewhere, np.roll(one, 1), np.roll(one, 300)):
        assert abs(np.corrcoef(one, second)[0, 1]) < 0.015


@given(st.integers(0, 20), st.floats(0, 1), st.booleans(), st.integers(0, 10_000))
def test_mixtures_of_habits_sum_to_one(clusters, own, alike, seed):
    mixed = Traits(np.random.default_rng(seed), 7, SHOP, alike=alike).mixtures(clusters, own)
    assert mixed.sum(axis=1) == pytest.approx(1)
    assert (mixed >= 0).all()
