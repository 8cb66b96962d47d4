"""Calibration: what is said with 10% should happen in one case of ten.

A fitted calibration is a list of knots, and applying it is ``np.interp``: it travels as plain numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import isotonic_regression, minimize
from scipy.special import expit, logit

from measures import bootstrap
from measures.arrays import Floats, Integers, binary, columns, sum_by, within
from measures.intervals import wilson
from measures.knots import Knots
from measures.outcome import NotComputableError, Outcome

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One row of a reliability table: what was said, what happened, and how sure one can be of it."""

    low: float
    high: float
    predicted: float
    observed: Outcome
    n: int


def fit_isotonic(p: ArrayLike, y: ArrayLike) -> Knots:
    """Return the monotone step function nearest to the outcomes (pool adjacent violators), as knots.

    The ends are kept half an outcome away from 0 and 1: a finite sample proves no certainty, and one wrong
    certainty would cost an infinite log loss.

    Raises:
        NotComputableError: where the inputs cannot be read.
    """
    given, outcome = _pair(p, y)
    points, group = np.unique(given, return_inverse=True)
    weight = np.bincount(group).astype(np.float64)
    fitted = np.asarray(
        isotonic_regression(sum_by(outcome, group.astype(np.intp), points.size) / weight, weights=weight).x
    )
    margin = 0.5 / (outcome.size + 1)
    # A step is flat between its ends: the points inside it say nothing that np.interp does not know.
    edge = np.r_[True, np.diff(fitted) != 0]
    kept = edge | np.r_[edge[1:], True]
    levels = np.clip(fitted[kept], margin, 1 - margin)
    return Knots(tuple(points[kept].tolist()), tuple(levels.tolist()))


def fit_platt(p: ArrayLike, y: ArrayLike, *, knots: int = 101) -> Knots:
    """Return σ(a + b·logit p) with b ≥ 0 as knots, with Platt's (1999) smoothed targets.

    Two numbers are learned, so it holds with a few dozen outcomes, where isotonic steps would follow the noise.
    """
    given, outcome = _pair(p, y)
    margin = 1e-6
    score = logit(np.clip(given, margin, 1 - margin))
    positives = outcome.sum()
    target = np.where(outcome == 1, (positives + 1) / (positives + 2), 1 / (outcome.size - positives + 2))

    def loss(line: Floats) -> tuple[float, Floats]:
        z = line[0] + line[1] * score
        pull = expit(z) - target
        return float(np.sum(np.logaddexp(0, z) - target * z)), np.array([pull.sum(), pull @ score])

    a, b = minimize(loss, np.array([0.0, 1.0]), jac=True, bounds=[(None, None), (0, None)], method="L-BFGS-B").x
    grid = np.linspace(logit(margin), logit(1 - margin), knots)
    return Knots(tuple(expit(grid).tolist()), tuple(np.maximum.accumulate(expit(a + b * grid)).tolist()))


def reliability(y: ArrayLike, p: ArrayLike, *, bins: int = 10, level: float = 0.95) -> tuple[Bin, ...]:
    """Return the reliability table: bins of equal size by probability, equal probabilities never divided."""
    given, outcome = _pair(p, y)
    group, count = _equal_bins(given, bins)
    rows = []
    for number in range(count):
        inside = group == number
        said, happened = given[inside], outcome[inside]
        share = wilson(float(happened.sum()), said.size, level=level)
        ends = float(said.min()), float(said.max())
        rows.append(Bin(low=ends[0], high=ends[1], predicted=float(said.mean()), observed=share, n=said.size))
    return tuple(rows)


def expected_calibration_error(y: ArrayLike, p: ArrayLike, *, bins: int = 10) -> float:
    """Return the mean gap between what was said and what happened, over bins of equal size.

    Noise alone makes it positive: even a perfect model has about √(bins · p(1−p) · 2/π / n).
    """
    given, outcome = _pair(p, y)
    group, count = _equal_bins(given, bins)
    return float(np.abs(sum_by(outcome - given, group, count)).sum() / given.size)


def calibration_interval(
    y: ArrayLike, p: ArrayLike, *, seed: int, bins: int = 10, clusters: ArrayLike | None = None, reps: int = 500
) -> Outcome:
    """Return the expected calibration error with its bootstrap interval (bins are drawn anew each time)."""
    return bootstrap.interval(
        lambda outcome, given: expected_calibration_error(outcome, given, bins=bins),
        (y, p),
        seed=seed,
        clusters=clusters,
        reps=reps,
    )


def _equal_bins(p: Floats, bins: int) -> tuple[Integers, int]:
    if bins < 1:
        raise NotComputableError(f"{bins} bins: one is the least")
    edges = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1]))
    _, group = np.unique(np.searchsorted(edges, p, side="right"), return_inverse=True)
    return group.astype(np.intp), int(group.max()) + 1


def _pair(p: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    (outcome,), (given,) = binary(y=y), within(0, 1, p=p)
    columns(y=outcome, p=given)
    return given, outcome
