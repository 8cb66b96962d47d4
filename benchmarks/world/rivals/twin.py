"""Kairos's rule inside the arena, on what Kairos's own models said; with one axis swapped, a rival on that axis.

    V = τ · m · h − send cost − incentive · P(redeem) − loss(level)

for every offer, channel and hour that is free, the level being the messages in the seven days up to the hour.
The best is sent if V > 0; nothing is explored and nothing held back. That this is the rule of
``decisions.decide`` is a test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.world.rivals.frequency import Above
from benchmarks.world.rivals.journal import Journal
from benchmarks.world.rivals.pages import Page, read_curve
from benchmarks.world.rivals.scene import Answers, Scene, best_channel, best_hour, picked
from simulation.arena.playing import Wanted
from simulation.shop import CHANNELS, OFFERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from benchmarks.world.rivals.facts import Facts
    from benchmarks.world.rivals.scene import ChannelRule, Frequency, OfferRule, Timing
    from decisions.records import Scores
    from simulation.arena.playing import Asked

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_WEEK = 7
_BY_NAME = np.argsort([offer.offer_id for offer in OFFERS])
"""Of equal candidates the first by name is taken; channels stand by name already."""


class Twin:
    """Kairos, or Kairos with the rule of a rival on some axes.

    ``pages`` are Kairos's scores by day; the latest not after today holds. A rival's ``timing`` fixes the hour
    (m = 1), its ``channel`` and ``offer`` fix what is sent; the values of the rest stay Kairos's. A rival's
    ``frequency`` stands in for V > 0 and for what fatigue costs.
    """

    def __init__(
        self,
        pages: Mapping[int, Sequence[Scores]],
        facts: Facts,
        *,
        timing: Timing | None = None,
        channel: ChannelRule | None = None,
        offer: OfferRule | None = None,
        frequency: Frequency | None = None,
    ) -> None:
        self._pages = pages
        self._facts = facts
        self._journal = Journal()
        self._timing = timing
        self._channel = channel
        self._offer = offer
        self._frequency = frequency
        self._read: tuple[int, Page] | None = None

    def hear(self, events: pa.Table, day: int) -> None:  # noqa: ARG002 - the events carry their moments
        """Take the events."""
        self._journal.hear(events)

    def answers(self, asked: Asked) -> Answers:
        """Return the best of each customer, whatever it is worth; ranked by V."""
        scene = Scene.of(self._facts, self._journal, asked)
        offer, channel, hour, value = _best(self._values(scene))
        keen = (self._frequency or Above()).keen(scene, scene.moments[hour], value)
        row = np.flatnonzero(value > -np.inf)
        wanted = Wanted(row, offer[row], channel[row], hour[row])
        return Answers(wanted, value[row], np.zeros(len(row)), keen[row])

    def choose(self, asked: Asked) -> Wanted:
        """Return those of the answers that are to go."""
        found = self.answers(asked)
        return found.only(found.keen)

    def page(self, day: int) -> Page:
        """Return what holds on ``day``.

        Raises:
            ValueError: where there is nothing yet.
        """
        latest = max((known for known in self._pages if known <= day), default=None)
        if latest is None:
            raise ValueError(f"day {day} has no scores: pages begin on day {min(self._pages, default=None)}")
        if self._read is None or self._read[0] != latest:
            self._read = latest, Page.of(self._pages[latest], self._facts.size)
        return self._read[1]

    def _values(self, scene: Scene) -> Floats:
        """Return V of (people, offers, channels, hours); −∞ where it may not be."""
        page, who = self.page(scene.asked.day), scene.asked.who
        hourly = read_curve(page.hourly[who], scene.slot, scene.passed)
        gain = page.tau[who][..., None] * self._multiplier(scene, page)[:, None] * hourly[:, :, None]
        each = self._facts.cost + self._facts.incentive[:, None] * page.redeem[who]
        value = gain - each[..., None] - self._fatigue(scene, page)[:, None]
        free = scene.asked.free[:, None, None, :] & scene.asked.reachable[:, None, :, None]
        return np.where(free & self._left(scene) & ~np.isnan(value), value, -np.inf)

    def _multiplier(self, scene: Scene, page: Page) -> Floats:
        """Return m of (people, channels, hours); nan at hours that a rival's timing does not pick."""
        if self._timing is None:
            return read_curve(page.multiplier[scene.asked.who], scene.slot, scene.passed)
        hours = np.arange(scene.slot.shape[1])
        picks = [
            best_hour(scene, self._timing.prefer(scene, np.full(scene.size, each)))
            for each in range(len(CHANNELS))
        ]
        return np.where(np.stack(picks, axis=1)[..., None] == hours, 1.0, np.nan)

    def _fatigue(self, scene: Scene, page: Page) -> Floats:
        """Return the loss of (people, channels, hours)."""
        if self._frequency is not None:
            return np.zeros((1, 1, 1))
        level = scene.messages(np.broadcast_to(scene.moments, scene.slot.shape), _WEEK)
        level = np.minimum(level, page.loss.shape[2] - 1)
        return np.take_along_axis(page.loss[scene.asked.who], level[:, None, :], axis=2)

    def _left(self, scene: Scene) -> NDArray[np.bool_]:
        """Return which (people, offers, channels, 1) the rivals' channel and offer rules leave."""
        left = np.ones((scene.size, len(OFFERS), len(CHANNELS), 1), dtype=np.bool_)
        if self._channel is not None:
            pick = best_channel(scene, self._channel.score(scene))
            left &= (pick[:, None] == np.arange(len(CHANNELS)))[:, None, :, None]
        if self._offer is not None:
            for each in range(len(CHANNELS)):
                pick = self._offer.score(scene, np.full(scene.size, each)).argmax(axis=1)
                left[:, :, each] &= (pick[:, None] == np.arange(len(OFFERS)))[..., None]
        return left


def _best(value: Floats) -> tuple[Ints, Ints, Ints, Floats]:
    """Return offer, channel, hour and value of each one's best; of equal ones the first by name, then by time."""
    flat = value[:, _BY_NAME].reshape(len(value), -1)
    place = flat.argmax(axis=1)
    offer, channel, hour = np.unravel_index(place, value.shape[1:])
    return _BY_NAME[offer], channel, hour, picked(flat, place)
