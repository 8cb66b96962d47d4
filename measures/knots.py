"""A fitted calibration, as plain numbers; applying it needs no more than NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from measures.arrays import Floats


@dataclass(frozen=True, slots=True)
class Knots:
    """A monotone map from raw to calibrated probability: ``x`` rises strictly, ``y`` never falls."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse knots that ``np.interp`` would misread in silence."""
        if len(self.x) != len(self.y) or not self.x:
            raise ValueError(f"knots need as many x ({len(self.x)}) as y ({len(self.y)}), and one at least")
        if np.any(np.diff(self.x) <= 0) or np.any(np.diff(self.y) < 0):
            raise ValueError("knots must rise strictly in x and never fall in y")


def apply(knots: Knots, p: ArrayLike) -> Floats:
    """Return the calibrated probabilities; beyond the knots the ends hold."""
    return np.interp(np.asarray(p, dtype=np.float64), knots.x, knots.y)
