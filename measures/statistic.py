"""Statistics as objects: called on columns they give a number; *prepared*, a number for every reweighting.

The bootstrap draws weights, not rows. A statistic that can be prepared sorts or sums once and then answers each
draw in linear time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from measures.arrays import Floats, columns

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

OfWeights = Callable[[Floats], float]
"""A statistic of the data seen, as a function of one weight (how often it was drawn) for each unit."""


class Statistic(Protocol):
    """A statistic that can answer many reweightings quickly. Plain functions do too, only slower."""

    def __call__(self, *arrays: ArrayLike) -> float:
        """Return the statistic of the columns, or raise ``NotComputableError``."""

    def prepared(self, *arrays: ArrayLike) -> OfWeights:
        """Return the statistic of these columns as a function of weights."""


@dataclass(frozen=True, slots=True)
class UnitMean:
    """The mean of a value each unit has by itself, such as a loss. ``units`` gives those values."""

    name: str
    units: Callable[..., Floats]

    def __call__(self, *arrays: ArrayLike) -> float:
        """Return the mean over units."""
        return float(self.units(*arrays).mean())

    def prepared(self, *arrays: ArrayLike) -> OfWeights:
        """Return the weighted mean as a function of weights."""
        units = self.units(*arrays)
        # Not a BLAS product: its threads cost more than they save at this length, and fight over a shared machine.
        return lambda weights: float((weights * units).sum() / weights.sum())


def _values(values: ArrayLike) -> Floats:
    return columns(values=values)[0]


mean = UnitMean("mean", _values)
"""``mean(values)``: the plain mean."""


def of_weights(statistic: Statistic | Callable[..., float], arrays: tuple[Floats, ...]) -> OfWeights:
    """Return ``statistic`` of ``arrays`` as a function of whole-number weights, prepared where it can be."""
    prepared: Callable[..., OfWeights] | None = getattr(statistic, "prepared", None)
    if prepared is not None:
        return prepared(*arrays)
    units = np.arange(arrays[0].size)

    def resampled(weights: Floats) -> float:
        drawn = np.repeat(units, weights.astype(np.intp))
        return float(statistic(*(array[drawn] for array in arrays)))

    return resampled
