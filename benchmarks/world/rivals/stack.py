"""A rival put together from four rules, one for each axis, as marketing tools are configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.world.rivals.frequency import FirstCome
from benchmarks.world.rivals.journal import Journal
from benchmarks.world.rivals.scene import Answers, Scene, best_channel, best_hour, picked, possible
from simulation.arena.playing import Wanted

if TYPE_CHECKING:
    import pyarrow as pa

    from benchmarks.world.rivals.facts import Facts
    from benchmarks.world.rivals.scene import ChannelRule, Frequency, OfferRule, Timing
    from simulation.arena.playing import Asked


class Stack:
    """Channel first, then the offer for it, then the hour for it, then whether at all.

    It ranks by the offer's score, and among equals by the channel's.
    """

    def __init__(
        self,
        facts: Facts,
        *,
        timing: Timing,
        channel: ChannelRule,
        offer: OfferRule,
        frequency: Frequency | None = None,
    ) -> None:
        self._facts = facts
        self._journal = Journal()
        self._timing = timing
        self._channel = channel
        self._offer = offer
        self._frequency = frequency or FirstCome()

    def hear(self, events: pa.Table, day: int) -> None:  # noqa: ARG002 - the events carry their moments
        """Take the events."""
        self._journal.hear(events)

    def answers(self, asked: Asked) -> Answers:
        """Return every permitted answer."""
        scene = Scene.of(self._facts, self._journal, asked)
        liked = self._channel.score(scene)
        channel = best_channel(scene, liked)
        worth = self._offer.score(scene, channel)
        offer = worth.argmax(axis=1)
        hour = best_hour(scene, self._timing.prefer(scene, channel))
        score = picked(worth, offer)
        keen = self._frequency.keen(scene, scene.moments[hour], score)
        row = possible(scene)
        wanted = Wanted(row, offer[row], channel[row], hour[row])
        return Answers(wanted, score[row], picked(liked, channel)[row], np.asarray(keen)[row])

    def choose(self, asked: Asked) -> Wanted:
        """Return those of the answers that are to go."""
        found = self.answers(asked)
        return found.only(found.keen)
