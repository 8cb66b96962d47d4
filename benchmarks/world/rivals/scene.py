"""What a rival looks at when it is asked, the four axes it is made of, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from benchmarks.world.rivals.facts import Facts
from benchmarks.world.rivals.journal import Journal
from simulation.arena.playing import Asked, Wanted
from simulation.calendar import DAY, HOUR

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The questions of one day with what is known.

    ``moments`` are the middles of the asked hours in seconds; ``slot`` (people, hours) is the hour of each
    person's local week then, ``passed`` the share of it that is gone (not half where clocks differ by half hours).
    """

    facts: Facts
    journal: Journal
    asked: Asked
    moments: Ints
    slot: Ints
    passed: Floats

    @classmethod
    def of(cls, facts: Facts, journal: Journal, asked: Asked) -> Self:
        """Put clocks on what is ``asked``."""
        moments = facts.calendar.midnight(asked.day) + np.arange(asked.free.shape[1]) * HOUR + HOUR // 2
        zone = facts.zone[asked.who][:, None]
        passed = facts.calendar.local(zone, moments[None, :]) % HOUR / HOUR
        return cls(facts, journal, asked, moments, facts.calendar.slot(zone, moments[None, :]), passed)

    @property
    def now(self) -> int:
        """The moment of the questions."""
        return self.facts.calendar.midnight(self.asked.day)

    @property
    def size(self) -> int:
        """How many are asked about."""
        return len(self.asked.who)

    def messages(self, moments: Ints, days: int) -> Ints:
        """Return how many messages (people, k) each got in the ``days`` days up to ``moments``, themselves in."""
        place = np.full(self.facts.size, -1)
        place[self.asked.who] = np.arange(self.size)
        sent = self.journal.of("sent").within(int(moments.min(initial=self.now)) - days * DAY, self.now)
        sent = sent.take(place[sent.who] >= 0)
        row = place[sent.who]
        since = moments[row] - sent.at[:, None]
        message, hour = np.nonzero((since >= 0) & (since < days * DAY))
        wide = moments.shape[1]
        count = np.bincount(row[message] * wide + hour, minlength=moments.size)
        return count.reshape(moments.shape)


class Timing(Protocol):
    """The axis of hours."""

    def prefer(self, scene: Scene, channel: Ints) -> Floats:
        """Return (people, hours): the higher, the rather, for a message on each one's ``channel``."""
        ...


class ChannelRule(Protocol):
    """The axis of channels."""

    def score(self, scene: Scene) -> Floats:
        """Return (people, channels): the higher, the rather."""
        ...


class OfferRule(Protocol):
    """The axis of offers."""

    def score(self, scene: Scene, channel: Ints) -> Floats:
        """Return (people, offers): the higher, the rather, for a message on each one's ``channel``."""
        ...


class Frequency(Protocol):
    """The axis of volume."""

    def keen(self, scene: Scene, moment: Ints, score: Floats) -> Flags:
        """Return who is to get their message, which would go at ``moment`` and is thought ``score`` worth."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Every answer that is permitted: what would go, how much it is liked, and whether it is to go at all.

    ``score`` is what a rival ranks by, ``tie`` decides among equal scores; both the higher, the rather.
    """

    wanted: Wanted
    score: Floats
    tie: Floats
    keen: Flags

    def best_first(self) -> Ints:
        """Return the answers' places, those that are to go before the others, and the most liked first."""
        return np.lexsort((-self.tie, -self.score, ~self.keen))

    def only(self, rows: NDArray[np.generic]) -> Wanted:
        """Return what the answers at ``rows`` (places or flags) want."""
        wanted = self.wanted
        return Wanted(wanted.row[rows], wanted.offer[rows], wanted.channel[rows], wanted.hour[rows])


class Rival(Protocol):
    """A strategy that shows what it would rather do."""

    def hear(self, events: pa.Table, day: int) -> None:
        """Take the events that arrived on ``day``."""
        ...

    def answers(self, asked: Asked) -> Answers:
        """Return every permitted answer."""
        ...

    def choose(self, asked: Asked) -> Wanted:
        """Return those of the answers that are to go."""
        ...


def best_hour(scene: Scene, preference: Floats) -> Ints:
    """Return the hour that each likes best among those that are free; of equal ones the first."""
    hour: Ints = np.where(scene.asked.free, preference, -np.inf).argmax(axis=1)
    return hour


def best_channel(scene: Scene, score: Floats) -> Ints:
    """Return the channel that is best for each among those that may be used."""
    channel: Ints = np.where(scene.asked.reachable, score, -np.inf).argmax(axis=1)
    return channel


def possible(scene: Scene) -> Ints:
    """Return the rows of those who may get anything at all."""
    return np.flatnonzero(scene.asked.free.any(axis=1) & scene.asked.reachable.any(axis=1))


def picked(table: Floats, place: Ints) -> Floats:
    """Return the entry at ``place`` of each row."""
    return np.take_along_axis(table, place[:, None], axis=1)[:, 0]
