"""What a message that is seen adds: the orders attributed to it, less those that would have come anyway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from decisions.worth.shrinking import factor

if TYPE_CHECKING:
    from decisions.worth.beliefs import Beliefs

Floats = NDArray[np.float64]

MOST = 0.6
"""No message is expected to bring more extra orders than that, if seen."""


def orders_per_seen(ordered: Floats, seen: Floats, beliefs: Beliefs) -> Floats:
    """Return orders attributed per message seen, by offer, from sums (offers,): each shrunk to the mean of all."""
    strength = beliefs.conversion_strength
    mean = (ordered.sum() + strength * beliefs.conversion) / (seen.sum() + strength)
    found: Floats = (ordered + beliefs.offer_strength * mean) / (seen + beliefs.offer_strength)
    return found


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Effect:
    """What holds for everybody: ``orders`` attributed per message seen and ``lift``, extra ones, by offer."""

    orders: Floats
    lift: Floats

    @classmethod
    def of(cls, orders: Floats, beliefs: Beliefs) -> Effect:
        """Take off what would have come anyway; a share of ``least_lift`` is taken as caused, at least."""
        return cls(orders=orders, lift=np.maximum(orders - beliefs.anyway, beliefs.least_lift * orders))

    def personal(self, ordered: Floats, seen: Floats, anyway: Floats, beliefs: Beliefs) -> Floats:
        """Return extra orders per message seen of (people, offers), from counts (people, offers).

        ``anyway`` is each one's orders that would have come anyway, per message seen. Each order counts by the
        share of it that a message is expected to have caused.
        """
        caused = ordered * self.lift / (self.lift + anyway[:, None])
        expected = seen * self.lift
        person = factor(caused.sum(axis=1), expected.sum(axis=1), beliefs.person_shape)
        pair = factor(caused, expected * person[:, None], beliefs.pair_shape)
        lift: Floats = np.minimum(MOST, self.lift * person[:, None] * pair)
        return lift
