"""Displacing keeps the promises: caps hold without the place, propensities are true (P8), a record replays (P6)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from math import inf
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.records import Ask, Exposure
from decisions.replay import freeze, replay
from tests.property.test_eligibility_against_oracle import overruns_rolling
from tests.worlds.deciding import (
    CHANNELS,
    CUSTOMER,
    KEYS,
    NOON,
    answer,
    catalogue,
    offer,
    policy,
    scores,
    sent,
    state,
)

HOUR = timedelta(hours=1)
STOCK = catalogue(
    offer("tea", channels=("email", "sms"), send_cost={"sms": 0.05}),
    offer("coffee", exclusivity_group="hot"),
    offer("cocoa", exclusivity_group="hot", channels=("email", "push"), cooldown_days=2),
)
PAIRS = [f"{each.offer_id}|{channel}" for each in STOCK.offers for channel in each.channels]
RHYTHM = tuple(1 + 0.3 * ((slot % 24) / 24) for slot in range(168))


def world(*, beside: bool) -> dict[str, object]:
    """A place of the email cap at stake; ``beside``: where sms and push may go without it."""
    caps = [{"limit": 1, "window": "7d", **({"channel": "email"} if beside else {})}]
    rules = policy(
        caps=caps,
        quiet_hours=[{"from_hour": 21, "until_hour": 8}],
        holdback={"share": 0.2},
        exploration={"loss_budget": 0.6, "floor": 0.05},
    )
    tau = {"tea|email": 1.9, "coffee|email": 2.0, "cocoa|email": 1.7, "tea|sms": 0.5, "cocoa|push": 0.4}
    place = sent(NOON + HOUR, until=NOON + 3 * HOUR, value=0.3, decision_id="r1", offer_id="tea")
    worth = scores(STOCK, tau=tau, multiplier=dict.fromkeys(CHANNELS, RHYTHM))
    return {"rules": rules, "stock": STOCK, "known": state(pressure=(place,)), "worth": worth}


def action_of(decision) -> tuple[object, ...]:
    if decision.action == "hold":
        return ("hold",)
    return (decision.displaces, decision.offer_id, decision.channel, decision.slot)


@pytest.fixture(scope="module", params=[True, False], ids=["beside", "instead"])
def drawn(request) -> list[object]:
    given = world(beside=request.param)
    return [answer(**given, request_id=f"request-{number}", horizon_hours=24) for number in range(600)]


def test_each_action_comes_as_often_as_its_propensity_says(drawn):
    """P8: E[1{a}/π(a)] = 1, within five standard errors √((1/π − 1)/n)."""
    counted = Counter(action_of(each) for each in drawn)
    propensity = {action_of(each): each.propensity for each in drawn}
    assert len({(action_of(each), each.propensity) for each in drawn}) == len(counted) > 8
    for action, count in counted.items():
        error = ((1 / propensity[action] - 1) / len(drawn)) ** 0.5
        assert abs(count / len(drawn) / propensity[action] - 1) <= 5 * error + 1e-9, action


def test_the_propensities_of_all_actions_sum_to_one(drawn):
    propensity = {action_of(each): each.propensity for each in drawn}
    assert ("hold",) in propensity
    assert sum(propensity.values()) == pytest.approx(1, abs=0.02)  # what is rarer than 1 in 100 may be missing


def test_both_roads_are_drawn_and_none_is_held_back_on_the_way_to_a_place(drawn):
    roads = Counter(each.stages[0].chosen for each in drawn)
    assert roads["displace"] > roads["keep"] > 20
    assert all(each.stages[0].name == "keep_or_displace" for each in drawn)
    assert not any(each.held_back for each in drawn if each.stages[0].chosen == "displace")


def test_the_expected_loss_of_both_roads_is_within_the_stated_budget(drawn):
    _, best = drawn[0].stages[0].values

    def earned(each) -> float:
        if each.displaces:
            return each.expected_value.total
        sent_beside = len(each.stages) > 1 and each.stages[1].chosen == "send"
        would_be = each.expected_value.total if sent_beside else 0.0  # a holdback is not exploration
        return 0.3 + would_be

    loss = best - sum(map(earned, drawn)) / len(drawn)
    assert 0.1 * best < loss <= 0.6 * best


number = st.floats(-2, 3, allow_nan=False)
shift = st.integers(-9 * 24 * 60, 6 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
reservation = st.builds(
    lambda at, lasts, value, channel, offer_id, name: sent(
        NOON + at,
        channel,
        until=NOON + at + lasts,
        value=value,
        decision_id=f"r{name}",
        offer_id=offer_id,
        purpose="marketing",
    ),
    shift,
    st.integers(15, 400).map(lambda minutes: timedelta(minutes=minutes)),
    st.floats(-1, 2),
    st.sampled_from(CHANNELS),
    st.sampled_from(["tea", "coffee", "cocoa"]),
    st.integers(0, 10**6),
)
worlds = st.fixed_dictionaries(
    {
        "places": st.lists(reservation, max_size=3, unique_by=lambda each: each.decision_id),
        "gone": st.lists(shift, max_size=3),
        "tau": st.fixed_dictionaries(dict.fromkeys(PAIRS, number)),
        "limit": st.integers(1, 2),
        "window": st.sampled_from(["24h", "3d", "7d"]),
        "hours": st.integers(2, 120),
        "rest": st.sampled_from([0, 3]),
        "budget": st.sampled_from([0.0, 0.05, 1.0]),
    }
)


def built(drawn):
    rules = policy(
        caps=[{"limit": drawn["limit"], "window": drawn["window"]}],
        cooldowns={"after_sent_days": drawn["rest"], "exclusivity_days": drawn["rest"]},
        exploration={"loss_budget": drawn["budget"]},
        displacement={"ratio": 1},
    )
    gone = tuple(sent(NOON + min(each, timedelta(0)), offer_id="tea") for each in drawn["gone"])
    last = max((each.at for each in (*gone, *drawn["places"]) if each.offer_id == "tea"), default=None)
    exposures = (Exposure(offer_id="tea", last_sent=last),) if last else ()
    known = state(pressure=(*gone, *drawn["places"]), exposures=exposures)
    return rules, known, scores(STOCK, tau=drawn["tau"], multiplier=dict.fromkeys(CHANNELS, RHYTHM))


@settings(max_examples=150, deadline=None)
@given(drawn=worlds)
def test_what_displaces_overruns_no_cap_once_its_place_is_lifted_and_would_have_before(drawn):
    rules, known, worth = built(drawn)
    decision = answer(rules, STOCK, known=known, worth=worth, horizon_hours=drawn["hours"])
    if decision.displaces is None:
        return
    place = next(each for each in drawn["places"] if each.decision_id == decision.displaces)
    road = decision.stages[0]
    assert road.values[1] >= road.values[0]
    assert place.until > NOON
    others = [each for each in known.pressure if each is not place]
    window = rules.caps[0].rolling
    for t in (decision.send_at, decision.expires_at):
        for waits in ("at", "until"):
            times = [getattr(each, waits) or each.at for each in others]
            assert not overruns_rolling(t, times, drawn["limit"], window)


@settings(max_examples=60, deadline=None)
@given(drawn=worlds)
def test_a_record_replays_whatever_was_displaced(drawn):
    rules, known, worth = built(drawn)
    ask = Ask(request_id="request-1", customer_id=CUSTOMER, horizon_hours=drawn["hours"])
    decision = answer(rules, STOCK, known=known, worth=worth, horizon_hours=drawn["hours"])
    record = freeze(ask, policy=rules, catalogue=STOCK, scores=worth, state=known, now=NOON, keys_id="k")
    assert replay(record, KEYS) == decision


@settings(max_examples=100, deadline=None)
@given(drawn=worlds)
def test_the_bound_that_spares_a_search_changes_no_decision(drawn):
    rules, known, worth = built(drawn)
    decision = answer(rules, STOCK, known=known, worth=worth, horizon_hours=drawn["hours"])
    with patch("decisions.choosing.displacing.ceiling", return_value=inf):
        unspared = answer(rules, STOCK, known=known, worth=worth, horizon_hours=drawn["hours"])
    assert decision == unspared
