"""Many comparisons at once: Holm's step-down test (1979) with its intervals, and the largest of many tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from measures.arrays import Floats, within

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Holm:
    """By comparison, in the order given: adjusted p, whether it is rejected, and the level of its interval.

    An interval at ``level[i]`` excludes zero exactly where comparison ``i`` is rejected. All rejections together
    are wrong in at most 1 − level of repetitions. The intervals hold their own level each, not all at once.
    """

    adjusted: Floats
    rejected: np.ndarray[tuple[int], np.dtype[np.bool_]]
    level: Floats


def holm(p_values: ArrayLike, *, level: float = LEVEL) -> Holm:
    """Return Holm's test of these hypotheses, in the order given.

    The i-th smallest p of m is tested at (1 − level) / (m − i + 1), until one fails; those from there on are all
    kept, and their intervals are those of the step that failed.

    Raises:
        NotComputableError: for no p-values, or one outside [0, 1].
    """
    (p,) = within(0, 1, p_values=p_values)
    order = np.argsort(p, kind="stable")
    left = np.arange(p.size, 0, -1)
    stepped = np.minimum(1.0, np.maximum.accumulate(p[order] * left))
    rejected = stepped < 1 - level
    # Past the first that fails, nothing is rejected however small its own step would make it.
    step = np.where(rejected, left, left[rejected.sum() :].max(initial=1))
    back = np.argsort(order, kind="stable")
    return Holm(stepped[back], rejected[back], (1 - (1 - level) / step)[back])


def largest(z: ArrayLike, correlation: ArrayLike) -> float:
    """Return P(the largest of standard normal values, so correlated, is at least as large as the largest ``z``).

    One-sided, and less severe than Bonferroni's bound the more the values agree. Never outside what that bound and
    the largest value alone allow: the integral (Genz 1992) has no digits left far out.
    """
    from scipy.stats import multivariate_normal, norm  # noqa: PLC0415  # slow to import

    values = np.asarray(z, dtype=np.float64)
    alone = float(norm.sf(values.max()))
    below = multivariate_normal.cdf(
        np.full(values.size, values.max()), cov=np.asarray(correlation), allow_singular=True, rng=0
    )
    return float(np.clip(1 - below, alone, min(1.0, alone * values.size)))
