"""Small worlds of several families, as they stand at day 0, and plays in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa

from simulation import facts
from simulation.arena.opportunity import Opportunity
from simulation.arena.playing import Played, play
from simulation.families import FAMILIES
from simulation.oracles import Hold, Myopic, Planning
from simulation.world import World

if TYPE_CHECKING:
    from simulation.arena.playing import Strategy

OPPORTUNITY = Opportunity()
HISTORY = 30


@dataclass(frozen=True)
class Start:
    """A world at day 0 with its log so far."""

    world: World
    past: pa.Table
    customers: pa.Table

    def play(self, strategy: Strategy, *, days: int) -> Played:
        return play(self.world.fork(), self.past, strategy, OPPORTUNITY, days=days)

    def planned(self, *, days: int, until: int) -> Played:
        world = self.world.fork()
        return play(world, self.past, Planning(world, OPPORTUNITY, until), OPPORTUNITY, days=days)

    def myopic(self, *, days: int) -> Played:
        world = self.world.fork()
        return play(world, self.past, Myopic(world, OPPORTUNITY), OPPORTUNITY, days=days)

    def held(self, *, days: int) -> Played:
        return self.play(Hold(), days=days)


@cache
def start(family: str = "clusters", *, seed: int = 1, customers: int = 200, pull: float | None = None) -> Start:
    """One world of a family; ``pull`` sets how much its hours matter."""
    kind = FAMILIES[family]
    if pull is not None:
        kind = replace(kind, rhythm=replace(kind.rhythm, pull=pull))
    world = World.of(kind, customers=customers, seed=seed, history=HISTORY)
    known = facts.customers(world)
    past = pa.concat_tables([day.events for day in world.past()])
    return Start(world, past, known)
