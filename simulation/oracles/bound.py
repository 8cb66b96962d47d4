"""An upper bound on what any policy can be worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulation.oracles.plan import Plan, Terms
from simulation.state import State

if TYPE_CHECKING:
    from simulation.arena.opportunity import Opportunity
    from simulation.world import World


def upper_bound(world: World, opportunity: Opportunity, until: int = 180) -> float:
    """Return euros per customer, from today to day ``until``, that no policy exceeds in expectation.

    The plan of :class:`simulation.oracles.Planning` in a kinder world: pressure neither wears nor drives off,
    nobody unsubscribes or complains, no address dies, and everybody begins rested. In it every message earns at
    least what it earns in the world, and every state offers at least the same choices later; caps count days,
    not hours, which allows more than the rules do. By induction over the questions, from the last, no state is
    worth less.
    """
    terms = Terms(view=world, opportunity=opportunity, start=world.today, until=until, relaxed=True)
    state = State.fresh(world.people)
    state.active, state.reachable = world.state.active, world.state.reachable
    plan = Plan.of(terms, world.state.reachable, keep=False)
    return float(plan.value(state).mean())
