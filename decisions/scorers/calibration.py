"""Between log-odds and probabilities, and a fitted calibration as JSON (:mod:`measures.calibration` fits it)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from measures.knots import Knots, apply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from decisions.scorers.base import FloatArray

_WIDEST = 35.0
"""Beyond these log-odds a double cannot tell a probability from 0 or 1."""


def log_odds(probability: FloatArray) -> FloatArray:
    """Return the log-odds of ``probability``, finite also for 0 and 1."""
    with np.errstate(divide="ignore"):
        odds = np.log(probability) - np.log1p(np.negative(probability))
    return np.asarray(np.clip(odds, -_WIDEST, _WIDEST))


def probability_of(odds: FloatArray) -> FloatArray:
    """Return the probability behind log-``odds``. Importing SciPy for its σ takes longer than a decision."""
    given = np.array(odds, dtype=np.float64, order="C")  # other strides may round otherwise in their last bit
    small = np.exp(-np.abs(given))  # never overflows
    return np.asarray(np.where(given >= 0, 1.0, small) / (1.0 + small))


def calibrated(knots: Knots, odds: FloatArray) -> FloatArray:
    """Return the calibrated probability behind a model's log-``odds``."""
    return apply(knots, probability_of(odds))


def knots_as_json(knots: Knots) -> dict[str, list[float]]:
    """Return the knots as a JSON object."""
    return {"x": list(knots.x), "y": list(knots.y)}


def knots_from_json(facts: Mapping[str, Any]) -> Knots:
    """Read what :func:`knots_as_json` wrote."""
    return Knots(tuple(facts["x"]), tuple(facts["y"]))
