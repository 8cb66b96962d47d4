"""Offers without a model of the customer: one for all, or a bandit for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.world.rivals.facts import chance
from simulation.shop import OFFERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.world.rivals.journal import Events
    from benchmarks.world.rivals.scene import Scene

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


class BestSingle:
    """The offer whose messages were followed by most margin less incentives, the same for all."""

    def score(self, scene: Scene, channel: Ints) -> Floats:  # noqa: ARG002 - whatever the channel
        """Return euros by message, of everybody's past."""
        sent = np.bincount(scene.journal.of("sent").offer, minlength=len(OFFERS))
        bought = np.bincount(scene.journal.of("converted").offer, minlength=len(OFFERS))
        worth = bought / np.maximum(sent, 1) * scene.facts.gain
        return np.broadcast_to(worth, (scene.size, len(OFFERS)))


@dataclass(frozen=True, slots=True)
class Thompson:
    """Thompson sampling for each customer: a Beta posterior of P(click) by offer, drawn anew each day.

    Everybody's rate weighs as much as ``strength`` messages.
    """

    seed: int
    strength: float = 10.0

    def score(self, scene: Scene, channel: Ints) -> Floats:  # noqa: ARG002 - whatever the channel
        """Return drawn rates times margin less incentive."""
        delivered = scene.journal.of("delivered")
        clicked = delivered.take(delivered.followed_by(scene.journal.human("clicked")))
        shown, hits = _by_offer(scene, delivered), _by_offer(scene, clicked)
        rate = (hits.sum() + 1) / (shown.sum() + 2)
        drawn = chance(self.seed, "thompson", scene.asked.day)
        rates = drawn.beta(self.strength * rate + hits, self.strength * (1 - rate) + shown - hits)
        liked: Floats = rates[scene.asked.who] * scene.facts.gain
        return liked


def _by_offer(scene: Scene, events: Events) -> Floats:
    size, wide = scene.facts.size, len(OFFERS)
    counts = np.bincount(events.who * wide + events.offer, minlength=size * wide)
    return counts.reshape(size, wide).astype(np.float64)
