"""The choice in stages (docs/policy.md): send or hold, what and where, when, and whether to withhold it.

Every stage is drawn, whatever the one before says: a hold's record shows what would have gone, and all
probabilities. The loss budget is shared equally by the three stages that explore. A stage values an option by the
best that can follow it, so that the expected loss of the whole is at most the sum of the stages'.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Literal

from decisions.choosing.choice import explore, pick
from decisions.choosing.running import Option, Runner
from decisions.draws import uniform
from decisions.records import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from decisions.policy import Policy
    from decisions.records import Ask, Keys

EXPLORING_STAGES = 3
StageName = Literal["send_or_hold", "offer_channel", "slot_block", "holdback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was drawn: ``send`` is the first stage's word, ``withheld`` the last one's."""

    stages: tuple[Stage, ...]
    runner: Runner
    option: Option
    send: bool
    withheld: bool

    @property
    def best(self) -> bool:
        """Whether the best known option was drawn at every stage."""
        return all(
            stage.values[_place(stage)] == max(stage.values) for stage in self.stages if stage.name != "holdback"
        )

    @property
    def propensity(self) -> float:
        """P(the action taken): π(send a) = (1 − h)·q(a), π(hold) = q(hold) + h·Σ q(send)."""
        if self.send and not self.withheld:
            return prod(stage.probabilities[_place(stage)] for stage in self.stages)
        send, hold = self.stages[0].probabilities
        return hold + self.stages[-1].probabilities[1] * send


def choose(runners: Sequence[Runner], ask: Ask, policy: Policy, keys: Keys) -> Choice:
    """Draw among ``runners`` (not empty, the best first) and their options, exploring within the loss budget."""
    rule = policy.exploration
    scale = max(abs(runners[0].value), rule.stake)

    def draw(name: StageName, options: Sequence[str], values: Sequence[float]) -> Stage:
        budget = rule.loss_budget / EXPLORING_STAGES
        chances = explore(values, scale=scale, budget=budget, floor=rule.floor)
        return _drawn(name, options, values, chances, uniform(keys.exploration, name, *_who(ask)))

    first = draw("send_or_hold", ("send", "hold"), (runners[0].value, 0.0))
    second = draw("offer_channel", [each.name for each in runners], [each.value for each in runners])
    runner = runners[second.options.index(second.chosen)]
    third = draw("slot_block", [each.block for each in runner.options], [each.value for each in runner.options])
    option = runner.options[third.options.index(third.chosen)]
    last = _holdback(option.value, policy.holdback.share, uniform(keys.holdback, "holdback", *_who(ask)))
    return Choice(
        stages=(first, second, third, last),
        runner=runner,
        option=option,
        send=first.chosen == "send",
        withheld=last.chosen == "withhold",
    )


def take(runners: Sequence[Runner]) -> Choice:
    """Take the first of ``runners`` with certainty: purposes that are neither explored nor held back."""
    runner = runners[0]
    option = runner.options[0]
    names, values = [each.name for each in runners], [each.value for each in runners]
    certain = (1.0, *[0.0] * (len(names) - 1))
    return Choice(
        stages=(
            _drawn("send_or_hold", ("send", "hold"), (runner.value, 0.0), (1.0, 0.0), 0.0),
            _drawn("offer_channel", names, values, certain, 0.0),
            _drawn("slot_block", [option.block], [option.value], (1.0,), 0.0),
            _holdback(option.value, 0.0, 0.0),
        ),
        runner=runner,
        option=option,
        send=True,
        withheld=False,
    )


def _holdback(value: float, share: float, at: float) -> Stage:
    return _drawn("holdback", ("send", "withhold"), (value, 0.0), (1.0 - share, share), at)


def _drawn(
    name: StageName, options: Sequence[str], values: Sequence[float], chances: Sequence[float], at: float
) -> Stage:
    chosen = options[pick(chances, at)]
    return Stage(
        name=name, options=tuple(options), values=tuple(values), probabilities=tuple(chances), chosen=chosen
    )


def _place(stage: Stage) -> int:
    return stage.options.index(stage.chosen)


def _who(ask: Ask) -> tuple[str, str]:
    return ask.request_id, ask.customer_id
