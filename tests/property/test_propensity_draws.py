"""P8: over many draws the mean of 1{a}/π(a) is 1 for every action; and exactly, over all outcomes of all stages."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest
from scipy.stats import chi2

from decisions.decide import decide
from decisions.draws import uniform
from decisions.records import Ask, BudgetState, Keys
from runtime.champions import priors
from runtime.online import FeaturesNotBuiltError
from runtime.scored import Scored
from tests.worlds.deciding import (
    CHANNELS,
    CUSTOMER,
    NOON,
    answer,
    catalogue,
    consent,
    customer,
    offer,
    policy,
    scores,
    sent,
    state,
)
from tests.worlds.draws import action_of, chances, outcomes, outside
from tests.worlds.effort import effort
from tests.worlds.ledger import opened

DRAWS = effort(250)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RHYTHM = tuple(1 + 0.2 * ((slot % 24) / 24) for slot in range(168))
STOCK = catalogue(
    offer("tea", channels=("email", "sms"), send_cost={"sms": 0.05}),
    offer("coffee", channels=("email",)),
    offer("rare", channels=("email",), caps=[{"limit": 1, "window": "7d"}]),
)
WORTH = scores(
    STOCK,
    tau={"tea|email": 0.5, "tea|sms": 0.48, "coffee|email": 0.45, "rare|email": 0.47},
    multiplier=dict.fromkeys(CHANNELS, RHYTHM),
)


def rules(**changes):
    plain = {"holdback": {"share": 0.2}, "exploration": {"loss_budget": 0.4, "floor": 0.05}, "horizon_hours": 48}
    return policy(**plain | changes)


class Away:
    def online(self, customer_ids, *, now):
        raise FeaturesNotBuiltError("nothing was built")


def fallback():
    """Every part of the value is a prior: nothing was ever learned."""
    declared = rules()
    known = Scored(scorers=lambda: priors("no_labels"), features=Away(), policy=declared, catalogue=STOCK)
    return {"rules": declared, "worth": known.of([CUSTOMER], now=NOON)[CUSTOMER]}


def arms():
    half = {"exploration": {"loss_budget": 0.1, "floor": 0.02}, "holdback": {"share": 0.5}}
    names = [{"name": "control"}, {"name": "bold", "policy": half}]
    return {"rules": rules(experiments=[{"experiment_id": "bolder", "arms": names}])}


WORLDS = {
    "holdback": lambda: {"rules": rules()},
    "no holdback": lambda: {"rules": rules(holdback={"share": 0})},
    "caps, a gap and quiet hours": lambda: {
        "rules": rules(
            caps=[{"limit": 1, "window": "24h"}, {"limit": 2, "window": "week", "channel": "email"}],
            min_gap_hours=12,
            quiet_hours=[{"from_hour": 21, "until_hour": 8}],
        ),
        "known": state(pressure=(sent(NOON - 3 * HOUR, offer_id="rare"),)),
    },
    "a floor that gives way": lambda: {"rules": rules(exploration={"loss_budget": 0.02, "floor": 0.3})},
    "no exploration": lambda: {"rules": rules(exploration={"loss_budget": 0, "floor": 0})},
    "an exhausted and a priced budget": lambda: {
        "rules": rules(),
        "budgets": BudgetState(exhausted=frozenset({"sms"}), prices={"email": 0.3}),
    },
    "priors alone": fallback,
    "nothing worth sending": lambda: {
        "rules": rules(),
        "worth": replace(WORTH, tau=dict.fromkeys(WORTH.tau, -0.2)),
    },
    "ties": lambda: {"rules": rules(), "worth": replace(WORTH, tau=dict.fromkeys(WORTH.tau, 0.5))},
    "an arm of an experiment": arms,
    # A poor message has the week's only place: a better one may take it.
    "a place that may be taken": lambda: {
        "rules": rules(caps=[{"limit": 1, "window": "week"}]),
        "known": state(pressure=(sent(NOON + 30 * HOUR, until=NOON + 34 * HOUR, decision_id="poor", value=0.1),)),
    },
    # Due within the horizon, on a clock that was drawn longer or shorter for most.
    "an interval that is explored": lambda: {
        "rules": rules(frequency={"explore_share": 0.8, "factor": 1.2}),
        "worth": replace(WORTH, cadence={"email": (7.0, 0.1), "sms": (10.0, 0.05)}),
        "known": state(pressure=(sent(NOON - 7 * DAY), sent(NOON - DAY)), withheld=(NOON - 3 * DAY,)),
    },
    "a service message": lambda: {"rules": rules(), "purpose": "service"},
}


def world(name):
    return {"stock": STOCK, "worth": WORTH} | WORLDS[name]()


@cache
def tree(name):
    """Every outcome of a world with its probability, and the true probability of every action."""
    found = tuple(outcomes(lambda: answer(**world(name))))
    return found, chances(found)


@pytest.fixture(params=WORLDS)
def name(request):
    return request.param


def test_all_outcomes_of_all_stages_sum_to_one_and_the_recorded_propensity_is_the_enumerated_one(name):
    found, true = tree(name)
    assert sum(chance for _, chance in found) == pytest.approx(1, abs=1e-12)
    for decision, _ in found:
        assert decision.propensity_exact
        assert decision.propensity == pytest.approx(true[action_of(decision)], abs=1e-12), action_of(decision)


def test_a_place_that_may_be_taken_is_taken_in_some_outcomes_and_kept_in_others():
    found, _ = tree("a place that may be taken")
    assert {each.displaces for each, _ in found} == {"poor", None}


def test_a_holdback_is_recorded_as_a_hold_with_the_chance_of_every_hold(name):
    for decision, _ in tree(name)[0]:
        if decision.held_back:
            assert (decision.action, decision.state, decision.send_at) == ("hold", "held", None)


def drawn_by_request(given, draws=DRAWS):
    return Counter(action_of(answer(**given, request_id=f"request-{number}")) for number in range(draws))


def drawn_by_key(given):
    found = Counter()
    for number in range(DRAWS):
        key = number.to_bytes(4, "big")
        found[
            action_of(answer(**given, keys=Keys(assignment=b"a", holdback=key, exploration=key, token=b"t")))
        ] += 1
    return found


def test_the_mean_of_one_over_the_propensity_is_one_for_every_action(name):
    assert outside(drawn_by_request(world(name)), tree(name)[1]) == []


def test_the_same_holds_over_keys_where_the_request_is_one():
    given = world("caps, a gap and quiet hours")
    # The minute within the hour is drawn by the exploration key too, but never the block: the action is the same.
    assert outside(drawn_by_key(given), tree("caps, a gap and quiet hours")[1]) == []


def test_a_propensity_that_is_a_tenth_off_does_not_pass():
    given = world("no exploration")
    true = tree("no exploration")[1]
    drawn = drawn_by_request(given, 1_500)
    assert len(true) == 2
    assert outside(drawn, true) == []
    for factor in (0.9, 1.1):
        assert outside(drawn, {action: chance * factor for action, chance in true.items()}) != []


def test_the_draws_of_the_stages_are_uniform_and_independent():
    """What the enumeration assumes. Each stage's draw in thirds: 81 cells, one chi-square."""
    names = (("send_or_hold", b"e"), ("offer_channel", b"e"), ("slot_block", b"e"), ("holdback", b"h"))
    total = effort(20_000)
    cells = Counter(
        tuple(int(3 * uniform(key, name, f"request-{number}", CUSTOMER)) for name, key in names)
        for number in range(total)
    )
    expected = total / 3 ** len(names)
    distance = sum((cells[cell] - expected) ** 2 / expected for cell in itertools.product(range(3), repeat=4))
    assert chi2.sf(distance, 80) > 1e-4


