"""The choice: probabilities that are probabilities, a loss within the budget, propensities that are true (P8)."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.choosing.choice import explore, pick
from decisions.records import Keys
from tests.worlds.deciding import CHANNELS, NOON, answer, catalogue, offer, policy, scores, sent, state

values = st.lists(st.floats(-5, 5) | st.sampled_from([0.0, 1.0]), min_size=1, max_size=8)


@settings(max_examples=300, deadline=None)
@given(
    values=values,
    scale=st.floats(0.01, 10),
    budget=st.sampled_from([0.0, 1e-6, 0.01, 0.1, 0.5]),
    floor=st.sampled_from([0.0, 0.01, 0.1, 0.5]),
)
def test_exploring_never_costs_more_than_its_budget(values, scale, budget, floor):
    chances = explore(values, scale=scale, budget=budget, floor=floor)
    loss = sum(chance * (max(values) - value) / scale for chance, value in zip(chances, values, strict=True))
    assert loss <= budget + 1e-9
    assert sum(chances) == pytest.approx(1)
    assert min(chances) >= 0
    by_value = defaultdict(set)
    for chance, value in zip(chances, values, strict=True):
        by_value[value].add(chance)
    assert all(max(same) - min(same) < 1e-12 for same in by_value.values())  # ties are not broken
    ordered = sorted(zip(values, chances, strict=True))
    assert all(low[1] <= high[1] + 1e-12 for low, high in pairwise(ordered))
    if floor * sum((max(values) - value) / scale for value in values) <= budget:
        assert min(chances) >= min(floor, 1 / len(values)) - 1e-12


@given(chances=st.lists(st.sampled_from([0.0, 0.1, 0.5, 1.0]), min_size=1, max_size=6), at=st.floats(0, 1))
def test_what_has_no_probability_is_never_picked(chances, at):
    if sum(chances) > 0:
        assert chances[pick(chances, at)] > 0


def world() -> dict[str, object]:
    stock = catalogue(
        offer("tea", channels=("email", "sms"), send_cost={"sms": 0.05}),
        offer("coffee", channels=("email",)),
        offer("rare", channels=("email",), caps=[{"limit": 1, "window": "7d"}]),
    )
    rhythm = tuple(1 + 0.2 * ((slot % 24) / 24) for slot in range(168))
    worth = scores(
        stock,
        tau={"tea|email": 0.5, "tea|sms": 0.48, "coffee|email": 0.45, "rare|email": 2.0},
        multiplier=dict.fromkeys(CHANNELS, rhythm),
    )
    known = state(pressure=(sent(NOON - timedelta(hours=3), offer_id="rare"),))
    rules = policy(
        caps=[{"limit": 2, "window": "7d"}],
        min_gap_hours=12,
        quiet_hours=[{"from_hour": 21, "until_hour": 8}],
        holdback={"share": 0.2},
        exploration={"loss_budget": 0.4, "floor": 0.05},
    )
    return {"stock": stock, "worth": worth, "known": known, "rules": rules}


def action_of(decision) -> tuple[object, ...]:
    return (decision.action, decision.offer_id, decision.channel, decision.slot)[
        : 4 if decision.action == "send" else 1
    ]


@pytest.fixture(scope="module")
def drawn() -> list[object]:
    given = world()
    return [answer(**given, request_id=f"request-{number}") for number in range(2000)]


def test_the_mean_of_one_over_the_propensity_is_one_for_every_action(drawn):
    """P8: E[1{a}/π(a)] = 1, within five standard errors √((1/π − 1)/n), under holdback, caps and gap."""
    counted = Counter(action_of(each) for each in drawn)
    propensity = {action_of(each): each.propensity for each in drawn}
    assert len({(action_of(each), each.propensity) for each in drawn}) == len(counted) > 10
    for action, count in counted.items():
        mean = count / len(drawn) / propensity[action]
        error = ((1 / propensity[action] - 1) / len(drawn)) ** 0.5
        assert abs(mean - 1) <= 5 * error, (action, mean, error)


def test_the_propensities_of_all_actions_sum_to_one(drawn):
    """Every action that can happen was drawn (the rarest has π > 0.0005), so that nothing is missing."""
    propensity = {action_of(each): each.propensity for each in drawn}
    assert sum(propensity.values()) == pytest.approx(1, abs=0.01)


def test_what_is_fixed_before_the_draw_but_the_request_is_the_same_for_all_draws(drawn):
    stages = {tuple((stage.name, stage.probabilities) for stage in each.stages[:2]) for each in drawn}
    assert len(stages) == 1


def test_other_keys_draw_with_the_same_propensities():
    given = world()
    for number in range(50):
        keys = Keys(assignment=b"a", holdback=bytes([number]), exploration=bytes([number]), token=b"t")
        decision = answer(**given, keys=replace(keys))
        chances = [stage.probabilities[stage.options.index(stage.chosen)] for stage in decision.stages]
        send, hold = decision.stages[0].probabilities
        if decision.action == "send":
            assert decision.propensity == pytest.approx(chances[0] * chances[1] * chances[2] * 0.8)
        else:
            assert decision.propensity == pytest.approx(hold + 0.2 * send)


def test_the_expected_loss_of_the_whole_choice_is_within_the_stated_budget(drawn):
    best = max(drawn[0].stages[0].values)
    earned = sum(
        each.expected_value.total if each.stages[0].chosen == "send" else 0.0
        for each in drawn
        if each.stages[0].chosen == "hold" or each.expected_value
    ) / len(drawn)
    assert best - earned <= 0.4 * best
    assert best - earned > 0.05 * best  # the budget is used


def test_where_every_message_loses_money_hold_is_best_and_sends_are_rare():
    stock = catalogue(offer(send_cost={"email": 3.0}))
    rules = policy(exploration={"loss_budget": 0.06, "floor": 0.01})
    decisions = [answer(rules, stock, request_id=str(number)) for number in range(600)]
    sends = sum(each.action == "send" for each in decisions) / len(decisions)
    assert decisions[0].stages[0].probabilities[0] == pytest.approx(0.02, abs=1e-6)
    assert 0 < sends < 0.05
    assert {each.reasons[0].code for each in decisions} == {"not_worth_it", "explored"}


def test_without_a_loss_budget_the_best_is_taken_for_certain():
    stock = catalogue()
    morning = tuple(2.0 if slot == 81 else 1.0 for slot in range(168))
    worth = scores(stock, multiplier={"email": morning})
    decision = answer(policy(exploration={"loss_budget": 0, "floor": 0.1}), worth=worth)
    assert (decision.action, decision.propensity) == ("send", 1.0)
    assert decision.reasons[0].code == "best_value"
