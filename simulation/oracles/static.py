"""The floor: the better of never messaging and the best static policy, tuned on other worlds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from simulation import facts
from simulation import score as scoring
from simulation.arena.opportunity import NEVER, Opportunity
from simulation.arena.playing import Wanted, play
from simulation.calendar import DAY, HOUR
from simulation.horizon import FIRST
from simulation.oracles.strategies import Hold
from simulation.shop import CHANNELS, OFFERS, ZONES
from simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulation.arena.playing import Asked, Strategy
    from simulation.calendar import Calendar
    from simulation.family import Family

    Ints = NDArray[np.int64]

_HOURS = (9, 12, 15, 18, 20)
_INTERVALS = (3, 4, 7, 14, 28)
_MIDDLE = (15, 7)
"""Hour and interval at which offers and channels are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Static:
    """One offer, on one channel, at one local ``hour``, every so many days, for everybody; 0 days: never."""

    offer: int = 0
    channel: int = 0
    hour: int = 0
    every_days: int = 0

    def strategy(self, customers: pa.Table, calendar: Calendar) -> Strategy:
        """Return it as a strategy for ``customers`` (:func:`simulation.facts.customers`)."""
        return _Standing(self, _zones(customers), calendar) if self.every_days else Hold()


class _Standing:
    """Plays a static policy. Where the zone is unknown, or the hour is not free, the day's nearest free hour."""

    def __init__(self, static: Static, zone: Ints, calendar: Calendar) -> None:
        self._static = static
        self._zone = zone
        self._calendar = calendar
        self._last = np.full(len(zone), NEVER)

    def hear(self, events: pa.Table, day: int) -> None:
        """Need nothing: it knows what it sent."""

    def choose(self, asked: Asked) -> Wanted:
        """Answer with the first day of the question on which the next message is due."""
        static, who = self._static, asked.who
        moments = self._calendar.midnight(asked.day) + np.arange(asked.free.shape[1]) * HOUR + HOUR // 2
        zone = self._zone[who][:, None]
        hour = self._calendar.local(zone, np.broadcast_to(moments, asked.free.shape)) // HOUR % 24
        due = asked.free & (moments >= self._last[who][:, None] + static.every_days * DAY - DAY // 2)
        far = np.abs(hour - static.hour) + 24 * (np.arange(asked.free.shape[1]) // 24)
        cost = np.where(due, far, np.iinfo(np.int64).max)
        row = np.flatnonzero(due.any(axis=1) & asked.reachable[:, static.channel])
        best = cost.argmin(axis=1)[row]
        self._last[who[row]] = moments[best]
        same = np.ones(len(row), dtype=np.int64)
        return Wanted(row, same * static.offer, same * static.channel, best)


def _zones(customers: pa.Table) -> Ints:
    """Return each customer's zone as far as it is known; elsewhere the first, in which most live."""
    known = customers["time_zone"].to_pylist()
    return np.array([ZONES.index(zone) if zone else 0 for zone in known])


@dataclass(frozen=True, slots=True)
class _Trial:
    """A world to tune in."""

    world: World
    past: pa.Table
    yardstick: scoring.Yardstick
    customers: pa.Table
    opportunity: Opportunity

    @classmethod
    def of(cls, family: Family, opportunity: Opportunity, *, seed: int, customers: int) -> _Trial:
        world = World.of(family, customers=customers, seed=seed)
        known = facts.customers(world)
        past = pa.concat_tables([day.events for day in world.past()])
        return cls(world, past, scoring.Yardstick.of(world, past, opportunity), known, opportunity)

    def value(self, static: Static) -> float:
        strategy = static.strategy(self.customers, self.world.calendar)
        played = play(self.world.fork(), self.past, strategy, self.opportunity, days=FIRST)
        return scoring.score(played, self.yardstick).total


def best_static(family: Family, opportunity: Opportunity, seeds: Sequence[int], customers: int) -> Static:
    """Return the static policy that is best in worlds of ``seeds``, to be others than those it is used in.

    What is best is looked for one thing after the other: offer and channel together, then the interval, then the
    hour. The score is the total of a play of 60 days (:mod:`simulation.score`). Where nothing beats never
    messaging, that is returned.
    """
    trials = [_Trial.of(family, opportunity, seed=seed, customers=customers) for seed in seeds]

    @cache
    def value(static: Static) -> float:
        return sum(trial.value(static) for trial in trials)

    hour, every = _MIDDLE
    pairs = product(range(len(OFFERS)), range(len(CHANNELS)))
    plain = [Static(offer=offer, channel=channel, hour=hour, every_days=every) for offer, channel in pairs]
    paced = [replace(max(plain, key=value), every_days=days) for days in _INTERVALS]
    timed = [replace(max(paced, key=value), hour=each) for each in _HOURS]
    return max([Static(), *timed], key=value)