# Concurrency: H differs from draw to draw, so each has a propensity of its own.


def named_chances(decision):
    """The propensity of holding and of each pair given this draw's own H, as the record tells them."""
    stages = {stage.name: stage for stage in decision.stages}
    if not stages:
        return {"hold": decision.propensity}
    send, hold = stages["send_or_hold"].probabilities
    kept, withheld = stages["holdback"].probabilities
    pairs = zip(stages["offer_channel"].options, stages["offer_channel"].probabilities, strict=True)
    return {"hold": hold + withheld * send} | {pair: kept * send * chance for pair, chance in pairs}


def name_of(decision):
    return "hold" if decision.action == "hold" else f"{decision.offer_id}|{decision.channel}"


def ask_under_lock(ledger, customer_id, number):
    """One question on the road a worker takes: the state read, decided on and recorded under one lock."""
    ask = Ask(request_id=f"{customer_id}-{number}", customer_id=customer_id)
    worth, now = replace(WORTH, customer_id=customer_id), NOON + number * 7 * HOUR
    declared = rules(
        caps=[{"limit": 3, "window": "3d"}],
        min_gap_hours=6,
        quiet_hours=[{"from_hour": 22, "until_hour": 7}],
        displacement={"enabled": False},  # the record does not tell what would have followed on the other road
    )
    with ledger.transaction(customer_id) as transaction:
        known = transaction.state(customer_id, now)
        keys = Keys(assignment=b"a", holdback=b"h", exploration=b"e", token=b"t")
        decision = decide(ask, policy=declared, catalogue=STOCK, scores=worth, state=known, now=now, keys=keys)
        return transaction.record(decision, body_hash="", frozen=b"")


def test_it_holds_for_decisions_that_workers_make_on_one_ledger_at_the_same_time(database_url):
    """For each action the sum of 1{a}/π(a|H) − 1 over the draws that could bring it has mean 0 and a known spread."""
    people = [f"c{number}" for number in range(12)]
    with opened(database_url) as ledger, ThreadPoolExecutor(4) as workers:
        ledger.put_customers([customer(customer_id=each) for each in people])
        ledger.append_consents(consents_of(people), NOON)
        asked = itertools.product(people, range(effort(25)))
        decisions = list(workers.map(lambda each: ask_under_lock(ledger, *each), asked))
    assert len({each.history_hash for each in decisions}) == len(decisions)
    excess, spread = defaultdict(float), defaultdict(float)
    for decision in decisions:
        for name, chance in named_chances(decision).items():
            if 0 < chance < 1:
                excess[name] += (name_of(decision) == name) / chance - 1
                spread[name] += 1 / chance - 1
    assert set(excess) == {"hold", "tea|email", "tea|sms", "coffee|email", "rare|email"}
    for name, total in excess.items():
        assert abs(total) <= 4.5 * math.sqrt(spread[name]), (name, total, spread[name])


def consents_of(people):
    return [consent(channel).model_copy(update={"customer_id": each}) for each in people for channel in CHANNELS]
