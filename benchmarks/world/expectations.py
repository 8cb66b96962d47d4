"""How true Kairos's expectations were: the true effect of each message against the V it was sent for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulation.shop import CHANNELS

if TYPE_CHECKING:
    from pipelines.simulating.records import Pairs

LEAST = 100
"""Messages on a channel below which a slope says nothing."""


def slope(pairs: Pairs) -> dict[str, dict[str, float | None]]:
    """Return by channel the least-squares slope of the true effect on Kairos's V, and of how many messages."""
    return {name: _slope(pairs, number) for number, name in enumerate(CHANNELS)}


def _slope(pairs: Pairs, channel: int) -> dict[str, float | None]:
    of_channel = pairs.channel == channel
    expected, true = pairs.expected[of_channel], pairs.true[of_channel]
    varies = len(expected) >= LEAST and np.ptp(expected) > 0
    found = float(np.cov(expected, true)[0, 1] / expected.var(ddof=1)) if varies else None
    return {"slope": found, "messages": float(len(expected))}
