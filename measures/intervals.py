"""Intervals with a closed form: shares by Wilson and Newcombe, means by Student and Welch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy.stats import norm, t

from measures.arrays import columns
from measures.outcome import Interval, NotComputable, NotComputableError, Outcome

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

LEVEL = 0.95


def wilson(successes: float, n: int, *, level: float = LEVEL) -> Outcome:
    """Return the score interval of a share (Wilson 1927): inside [0, 1], and sensible at 0 and at n."""
    if n < 1 or not 0 <= successes <= n:
        return NotComputable(f"{successes} successes of {n}: a share needs 0 ≤ successes ≤ n and n ≥ 1")
    z, share = _z(level), successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(estimate=share, low=low, high=high, level=level, n=n)


def newcombe(successes: tuple[float, float], n: tuple[int, int], *, level: float = LEVEL) -> Outcome:
    """Return the interval of share₁ − share₂ from their Wilson intervals (Newcombe 1998, method 10)."""
    first, second = (wilson(s, m, level=level) for s, m in zip(successes, n, strict=True))
    if isinstance(first, NotComputable):
        return first
    if isinstance(second, NotComputable):
        return second
    difference = first.estimate - second.estimate
    low = difference - math.hypot(first.estimate - first.low, second.high - second.estimate)
    high = difference + math.hypot(first.high - first.estimate, second.estimate - second.low)
    return Interval(estimate=difference, low=low, high=high, level=level, n=sum(n))


def mean(values: ArrayLike, *, level: float = LEVEL) -> Outcome:
    """Return Student's interval of a mean."""
    try:
        (data,) = columns(values=values)
    except NotComputableError as error:
        return NotComputable(str(error))
    if data.size < 2:  # noqa: PLR2004 - one value has no variance
        return NotComputable("one value has no variance; two are the least")
    deviation = float(data.std(ddof=1) / math.sqrt(data.size))
    return _student(float(data.mean()), deviation, data.size - 1, level=level, n=data.size)


def welch(first: ArrayLike, second: ArrayLike, *, level: float = LEVEL) -> Outcome:
    """Return the interval of mean₁ − mean₂ without assuming equal variances (Welch 1947)."""
    try:
        (a,), (b,) = columns(first=first), columns(second=second)
    except NotComputableError as error:
        return NotComputable(str(error))
    if min(a.size, b.size) < 2:  # noqa: PLR2004 - one value has no variance
        return NotComputable(f"groups of {a.size} and {b.size}: each needs two values to have a variance")
    parts = a.var(ddof=1) / a.size, b.var(ddof=1) / b.size
    difference, variance = float(a.mean() - b.mean()), float(sum(parts))
    shares = parts[0] ** 2 / (a.size - 1) + parts[1] ** 2 / (b.size - 1)
    freedom = variance**2 / shares if shares > 0 else float(a.size + b.size - 2)
    return _student(difference, math.sqrt(variance), freedom, level=level, n=a.size + b.size)


def from_influence(estimate: float, influence: ArrayLike, *, level: float = LEVEL) -> Outcome:
    """Return the large-sample interval of an estimate from each independent unit's influence on it.

    The variance is Σ influence² / (n (n − 1)), as for a mean of n values.
    """
    (pull,) = columns(influence=influence)
    if pull.size < 2:  # noqa: PLR2004 - one unit has no variance
        return NotComputable("one independent unit has no variance; two are the least")
    error = math.sqrt(float(pull @ pull) / (pull.size * (pull.size - 1)))
    half = _z(level) * error
    return Interval(estimate=estimate, low=estimate - half, high=estimate + half, level=level, n=pull.size)


def _student(estimate: float, error: float, freedom: float, *, level: float, n: int) -> Interval:
    half = float(t.ppf((1 + level) / 2, freedom)) * error
    return Interval(estimate=estimate, low=estimate - half, high=estimate + half, level=level, n=n)


def _z(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"level {level} must lie strictly between 0 and 1, such as 0.95")
    return float(norm.ppf((1 + level) / 2))
