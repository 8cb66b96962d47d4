"""Channels by the ratio of messages answered, as Braze's Intelligent Channel and Iterable rank them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.world.rivals.timing import REACTIONS
from simulation.calendar import DAY
from simulation.shop import CHANNELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.world.rivals.journal import Events
    from benchmarks.world.rivals.scene import Scene

    Floats = NDArray[np.float64]

_SIX_MONTHS = 182


@dataclass(frozen=True, slots=True)
class OpenRatio:
    """Messages opened or clicked, each counted once, over messages delivered, in six months.

    Ratios are believed of somebody who got at least ``least`` messages on each of at least two channels; of
    others, the channel used most comes first.
    https://www.braze.com/docs/user_guide/brazeai/intelligence/intelligent_channel
    """

    least: int = 3

    def score(self, scene: Scene) -> Floats:
        """Return ratios, or shares of messages where ratios cannot be told."""
        since = scene.now - _SIX_MONTHS * DAY
        delivered = scene.journal.of("delivered").within(since, scene.now)
        answered = delivered.take(delivered.followed_by(scene.journal.human(*REACTIONS)))
        got = _by_channel(scene, delivered)
        enough = got >= self.least
        ratio = np.where(enough, _by_channel(scene, answered) / np.maximum(got, 1), -1.0)
        who = scene.asked.who
        believed = enough.sum(axis=1) >= 2  # noqa: PLR2004 - a ratio alone compares with nothing
        return np.where(believed[:, None], ratio, _used(got))[who]


class MostUsed:
    """The channel on which the customer got most messages in six months."""

    def score(self, scene: Scene) -> Floats:
        """Return shares of messages."""
        delivered = scene.journal.of("delivered").within(scene.now - _SIX_MONTHS * DAY, scene.now)
        return _used(_by_channel(scene, delivered))[scene.asked.who]


def _used(got: Floats) -> Floats:
    """Return each one's shares of messages by channel; with none, everybody's decide."""
    everybody = got.sum(axis=0) / max(got.sum(), 1)
    used: Floats = (got + 0.01 * everybody) / (got.sum(axis=1, keepdims=True) + 0.01)
    return used


def _by_channel(scene: Scene, events: Events) -> Floats:
    size, wide = scene.facts.size, len(CHANNELS)
    counts = np.bincount(events.who * wide + events.channel, minlength=size * wide)
    return counts.reshape(size, wide).astype(np.float64)
