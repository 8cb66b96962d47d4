"""One world at day 0, from which everybody sets out: the same people, history, questions and draws."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from benchmarks.world.units import Unit
from simulation.arena.opportunity import Opportunity
from simulation.arena.playing import play
from simulation.families import FAMILIES
from simulation.horizon import FIRST, LATER
from simulation.oracles import upper_bound
from simulation.score import Yardstick, score
from simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from simulation.account import Account
    from simulation.arena.playing import Played, Strategy
    from simulation.score import Score


@dataclass
class Stage:
    """What all policies of a unit share. ``seconds`` fill with what each part took."""

    unit: Unit
    world: World
    past: pa.Table
    opportunity: Opportunity
    yardstick: Yardstick
    seconds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, unit: Unit) -> Stage:
        """Live through the history once and take the measure of what comes after."""
        begin, opportunity = time.monotonic(), Opportunity()
        world = World.of(FAMILIES[unit.family], customers=unit.customers, seed=unit.seed)
        past = pa.concat_tables([day.events for day in world.past()])
        yardstick = Yardstick.of(world, past, opportunity)
        return cls(unit, world, past, opportunity, yardstick, {"history": time.monotonic() - begin})

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Count what is done inside to ``part``."""
        begin = time.monotonic()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + time.monotonic() - begin

    def play(self, strategy: Strategy, *, days: int | None = None) -> Played:
        """Let a strategy play in a fork of the world, for as long as the unit says unless ``days`` are given."""
        return self._played(self.world.fork(), strategy, days)

    def told(self, oracle: Callable[[World, Opportunity], Strategy]) -> Played:
        """Let an oracle play that sees the very world it plays in."""
        world = self.world.fork()
        return self._played(world, oracle(world, self.opportunity), None)

    def _played(self, world: World, strategy: Strategy, days: int | None) -> Played:
        return play(world, self.past, strategy, self.opportunity, days=days or self.unit.days)

    def score(self, played: Played) -> Score:
        """Return what a play was worth, in euros per customer."""
        return score(played, self.yardstick)

    def bound(self) -> float:
        """Return what no policy's score exceeds in expectation.

        Days 0 to 180 together, less what a score of 60 days takes off: the later worth of the untouched.
        """
        whole = upper_bound(self.world, self.opportunity, until=LATER)
        return whole - self.yardstick.untouched if self.unit.days == FIRST else whole

    def row(self, played: Played, table: str, *, axis: str | None = None, volume: str = "free") -> dict[str, Any]:
        """Return a policy's line of the record."""
        worth, account = self.score(played), played.account
        return {
            "table": table,
            "axis": axis,
            "volume": volume,
            "first": worth.first,
            "later": worth.later,
            "value": worth.total,
            "sent": account.sent,
            "unsubscribed": account.unsubscribed,
        }

    def own_hand(self, whole: Played) -> dict[str, float]:
        """Return what a play of the whole time was worth: what comes after the first part is the policy's own."""
        worth = self.score(whole)
        return {"own_later": worth.later, "own_value": worth.total}


def parts(worth: Score) -> dict[str, float | None]:
    """Return a score as plain numbers."""
    return {"first": worth.first, "later": worth.later, "total": worth.total}


def volumes(days: Sequence[Account]) -> list[int]:
    """Return how many messages went out on each day: what a rival may send for an equal volume."""
    return [day.sent for day in days]
