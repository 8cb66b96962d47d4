"""What follows a play, at the price the score charges: the planning oracle's, who knows everybody's truth.

The score of a play of 60 days counts what the state it leaves is worth in that hand (:mod:`simulation.score`). Who
plays by the log would get less out of it, and would wear people out and lose them too cheaply at a price of its
own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulation.draws import Draws
from simulation.horizon import FIRST, LATER
from simulation.oracles.plan import Plan, Terms, sets
from simulation.people.population import people
from simulation.shop import CHANNELS
from simulation.world import World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.arena.opportunity import Opportunity
    from simulation.family import Family
    from simulation.oracles.plan import Values

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_COARSE = (0.0, 1.3, 4.0)
"""Pressures that tell one rested person's worth closely enough."""


def everybody(family: Family, opportunity: Opportunity, *, size: int) -> Values:
    """Return the mean over ``size`` people of ``family``: (pressures, last, one before, sets of all channels)."""
    draws = Draws("hereafter", 0)
    view = World(family, people(family, draws, size), draws, history=0)
    terms = Terms(view=view, opportunity=opportunity, start=FIRST, until=LATER)
    plan = Plan.of(terms, np.ones((size, len(CHANNELS)), dtype=np.bool_), keep=False)
    values: Values = np.concatenate([group.values[group.days[0]] for group in plan.groups]).mean(axis=0)
    return values


def relative(view: World, opportunity: Opportunity, reachable: Flags, mean: Values) -> Floats:
    """Return what each one of ``view``, rested and ``reachable``, is worth, relative to the ``mean`` of such.

    Who can be reached nowhere is worth as much as the mean: nothing.
    """
    terms = Terms(view=view, opportunity=opportunity, start=FIRST, until=LATER, grid=_COARSE)
    # All sets of channels at once, so that people fall into few groups.
    plan = Plan.of(terms, np.ones_like(reachable), keep=False)
    worth = np.ones(len(reachable))
    for group in plan.groups:
        mine = sets(group, reachable)
        rested = group.values[group.days[0]][np.arange(len(mine)), 0, 0, 0, mine]
        worth[group.who] = np.divide(rested, mean[0, 0, 0, mine], out=np.ones(len(mine)), where=mine > 0)
    return worth
