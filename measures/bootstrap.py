"""Bootstrap intervals: draw units (or whole customers) again with replacement and see how the number moves.

Draws are weights: a multinomial count for each cluster, so that the units of one customer always come together.
Efron & Tibshirani, *An Introduction to the Bootstrap*, 1993; the acceleration of BCa by a grouped jackknife.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.stats import norm

from measures.arrays import Floats, Integers, codes, columns
from measures.outcome import Interval, NotComputable, NotComputableError, Outcome
from measures.statistic import OfWeights, of_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

Method = Literal["percentile", "bca"]

REPS = 1000
LARGEST_LOST_SHARE = 0.05
"""Where more draws than this cannot be computed (say, hold one class), the rest no longer stand for all."""
JACKKNIFE_GROUPS = 200


def interval(
    statistic: Callable[..., float],
    arrays: Sequence[ArrayLike],
    *,
    seed: int,
    clusters: ArrayLike | None = None,
    reps: int = REPS,
    level: float = 0.95,
    method: Method = "percentile",
) -> Outcome:
    """Return the bootstrap interval of ``statistic(*arrays)``.

    Args:
        statistic: any function of equally long columns; one that can be prepared is fast.
        arrays: the columns, one entry a unit.
        seed: of the draws; the same seed gives the same interval.
        clusters: one label a unit; units of one label are drawn together. By default each unit is its own.
        reps: draws.
        level: the share of repetitions in which the interval should hold the truth.
        method: ``percentile``, or ``bca``, which corrects for bias and skew.

    Returns:
        The interval, or the reason why there is none. Never raises for the data.
    """
    try:
        data = columns(**{f"column {i}": array for i, array in enumerate(arrays)})
        cluster, count = codes(clusters, data[0].size)
        return _interval(
            of_weights(statistic, data), cluster, count, seed=seed, reps=reps, level=level, method=method
        )
    except NotComputableError as error:
        return NotComputable(str(error))


def paired_interval(  # noqa: PLR0913 - as interval, and both models
    metric: Callable[..., float],
    y: ArrayLike,
    new: ArrayLike,
    old: ArrayLike,
    *,
    seed: int,
    clusters: ArrayLike | None = None,
    reps: int = REPS,
    level: float = 0.95,
    method: Method = "percentile",
) -> Outcome:
    """Return the interval of ``metric(y, new) − metric(y, old)``, both measured on the same drawn units.

    What makes a unit hard is shared by both models and cancels, so a paired interval is as narrow as the
    difference deserves. For AUC a positive difference favours ``new``, for a loss a negative one.
    """
    try:
        outcome, first, second = columns(y=y, new=new, old=old)
        cluster, count = codes(clusters, outcome.size)
        of_new, of_old = of_weights(metric, (outcome, first)), of_weights(metric, (outcome, second))
        difference: OfWeights = lambda weights: of_new(weights) - of_old(weights)  # noqa: E731 - one expression
        return _interval(difference, cluster, count, seed=seed, reps=reps, level=level, method=method)
    except NotComputableError as error:
        return NotComputable(str(error))


def _interval(
    statistic: OfWeights, cluster: Integers, count: int, *, seed: int, reps: int, level: float, method: Method
) -> Outcome:
    if count < 2:  # noqa: PLR2004 - one unit cannot vary
        raise NotComputableError(f"{count} independent unit cannot show how the number varies; two are the least")
    estimate = statistic(np.ones(cluster.size))
    draws = _draws(statistic, cluster, count, np.random.default_rng(seed), reps)
    if draws.size < reps * (1 - LARGEST_LOST_SHARE):
        lost = reps - draws.size
        raise NotComputableError(f"{lost} of {reps} draws could not be computed: too few of one outcome")
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if method == "bca":
        tails = _corrected(tails, estimate, draws, _jackknife(statistic, cluster, count))
    low, high = np.quantile(draws, tails)
    return Interval(estimate=estimate, low=float(low), high=float(high), level=level, n=count)


def _draws(statistic: OfWeights, cluster: Integers, count: int, rng: np.random.Generator, reps: int) -> Floats:
    found, alone = [], count == cluster.size
    for _ in range(reps):
        weights = np.bincount(rng.integers(count, size=count), minlength=count).astype(np.float64)
        try:
            # Where every unit is its own cluster, the weights need no spreading: a draw is as good in any order.
            found.append(statistic(weights if alone else weights[cluster]))
        except NotComputableError:
            continue
    return np.array(found)


def _jackknife(statistic: OfWeights, cluster: Integers, count: int) -> Floats:
    """Return the statistic with each group of clusters left out in turn; groups by a fixed stride."""
    group = (np.arange(count) % JACKKNIFE_GROUPS)[cluster]
    return np.array([statistic((group != left_out).astype(np.float64)) for left_out in range(group.max() + 1)])


def _corrected(tails: Floats, estimate: float, draws: Floats, jackknife: Floats) -> Floats:
    """Return the quantiles BCa reads instead of the plain tails (Efron 1987, equation 6.8 there)."""
    below = np.mean(draws < estimate) + np.mean(draws == estimate) / 2
    bias = norm.ppf(np.clip(below, 1 / draws.size, 1 - 1 / draws.size))
    pull = jackknife.mean() - jackknife
    spread = float((pull**2).sum() ** 1.5)
    acceleration = float((pull**3).sum()) / (6 * spread) if spread > 0 else 0.0
    z = bias + norm.ppf(tails)
    return np.asarray(norm.cdf(bias + z / (1 - acceleration * z)), dtype=np.float64)
