"""Proper scores of a probability: the truth scores best on average, so exaggerating gains nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from measures.arrays import Floats, binary, columns, within
from measures.statistic import UnitMean

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

CLIP = 1e-15
"""A probability of 0 or 1 is taken this far inside, so that a wrong certainty costs 34.5 nats, not infinity."""


def log_loss_units(y: ArrayLike, p: ArrayLike) -> Floats:
    """Return −log of the probability given to what happened, for each unit, in nats."""
    outcome, given = _pair(y, p)
    clipped = np.clip(given, CLIP, 1 - CLIP)
    return -(outcome * np.log(clipped) + (1 - outcome) * np.log1p(-clipped))


def brier_units(y: ArrayLike, p: ArrayLike) -> Floats:
    """Return the squared error of the probability, for each unit."""
    outcome, given = _pair(y, p)
    return (outcome - given) ** 2


def _pair(y: ArrayLike, p: ArrayLike) -> tuple[Floats, Floats]:
    (outcome,), (given,) = binary(y=y), within(0, 1, p=p)
    columns(y=outcome, p=given)
    return outcome, given


log_loss = UnitMean("log_loss", log_loss_units)
"""``log_loss(y, p)``: mean −log P(what happened), in nats."""

brier = UnitMean("brier", brier_units)
"""``brier(y, p)``: mean squared error of the probabilities."""
