"""Who sees a message, by channel: read off opens where there are any, inferred from what follows elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from decisions.worth.shrinking import factor, likeliest_shape

if TYPE_CHECKING:
    from decisions.worth.beliefs import Beliefs
    from decisions.worth.tally import Weighed

Floats = NDArray[np.float64]

LEAST = 1e-4
"""No channel is given up for good,"""
ALMOST_SURE = 0.95
"""and nobody is expected to see more of their messages than that."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Attention:
    """What holds for everybody, by channel.

    ``level`` is the mean P(seen) at no pressure, ``click`` clicks per message of which being seen does not show,
    ``shape`` how alike people are.
    """

    level: Floats
    click: Floats
    shape: Floats

    @classmethod
    def learn(cls, weighed: Weighed, orders: Floats, beliefs: Beliefs) -> Attention:
        """Learn from everybody's messages; ``orders`` is orders per message seen, by offer.

        A channel whose opens show has seen / sent. On another, orders / (orders per message seen) says how many
        were seen, the declared ``attention`` weighing so many messages of the mean offer.
        """
        watched, seen = weighed.watched.sum(axis=(0, 2)), weighed.seen.sum(axis=(0, 2))
        would_order = (weighed.closed.sum(axis=0) * orders).sum(axis=1)
        strength = beliefs.attention_strength * orders.mean()
        declared = np.array(beliefs.attention)
        inferred = (weighed.closed_ordered.sum(axis=(0, 2)) + strength * declared) / (would_order + strength)
        weight = watched / (watched + beliefs.attention_strength)
        read = np.divide(seen, watched, out=declared.copy(), where=watched > 0)
        level = np.clip(
            np.where(watched > 0, weight * read + (1 - weight) * declared, inferred), 1e-4, ALMOST_SURE
        )
        closed = weighed.closed.sum(axis=(0, 2))
        click = np.divide(weighed.clicked.sum(axis=(0, 2)), closed, out=np.zeros_like(closed), where=closed > 0)
        known = cls(level=level, click=click, shape=np.full(len(level), beliefs.attention_shape))
        return cls(level=level, click=click, shape=known._shapes(weighed, orders, watched > 0))

    def _shapes(self, weighed: Weighed, orders: Floats, watched: NDArray[np.bool_]) -> Floats:
        """Return the likeliest shape where opens show, and the mean of those (or the declared one) elsewhere."""
        if not watched.any():
            return self.shape
        events, expected = self._evidence(weighed, orders)
        found = [likeliest_shape(events[:, each], expected[:, each]) for each in np.flatnonzero(watched)]
        shapes = np.full(len(self.level), float(np.exp(np.mean(np.log(found)))))
        shapes[watched] = found
        return shapes

    def of(self, weighed: Weighed, orders: Floats) -> Floats:
        """Return P(seen) of (people, channels) at no pressure."""
        events, expected = self._evidence(weighed, orders)
        known: Floats = np.minimum(ALMOST_SURE, self.level * factor(events, expected, self.shape))
        return known

    def _evidence(self, weighed: Weighed, orders: Floats) -> tuple[Floats, Floats]:
        """Return signs of having seen, and how many were to be expected of the mean person: (people, channels)."""
        closed = weighed.closed.sum(axis=2)
        events = weighed.seen.sum(axis=2) + weighed.clicked.sum(axis=2) + weighed.closed_ordered.sum(axis=2)
        expected = self.level * (weighed.watched.sum(axis=2) + weighed.closed @ orders) + self.click * closed
        return events, expected
