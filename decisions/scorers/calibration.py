"""A calibration as knots: what ``training`` fitted, replayed with ``np.interp`` and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from decisions.scorers.base import FloatArray

_WIDEST = 35.0
"""Beyond these log-odds a double cannot tell a probability from 0 or 1."""


def log_odds(probability: FloatArray) -> FloatArray:
    """Return the log-odds of ``probability``, finite also for 0 and 1."""
    with np.errstate(divide="ignore"):
        odds = np.log(probability) - np.log1p(-probability)
    return np.clip(odds, -_WIDEST, _WIDEST)


def probability(odds: FloatArray) -> FloatArray:
    """Return the probability behind log-``odds``."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -_WIDEST, _WIDEST))), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Knots:
    """A non-decreasing, piecewise linear map from a model's log-odds to calibrated log-odds.

    Platt's line is two knots; isotonic steps are joined at their centres, so that ties are not made. Outside the
    knots the ends hold.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse knots ``np.interp`` would answer nonsense for."""
        if len(self.x) != len(self.y) or not self.x:
            raise ValueError(f"a calibration needs as many x as y, at least one; got {len(self.x)}, {len(self.y)}")
        if not np.all(np.diff(self.x) > 0) or not np.all(np.diff(self.y) >= 0):
            raise ValueError(f"calibration knots must rise, got x={self.x!r}, y={self.y!r}")

    def __call__(self, odds: FloatArray) -> FloatArray:
        """Return calibrated probabilities of the model's log-``odds``; NaN stays NaN."""
        return probability(np.interp(odds, self.x, self.y))

    def as_json(self) -> dict[str, list[float]]:
        """Return the knots as a JSON object."""
        return {"x": list(self.x), "y": list(self.y)}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Knots:
        """Read what :meth:`as_json` wrote."""
        return cls(tuple(facts["x"]), tuple(facts["y"]))


IDENTITY = Knots((-_WIDEST, _WIDEST), (-_WIDEST, _WIDEST))
"""The calibration that changes nothing."""
