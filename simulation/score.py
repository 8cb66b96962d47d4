"""What a policy is worth: true expected incremental margin against never messaging, in euros per customer.

Two parts. ``first`` are days 0 to 60 (the last one excluded): the sum of each day's ``Account.value``, in which
churn caused by messages counts at the margin of the year ahead. ``later`` are days 60 to 180. For a play of 60
days it is the continuation: what the state that the policy leaves (who is still a customer, can be reached on
which channel, how pressed everybody is) is worth from day 60 to day 180 in one reference hand, the planning
oracle's value function, less what an untouched state is worth the same way: the same people with the same
unprovoked churn, never messaged since day 0. So lost reach and pressure are paid for. For a play of 180 days
``later`` is measured: the accounts of days 60 to 180, and nothing is worth anything from day 180 on. The two are
different yardsticks: never mix them in a comparison.

Channels and customers that messages lose before day 60 count with each message's chance to lose them, not as they
were drawn: some twenty unsubscribes a world would otherwise decide between policies. Drawn losses less the chances
of the messages that went out are a martingale, so both have the same mean; losses on several channels are added,
which is exact to first order in chances of a few percent.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simulation.arena.playing import play
from simulation.horizon import FIRST, LATER
from simulation.oracles.plan import Plan, Terms
from simulation.oracles.strategies import Hold
from simulation.state import State

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from simulation.arena.opportunity import Opportunity
    from simulation.arena.playing import Played
    from simulation.world import World

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Score:
    """Euros per customer, by part."""

    first: float
    later: float

    @property
    def total(self) -> float:
        """Both parts."""
        return self.first + self.later


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What states at day 60 of one world are worth, and what the untouched one is, in euros per customer."""

    plan: Plan
    begin: State
    """As it was on day 0."""
    spared: Flags
    """Who is still a customer at day 60 if no message drives them off."""
    untouched: float

    @classmethod
    def of(cls, world: World, past: pa.Table, opportunity: Opportunity) -> Yardstick:
        """Return that of ``world``, which stands at day 0 after ``past`` and is left as it is."""
        terms = Terms(view=world.fork(), opportunity=opportunity, start=FIRST, until=LATER)
        plan = Plan.of(terms, world.state.reachable, keep=False)
        held = play(world.fork(), past, Hold(), opportunity, days=FIRST).world.state
        return cls(plan, deepcopy(world.state), held.active, float(plan.value(held).mean()))

    def continuation(self, world: World) -> float:
        """Return what ``world`` as it stands at day 60 is worth later, against never having messaged."""
        state = replace(world.state, reachable=self.begin.reachable, active=self.spared)
        whole = self.plan.value(state)
        ends, losses = state.ends - self.begin.ends, state.losses - self.begin.losses
        left = whole - sum(ends[:, each] * (whole - self._without(state, each)) for each in range(ends.shape[1]))
        return float(((1 - losses) * left).mean()) - self.untouched

    def _without(self, state: State, channel: int) -> Floats:
        reachable = state.reachable.copy()
        reachable[:, channel] = False
        return self.plan.value(replace(state, reachable=reachable))


def score(played: Played, yardstick: Yardstick) -> Score:
    """Return what a play of 60 or 180 days in the yardstick's world was worth.

    Raises:
        ValueError: for a play of another length.
    """
    days = len(played.days)
    if days not in (FIRST, LATER):
        raise ValueError(f"a play of {days} days has no score: play {FIRST} days or {LATER}")
    size = played.world.state.size
    first = sum(day.value for day in played.days[:FIRST]) / size
    if days == FIRST:
        return Score(first, yardstick.continuation(played.world))
    return Score(first, sum(day.value for day in played.days[FIRST:]) / size)
