"""Hours by rules that look at everybody or at one person's own past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.world.rivals.facts import chance
from simulation.calendar import DAY, WEEK_HOURS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.world.rivals.journal import Events
    from benchmarks.world.rivals.scene import Scene

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

REACTIONS = ("opened", "clicked")
EVIDENCE = (*REACTIONS, "session")
_DAY_HOURS = 24


class Soonest:
    """The first hour at which it may go."""

    def prefer(self, scene: Scene, channel: Ints) -> Floats:  # noqa: ARG002 - whatever the channel
        """Return the sooner, the rather."""
        hours = scene.asked.free.shape[1]
        return np.broadcast_to(-np.arange(hours, dtype=np.float64), (scene.size, hours))


@dataclass(frozen=True, slots=True)
class RandomHour:
    """Any hour, drawn anew for each customer and day."""

    seed: int

    def prefer(self, scene: Scene, channel: Ints) -> Floats:  # noqa: ARG002 - whatever the channel
        """Return draws."""
        hours = scene.asked.free.shape[1]
        drawn = chance(self.seed, "random hour", scene.asked.day).random((scene.facts.size, hours))
        return drawn[scene.asked.who]


class BestGlobalHour:
    """The hour of the local day at which everybody together opens, clicks and visits most."""

    def prefer(self, scene: Scene, channel: Ints) -> Floats:  # noqa: ARG002 - whatever the channel
        """Return everybody's share of each hour."""
        everybody = by_hour(scene, scene.journal.human(*EVIDENCE), _DAY_HOURS).sum(axis=0)
        return shares(everybody)[scene.slot % _DAY_HOURS]


class RawBestHour:
    """The hour of the local day at which the person opens, clicks and visits most, however little is known.

    Everybody's hours decide among equal ones.
    """

    def prefer(self, scene: Scene, channel: Ints) -> Floats:  # noqa: ARG002 - whatever the channel
        """Return the person's counts, and everybody's shares, which are below 1, on top."""
        counts = by_hour(scene, scene.journal.human(*EVIDENCE), _DAY_HOURS)
        liked = counts[scene.asked.who] + shares(counts.sum(axis=0))
        return np.take_along_axis(liked, scene.slot % _DAY_HOURS, axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """The person's own hours blended with everybody's, as a Dirichlet posterior mean.

    ``days`` of events of ``kinds`` count, by ``cells`` hours of the local day (24) or week (168). Everybody's
    curve weighs as much as ``cells`` events of the person: one pseudo-event an hour. With ``by_channel`` only
    what the person did on the message's channel is their own. A ``share`` of messages goes at a random hour.
    """

    kinds: tuple[str, ...]
    days: int
    cells: int
    by_channel: bool = False
    share: float = 0.0
    seed: int = 0

    def prefer(self, scene: Scene, channel: Ints) -> Floats:
        """Return the blended share of each hour, or draws for the few who explore."""
        events = scene.journal.human(*self.kinds).within(scene.now - self.days * DAY, scene.now)
        everybody = shares(by_hour(scene, events, self.cells).sum(axis=0))
        own = by_hour(scene, self._own(scene, events, channel), self.cells)[scene.asked.who]
        blend = (own + self.cells * everybody) / (own.sum(axis=1, keepdims=True) + self.cells)
        liked = np.take_along_axis(blend, scene.slot % self.cells, axis=1)
        return self._explored(scene, liked) if self.share else liked

    def _own(self, scene: Scene, events: Events, channel: Ints) -> Events:
        if not self.by_channel:
            return events
        theirs = np.full(scene.facts.size, -1)
        theirs[scene.asked.who] = channel
        return events.take(events.channel == theirs[events.who])

    def _explored(self, scene: Scene, liked: Floats) -> Floats:
        drawn = chance(self.seed, "shrunk hour", scene.asked.day)
        explores = drawn.random(scene.facts.size)[scene.asked.who] < self.share
        anything = drawn.random((scene.facts.size, liked.shape[1]))[scene.asked.who]
        return np.where(explores[:, None], anything, liked)


def adobe(seed: int) -> Shrunk:
    """Return Adobe Journey Optimizer's: 168 hours, 16 weeks of opens and clicks by channel, 5% at random."""
    return Shrunk(kinds=REACTIONS, days=112, cells=WEEK_HOURS, by_channel=True, share=0.05, seed=seed)


def airship() -> Shrunk:
    """Return Airship's: 60 days of app opens on the person's own clock, balanced with the whole audience's hours.

    https://www.airship.com/docs/guides/features/intelligence-ai/predictive/optimal-send-time/
    """
    return Shrunk(kinds=("session",), days=60, cells=WEEK_HOURS)


def by_hour(scene: Scene, events: Events, cells: int) -> Floats:
    """Return (all customers, ``cells``): how many of ``events`` fall into each hour of the local day or week."""
    cell = scene.facts.slot(events.who, events.at) % cells
    size = scene.facts.size
    counts = np.bincount(events.who * cells + cell, minlength=size * cells)
    return counts.reshape(size, cells).astype(np.float64)


def shares(counts: Floats) -> Floats:
    """Return ``counts`` as shares of all, with one more in each cell so that none is ruled out."""
    part: Floats = (counts + 1) / (counts + 1).sum()
    return part
