"""Means and ratios of means over strata: only what differs within them is noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t

from measures.arrays import Floats, Integers, codes, columns, sum_by
from measures.outcome import Interval, NotComputable, NotComputableError, Outcome

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class StratifiedMean:
    """The mean of the strata's means, each counting alike, with its standard error and degrees of freedom.

    The error is √Σ s²/n over strata, divided by how many there are; the degrees of freedom are Satterthwaite's
    (1946), so that strata may vary unequally. With a single stratum this is Student's mean.
    """

    estimate: float
    error: float
    freedom: float
    n: int

    @property
    def p_value(self) -> float:
        """How often a mean of zero would look at least this far from zero: two-sided."""
        if self.error == 0:
            return 1.0 if self.estimate == 0 else 0.0
        return float(2 * t.sf(abs(self.estimate) / self.error, self.freedom))

    def p_above(self, least: float) -> float:
        """How often a mean of ``least`` would look at least this far above itself: one-sided."""
        if self.error == 0:
            return 0.0 if self.estimate > least else 1.0
        return float(t.sf((self.estimate - least) / self.error, self.freedom))

    def bound(self, level: float = LEVEL) -> float:
        """Return the lower bound at ``level``: above ``least`` exactly where ``p_above(least) < 1 − level``."""
        return self.estimate - float(t.ppf(level, self.freedom)) * self.error

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the interval at ``level``: it excludes zero exactly where ``p_value < 1 − level``."""
        half = float(t.ppf((1 + level) / 2, self.freedom)) * self.error
        return Interval(
            estimate=self.estimate, low=self.estimate - half, high=self.estimate + half, level=level, n=self.n
        )


def mean(values: ArrayLike, strata: ArrayLike) -> StratifiedMean | NotComputable:
    """Return the mean over units, strata alike. Paired: ``values`` are differences."""
    try:
        return _mean(*_grouped(values, strata))
    except NotComputableError as error:
        return NotComputable(str(error))


def ratio(top: ArrayLike, bottom: ArrayLike, strata: ArrayLike, *, level: float = LEVEL) -> Outcome:
    """Return mean(top) / mean(bottom) over the same units, by the delta method within strata.

    The denominator must be clearly positive: its own interval lies above zero. Else there is no ratio to speak of.
    """
    try:
        below, group, count = _grouped(bottom, strata)
        above, _, _ = _grouped(top, strata)
        whole = _positive(_mean(below, group, count), level)
        found = _mean(above, group, count).estimate / whole.estimate
        rest = _mean((above - found * below) / whole.estimate, group, count)
    except NotComputableError as error:
        return NotComputable(str(error))
    around = rest.interval(level)
    return Interval(estimate=found, low=found + around.low, high=found + around.high, level=level, n=around.n)


def _positive(denominator: StratifiedMean, level: float) -> StratifiedMean:
    if denominator.interval(level).low <= 0:
        size = f"{denominator.estimate:.4g} ± {denominator.error:.2g}"
        raise NotComputableError(f"the denominator {size} is not clearly positive")
    return denominator


def _grouped(values: ArrayLike, strata: ArrayLike) -> tuple[Floats, Integers, int]:
    (data,) = columns(values=values)
    group, count = codes(strata, data.size)
    return data, group, count


def _mean(values: Floats, group: Integers, count: int) -> StratifiedMean:
    n = sum_by(np.ones(values.size), group, count)
    if (n < 2).any():  # noqa: PLR2004 - one value has no variance
        raise NotComputableError(f"{int((n < 2).sum())} of {count} strata hold one unit: two are the least")  # noqa: PLR2004
    means = sum_by(values, group, count) / n
    parts = sum_by((values - means[group]) ** 2, group, count) / (n - 1) / n
    spread = float((parts**2 / (n - 1)).sum())
    freedom = float(parts.sum() ** 2 / spread) if spread > 0 else float((n - 1).sum())
    error = math.sqrt(float(parts.sum())) / count
    return StratifiedMean(estimate=float(means.mean()), error=error, freedom=freedom, n=values.size)
