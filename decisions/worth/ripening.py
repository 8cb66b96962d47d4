"""How much of what a message will lead to has happened by now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from features.vocabulary import RIPE_SCALE_DAYS, RIPE_SHAPE

if TYPE_CHECKING:
    from numpy.typing import NDArray


def ripe(days: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of its reactions that has arrived of a message sent so many ``days`` ago."""
    share: NDArray[np.float64] = -np.expm1(-((np.maximum(days, 0.0) / RIPE_SCALE_DAYS) ** RIPE_SHAPE))
    return share
