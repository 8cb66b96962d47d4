"""What a policy is worth: true expected incremental margin against never messaging, in euros per customer.

Two parts. ``first`` are days 0 to 60 (the last one excluded): the sum of each day's ``Account.value``, in which
churn caused by messages counts at the customer's lifetime margin. ``later`` are days 60 to 180. For a play of 60
days it is the continuation: what the state that the policy leaves (who is still a customer, can be reached on
which channel, how pressed everybody is) is worth from day 60 to day 180 in one reference hand, the planning
oracle's value function, less what an untouched state is worth the same way: the same people with the same
unprovoked churn, never messaged since day 0. So lost reach and pressure are paid for. For a play of 180 days
``later`` is measured: the accounts of days 60 to 180, and nothing is worth anything from day 180 on. The two are
different yardsticks: never mix them in a comparison.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulation.arena.playing import play
from simulation.horizon import FIRST, LATER
from simulation.oracles.plan import Plan, Terms
from simulation.oracles.strategies import Hold

if TYPE_CHECKING:
    import pyarrow as pa

    from simulation.arena.opportunity import Opportunity
    from simulation.arena.playing import Played
    from simulation.world import World


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
    untouched: float

    @classmethod
    def of(cls, world: World, past: pa.Table, opportunity: Opportunity) -> Yardstick:
        """Return that of ``world``, which stands at day 0 after ``past`` and is left as it is."""
        terms = Terms(view=world.fork(), opportunity=opportunity, start=FIRST, until=LATER)
        plan = Plan.of(terms, world.state.reachable, keep=False)
        held = play(world.fork(), past, Hold(), opportunity, days=FIRST)
        return cls(plan, float(plan.value(held.world.state).mean()))

    def continuation(self, world: World) -> float:
        """Return what ``world`` as it stands at day 60 is worth later, against never having messaged."""
        return float(self.plan.value(world.state).mean()) - self.untouched


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
