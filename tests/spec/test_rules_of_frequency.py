"""When a next message is due: each customer's best interval, explored, under all the hard rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.eligibility.due import pressed
from decisions.pacing import tempo
from decisions.policy_parts import Frequency
from decisions.worth.cadence import steady_pressure
from features.vocabulary import PRESSURE_HALF_LIFE_DAYS
from tests.worlds.deciding import (
    KEYS,
    NOON,
    answer,
    catalogue,
    codes,
    consent,
    offer,
    policy,
    scores,
    sent,
    state,
)

DAY, HOUR, WEEK = timedelta(days=1), timedelta(hours=1), timedelta(weeks=1)
STOCK = catalogue(offer("tea", channels=("email", "sms")), offer("coffee", channels=("email",)))
STEADY = {"explore_share": 0.0}
PLAIN = policy(frequency=STEADY)
_SECONDS = 86_400


def worth(days=14.0, earned=0.1, **more):
    """The interval on email; on other channels where ``more`` says so."""
    channels = {"email": (days, earned), **{name: more.pop(name) for name in ("sms",) if name in more}}
    return scores(STOCK, cadence=channels, **more)


def at_steady_pressure(days, until=NOON):
    """Messages one every ``days``, the last of them at ``until``."""
    return tuple(sent(until - timedelta(days=days) * number) for number in range(60))


def asked(known=None, rules=PLAIN, **more):
    return answer(rules, STOCK, known=known or state(), worth=more.pop("worth", worth()), **more)


def test_somebody_who_was_never_written_to_is_due_at_once():
    decision = asked()
    assert decision.action == "send"
    assert decision.pace.channel == "email"
    assert (decision.pace.days, decision.pace.weekly) == (14.0, 0.5)


def test_after_messages_one_interval_apart_the_next_is_due_one_interval_later():
    decision = asked(state(pressure=at_steady_pressure(14)), horizon_hours=24)
    assert codes(decision) == ["not_due"]
    assert abs(decision.reasons[0].until - (NOON + 14 * DAY)) <= timedelta(minutes=2)
    assert (decision.propensity, decision.stages) == (1.0, ())
    assert decision.reasons[0].detail == "14d"


def test_a_message_that_falls_due_within_the_horizon_is_planned_for_then():
    known = state(pressure=at_steady_pressure(14, NOON - 13 * DAY))
    decision = asked(known, horizon_hours=48)
    assert decision.action == "send"
    assert NOON + DAY - timedelta(minutes=2) <= decision.send_at <= NOON + 2 * DAY


def test_a_reserved_message_ahead_presses_as_one_behind():
    known = state(pressure=(sent(NOON + DAY), sent(NOON + DAY)))
    assert codes(asked(known, horizon_hours=12)) == ["not_due"]
    assert asked(state(pressure=(sent(NOON + 20 * DAY),) * 2), horizon_hours=12).action == "send"


def test_hard_caps_bind_whatever_is_due():
    rules = policy(frequency=STEADY, caps=[{"limit": 1, "window": "7d"}])
    decision = asked(state(pressure=(sent(NOON - DAY),)), rules, worth=worth(3.5), horizon_hours=24)
    assert codes(decision) == ["cap"]


def test_a_policy_may_leave_how_often_to_its_caps_alone():
    decision = asked(state(pressure=at_steady_pressure(14)), policy(frequency={"enabled": False}))
    assert (decision.action, decision.pace) == ("send", None)


def test_where_nothing_says_how_often_nothing_is_refused():
    decision = asked(state(pressure=at_steady_pressure(14)), worth=scores(STOCK))
    assert (decision.action, decision.pace) == ("send", None)


@pytest.mark.parametrize("purpose", ["service", "transactional"])
def test_only_marketing_has_a_clock(purpose):
    decision = asked(state(pressure=at_steady_pressure(14)), purpose=purpose)
    assert (decision.action, decision.pace) == ("send", None)


def test_other_purposes_press_on_the_clock_of_marketing():
    known = state(pressure=tuple(replace(each, purpose="service") for each in at_steady_pressure(14)))
    assert codes(asked(known, horizon_hours=24)) == ["not_due"]


def test_the_clock_is_that_of_the_channel_that_earns_most_of_those_the_customer_may_be_written_to_on():
    both = worth(14.0, 0.1, sms=(5.0, 0.3))
    assert asked(worth=both).pace.channel == "sms"
    without = state(consents=(consent("email"),))
    assert asked(without, worth=both).pace.channel == "email"
    assert asked(worth=both, channels=("email",)).pace.channel == "email"
    assert asked(worth=both, offers=("coffee",)).pace.channel == "email"


def test_where_no_message_earns_anything_the_number_a_week_is_nought():
    assert asked(worth=worth(90.0, -0.1)).pace.weekly == 0.0


def test_a_withheld_message_counts_as_sent_by_the_clock_and_not_by_caps():
    once = state(withheld=tuple(each.at for each in at_steady_pressure(14)))
    assert codes(asked(once, horizon_hours=24)) == ["not_due"]
    rules = policy(frequency=STEADY, caps=[{"limit": 1, "window": "7d"}])
    assert asked(state(withheld=(NOON - DAY,)), rules, worth=worth(3.5)).action == "send"


def test_a_holdback_sticks_until_the_next_message_is_due_and_names_the_moment_it_took():
    rules = policy(frequency=STEADY, holdback={"share": 0.999999, "outcome_days": 7})
    known = state(pressure=at_steady_pressure(14, NOON - 14 * DAY))
    decision = asked(known, rules, horizon_hours=1)
    assert (decision.action, decision.held_back) == ("hold", True)
    assert NOON <= decision.withheld_at <= NOON + HOUR
    assert abs(decision.held_back_until - (decision.withheld_at + 14 * DAY)) < HOUR


def test_a_silence_that_was_drawn_to_learn_takes_its_moment_too_and_one_that_was_best_does_not():
    drawn = policy(frequency=STEADY, exploration={"loss_budget": 1.0, "floor": 0.5})
    found = [asked(rules=drawn, request_id=f"r{number}") for number in range(30)]
    silent = [each for each in found if each.action == "hold"]
    assert silent
    assert all(codes(each) == ["explored_hold"] and each.withheld_at for each in silent)
    assert all(each.withheld_at is None for each in found if each.action == "send")
    poor = asked(worth=replace(worth(), tau={"tea|email": -1.0, "tea|sms": -1.0, "coffee|email": -1.0}))
    assert (codes(poor), poor.withheld_at) == (["not_worth_it"], None)


def test_without_a_clock_a_holdback_sticks_for_the_outcome_window():
    rules = policy(holdback={"share": 0.999999, "outcome_days": 7})
    decision = asked(rules=rules, worth=scores(STOCK), horizon_hours=1)
    assert decision.held_back_until >= NOON + 7 * DAY
    assert decision.withheld_at is None


# The draw of how often.

EXPLORED = Frequency(explore_share=0.3, factor=2.0, period_days=28)


def test_each_multiplier_is_drawn_as_often_as_its_probability_says():
    """The mean of 1{m}/P(m) over customers is 1 for every multiplier (P8)."""
    total = 20_000
    drawn = Counter(tempo(f"c{number}", EXPLORED, NOON, KEYS) for number in range(total))
    assert {multiplier for multiplier, _, _ in drawn} == {0.5, 1.0, 2.0}
    for (_, probability, _), count in drawn.items():
        spread = ((1 - probability) / (probability * total)) ** 0.5
        assert abs(count / total / probability - 1) < 4.5 * spread


def test_a_multiplier_stays_for_its_period_and_is_drawn_anew_in_the_next():
    first = [tempo(f"c{number}", EXPLORED, NOON, KEYS) for number in range(500)]
    begin = first[0][2]
    assert begin <= NOON.date() < begin + timedelta(days=28)
    assert first == [tempo(f"c{number}", EXPLORED, NOON + HOUR, KEYS) for number in range(500)]
    later = [tempo(f"c{number}", EXPLORED, NOON + 28 * DAY, KEYS) for number in range(500)]
    assert {each[2] for each in later} == {begin + timedelta(days=28)}
    both = np.array([[a[0] != 1, b[0] != 1] for a, b in zip(first, later, strict=True)])
    assert abs(both.all(axis=1).mean() - 0.09) < 0.06  # independent of one another


def test_a_moment_before_1970_has_a_period_too():
    assert tempo("c", EXPLORED, NOON.replace(year=1969), KEYS)[2] <= date(1969, 3, 4)


def test_the_multiplier_stretches_the_interval_and_is_fixed_before_the_draw():
    rules = policy(frequency={"explore_share": 1.0, "factor": 2.0})
    decision = asked(rules=rules)
    assert decision.pace.multiplier in {0.5, 2.0}
    assert decision.pace.probability == 0.5
    assert decision.pace.days == 14.0 * decision.pace.multiplier
    assert (
        decision.history_hash != asked(rules=policy(frequency={"explore_share": 0.99, "factor": 2.0})).history_hash
    )


# Spans of whole seconds, against the sum itself.

moments = st.lists(st.floats(-60, 60).map(lambda days: days * _SECONDS), min_size=1, max_size=6)


@given(moments=moments, days=st.floats(1, 90))
def test_a_moment_is_refused_where_the_sum_of_what_is_left_of_each_message_is_too_much(moments, days):
    most = float(steady_pressure(np.array(days), PRESSURE_HALF_LIFE_DAYS))
    spans = pressed(moments, most)
    at = np.arange(-120 * _SECONDS, 400 * _SECONDS, 7_919)
    apart = np.abs(at[:, None] - np.array(moments)[None, :]) / (PRESSURE_HALF_LIFE_DAYS * _SECONDS)
    pressure = (0.5**apart).sum(axis=1)
    refused = np.zeros(at.size, dtype=bool)
    for start, end in spans:
        refused |= (at >= start) & (at < end)
    clear = np.abs(pressure / most - 1) > 1e-4  # a second at the edge
    assert (refused == (pressure > most))[clear].all()


@given(moments=moments, most=st.floats(0.01, 5))
def test_the_order_of_messages_does_not_matter(moments, most):
    assert pressed(moments, most) == pressed(moments[::-1], most)


def test_nothing_presses_where_nothing_was_sent():
    assert pressed([], 0.5) == ()


# When, once it is due.


def test_a_message_that_is_due_goes_within_a_day_however_good_a_later_hour_is():
    friday = tuple(5.0 if slot // 24 == 4 else 1.0 for slot in range(168))
    late = worth(multiplier={"email": friday, "sms": friday})
    assert asked(worth=late).send_at < NOON + DAY
    assert asked(worth=replace(late, cadence={})).send_at >= NOON + 1.5 * DAY


def test_a_day_begins_when_the_first_message_is_due():
    known = state(pressure=at_steady_pressure(14, NOON - 12 * DAY))
    decision = asked(known, horizon_hours=168)
    assert NOON + 2 * DAY - HOUR <= decision.send_at <= NOON + 3 * DAY


# Which of a block's equally good hours.


def hours_of(requests, **more):
    found = [asked(request_id=f"r{number}", horizon_hours=60, **more) for number in range(requests)]
    blocks = {}
    for each in found:
        block = next(stage.chosen for stage in each.stages if stage.name == "slot_block")
        blocks.setdefault(block, []).append(each.send_at)
    return blocks


def test_of_equally_good_hours_of_a_block_one_is_drawn_by_request_on_its_first_day():
    blocks = hours_of(150)
    assert len(blocks) == 4  # of equal blocks one is drawn, too: until Thursday noon
    for moments_ in blocks.values():
        assert len({each.hour for each in moments_}) == 6
        assert max(moments_) - min(moments_) < 6 * HOUR


def test_without_a_clock_the_first_of_equally_good_hours_is_taken():
    for moments_ in hours_of(50, worth=scores(STOCK)).values():
        assert len({each.hour for each in moments_}) == 1


def test_an_hour_that_is_better_is_taken_whatever_is_drawn():
    better = tuple(1.1 if hour == 15 else 1.0 for hour in range(24))
    blocks = hours_of(50, worth=worth(hourly={"tea": better, "coffee": better}))
    assert {each.hour for each in blocks["weekday_afternoon"]} <= {14, 15}  # the better one from half past two
