"""How true Kairos's expectations were: the true effect of each message against the V it was sent for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from simulation.shop import CHANNELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST = 100
"""Messages on a channel below which a slope says nothing."""


class Pairs(Protocol):
    """By message sent: the number of its channel, what was expected of it, and the truth, in euros."""

    @property
    def channel(self) -> NDArray[np.int64]:
        """Return numbers of :data:`simulation.shop.CHANNELS`."""

    @property
    def expected(self) -> NDArray[np.float64]:
        """Return V, the price of a place left out."""

    @property
    def true(self) -> NDArray[np.float64]:
        """Return the true expected euros in the state the message met."""


def slope(pairs: Pairs) -> dict[str, dict[str, float | None]]:
    """Return by channel the least-squares slope of the true effect on Kairos's V, and of how many messages."""
    return {name: _slope(pairs, number) for number, name in enumerate(CHANNELS)}


def _slope(pairs: Pairs, channel: int) -> dict[str, float | None]:
    of_channel = pairs.channel == channel
    expected, true = pairs.expected[of_channel], pairs.true[of_channel]
    varies = len(expected) >= LEAST and np.ptp(expected) > 0
    found = float(np.cov(expected, true)[0, 1] / expected.var(ddof=1)) if varies else None
    return {"slope": found, "messages": float(len(expected))}
