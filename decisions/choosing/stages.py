"""The choice in stages (docs/policy.md): send or hold, what and where, when, and whether to withhold it.

Every stage of a road is drawn, whatever the one before says: a hold's record shows what would have gone, and all
probabilities. The loss budget is shared equally by the stages that explore: three, or four where a reserved place
is at stake. A stage values an option by the best that can follow it, so that the expected loss of the whole is at
most the sum of the stages'.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from decisions.choosing.choice import explore, pick
from decisions.choosing.running import Option, Runner
from decisions.draws import uniform
from decisions.records import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from decisions.policy import Policy
    from decisions.records import Ask, Keys, StageName

EXPLORING_STAGES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was drawn: ``send`` is the first stage's word, ``withheld`` the last one's.

    ``road`` is the stage before all others where a reserved place was at stake (``displacing``).
    """

    stages: tuple[Stage, ...]
    runner: Runner
    option: Option
    send: bool
    withheld: bool
    road: Stage | None = None

    @property
    def drawn(self) -> tuple[Stage, ...]:
        """Every stage, in order."""
        return (self.road, *self.stages) if self.road else self.stages

    @property
    def best(self) -> bool:
        """Whether the best known option was drawn at every stage."""
        return all(
            stage.values[_place(stage)] == max(stage.values) for stage in self.drawn if stage.name != "holdback"
        )

    @property
    def propensity(self) -> float:
        """P(the action taken): π(send a) = (1 − h)·q(a), π(hold) = q(hold) + h·Σ q(send), on this road."""
        if self.send and not self.withheld:
            return prod(chance_of(stage) for stage in self.drawn)
        send, hold = self.stages[0].probabilities
        return (chance_of(self.road) if self.road else 1.0) * (hold + self.stages[-1].probabilities[1] * send)


class Draws:
    """The draws of one question: ``sharing`` stages share the loss budget, scaled by ``top``, the best value."""

    def __init__(self, ask: Ask, policy: Policy, keys: Keys, *, top: float, sharing: int) -> None:
        self._rule = policy.exploration
        self._scale = max(abs(top), self._rule.stake)
        self._budget = self._rule.loss_budget / sharing
        self._ask = ask
        self._keys = keys

    def stage(self, name: StageName, options: Sequence[str], values: Sequence[float]) -> Stage:
        """Draw one of ``options``."""
        chances = explore(values, scale=self._scale, budget=self._budget, floor=self._rule.floor)
        return _drawn(name, options, values, chances, uniform(self._keys.exploration, name, *_who(self._ask)))

    def message(self, runners: Sequence[Runner]) -> tuple[tuple[Stage, Stage], Runner, Option]:
        """Draw offer and channel, then the block of hours."""
        first = self.stage("offer_channel", [each.name for each in runners], [each.value for each in runners])
        runner = runners[_place(first)]
        options = runner.options
        second = self.stage("slot_block", [each.block for each in options], [each.value for each in options])
        return (first, second), runner, options[_place(second)]


def choose(
    runners: Sequence[Runner], ask: Ask, policy: Policy, keys: Keys, *, road: Stage | None = None
) -> Choice:
    """Draw among ``runners`` (not empty, the best first) and their options, exploring within the loss budget."""
    sharing = EXPLORING_STAGES + (road is not None)
    draws = Draws(ask, policy, keys, top=runners[0].value, sharing=sharing)
    first = draws.stage("send_or_hold", ("send", "hold"), (runners[0].value, 0.0))
    message, runner, option = draws.message(runners)
    last = _holdback(option.value, policy.holdback.share, uniform(keys.holdback, "holdback", *_who(ask)))
    return Choice(
        stages=(first, *message, last),
        runner=runner,
        option=option,
        send=first.chosen == "send",
        withheld=last.chosen == "withhold",
        road=road,
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


def chance_of(stage: Stage) -> float:
    """Return the probability of what was drawn."""
    return stage.probabilities[_place(stage)]


def _place(stage: Stage) -> int:
    return stage.options.index(stage.chosen)


def _who(ask: Ask) -> tuple[str, str]:
    return ask.request_id, ask.customer_id
