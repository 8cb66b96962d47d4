"""P8: over many draws, the mean of 1{a}/π(a) is 1 for every action.

An action's mean lies within z standard errors √((1/π − 1)/n) of 1, z being so wide that all actions of all
situations are within at once with probability 99.9% (Bonferroni). An action too rare for that (fewer than nine
expected) is judged together with all others as rare.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.promises.world import CHANNELS, KEYS, NOW, PURPOSES, Guesses, catalogue, consent, policy
from decisions.decide import decide
from decisions.records import Ask, BudgetState, CustomerState, Pressure
from features.contracts import Customer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.promises.tally import Tally
    from decisions.policy import Policy
    from decisions.records import Decision

LEAST_EXPECTED = 9
MISTAKEN = 0.001
"""How often the whole of it may find fault where there is none."""

WHO = "c1"


class Situation(NamedTuple):
    """What is fixed before the draw."""

    name: str
    rules: Policy
    state: CustomerState
    budgets: BudgetState


class Drawn(NamedTuple):
    """How often an action was drawn, and its probability."""

    times: int
    propensity: float


def try_draws(*, draws: int, tally: Tally, seed: int = 1) -> Iterator[str]:
    """Draw ``draws`` times in each situation and judge all together; yield the name of each one done."""
    found: list[tuple[str, dict[str, Drawn]]] = []
    for each in situations():
        found.append((each.name, _drawn(each, draws, seed)))
        tally.cases["P8"] += draws
        yield each.name
    actions = [(f"{name}: {what}", drawn) for name, some in found for what, drawn in _judged(some, draws)]
    width = NormalDist().inv_cdf(1 - MISTAKEN / 2 / len(actions))
    for what, (count, propensity) in actions:
        error = ((1 / propensity - 1) / draws) ** 0.5
        if abs(count / draws / propensity - 1) > width * error + 1e-12:
            tally.broken("P8", f"{what}: drawn {count} of {draws} times, stated {propensity:.4g}")


def situations() -> list[Situation]:
    """Return what a draw is made under: holdback, caps and gaps, budgets, arms, no model at all."""
    plain, arms = policy(), [{"name": "a"}, {"name": "b", "policy": {"min_gap_hours": 48}}]
    sent = Pressure(at=NOW - timedelta(hours=20), channel="sms", offer_id="bread", category="food")
    later = Pressure(at=NOW + timedelta(hours=30), channel="email", offer_id="tea", category="drinks")
    experiment = policy(experiments=[{"experiment_id": "gap", "arms": arms}])
    priced = BudgetState(prices={"email": 0.2, "push": 0.1}, exhausted=frozenset({"sms"}))
    return [
        Situation("holdback", policy(holdback={"share": 0.3}), _state(), BudgetState()),
        Situation("caps", plain, _state(sent, later), BudgetState()),
        Situation("budgets", plain, _state(), priced),
        Situation("arms", experiment, _state(sent), BudgetState()),
        Situation("wide exploration", policy(exploration={"loss_budget": 1, "floor": 0.1}), _state(), priced),
    ]


def _state(*pressure: Pressure) -> CustomerState:
    journal = tuple(consent(WHO, channel, purpose) for channel in CHANNELS for purpose in PURPOSES)
    who = Customer(customer_id=WHO, time_zone="Europe/Berlin", contacts=dict.fromkeys(CHANNELS, "valid"))
    return CustomerState(customer=who, consents=journal, pressure=pressure)


def _drawn(situation: Situation, draws: int, seed: int) -> dict[str, Drawn]:
    scores, stock = Guesses().of([WHO], now=NOW)[WHO], catalogue()
    counts: Counter[str] = Counter()
    stated: dict[str, float] = {}
    for number in range(draws):
        decision = decide(
            Ask(request_id=f"{seed}-{situation.name}-{number}", customer_id=WHO),
            policy=situation.rules,
            catalogue=stock,
            scores=scores,
            state=situation.state,
            now=NOW,
            keys=replace(KEYS, exploration=b"draws", holdback=b"draws too"),
            budgets=situation.budgets,
        )
        counts[_action(decision)] += 1
        stated[_action(decision)] = decision.propensity
    return {what: Drawn(count, stated[what]) for what, count in counts.items()}


def _action(decision: Decision) -> str:
    if decision.action == "hold":
        return "hold"
    return f"{decision.offer_id}|{decision.channel}|{decision.slot}"


def _judged(some: dict[str, Drawn], draws: int) -> list[tuple[str, Drawn]]:
    """Return the actions that are frequent enough, and all others as one.

    The propensities of what was never drawn are not known; they belong to the rare ones, whose probability is
    what the others leave.
    """
    often = {what: drawn for what, drawn in some.items() if draws * drawn.propensity >= LEAST_EXPECTED}
    rest = 1.0 - sum(drawn.propensity for drawn in often.values())
    seldom = sum(drawn.times for what, drawn in some.items() if what not in often)
    rare = [("all that is rare", Drawn(seldom, rest))] if draws * rest >= LEAST_EXPECTED else []
    return [*often.items(), *rare]
