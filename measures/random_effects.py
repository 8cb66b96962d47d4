"""Estimates from several places: each place has a truth of its own, and lends the others what they have in common.

Nothing is pooled as one sample: a place with many rows cannot speak for the others beyond that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from measures.arrays import Floats
from measures.estimate import Estimate

_FREEDOM = 4
"""Of the half-t law of a spread before anything was seen: one far above what is declared is not impossible,"""
_GRID = np.linspace(0.0, 20.0, 401)[1:]
"""and these many times the declared one are weighed up."""


def spread(means: Floats, errors: Floats, *, declared: float) -> float:
    """Return the standard deviation between places: the root mean square of its posterior.

    Before anything was seen it has a half-t law whose root mean square is ``declared`` (Gelman 2006, "Prior
    distributions for variance parameters"); the mean of all places may be anything. An estimate by moments does
    for many places only: of a few with wide errors it may say, by chance, that they differ by more than anybody
    would believe, and what each says is then hardly shrunk.
    """
    if len(means) < 2:  # noqa: PLR2004  # one place says nothing of how much places differ
        return declared
    between = declared * _GRID
    likelihood = np.array([_marginal(means, errors, each) for each in between**2])
    scale = declared * np.sqrt((_FREEDOM - 2) / _FREEDOM)
    prior = -(_FREEDOM + 1) / 2 * np.log1p((between / scale) ** 2 / _FREEDOM)
    weight = np.exp(likelihood + prior - (likelihood + prior).max())
    return float(np.sqrt(weight @ between**2 / weight.sum()))


def _marginal(means: Floats, errors: Floats, variance: float) -> float:
    """Return log P(means | variance between places), their common mean anything."""
    weight = 1 / (errors**2 + variance)
    apart = means - weight @ means / weight.sum()
    return float((np.log(weight).sum() - np.log(weight.sum()) - weight @ apart**2) / 2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effects:
    """Normal effects given what was seen: their ``mean`` (effects,) and ``covariance`` (effects, effects)."""

    mean: Floats
    covariance: Floats

    def of(self, row: Floats) -> Estimate:
        """Return the sum of effects that ``row`` weighs."""
        return Estimate(mean=float(row @ self.mean), error=float(np.sqrt(row @ self.covariance @ row)))


def effects(means: Floats, errors: Floats, design: Floats, *, belief: Floats, doubt: Floats) -> Effects:
    """Return the effects behind estimates: ``design`` (estimates, effects) says which sum up to each.

    Before anything was seen, effects are normal around ``belief`` with standard deviations ``doubt``, independent
    of each other: the best linear unbiased prediction of a mixed model whose variances are known.
    """
    weighted = design / errors[:, None] ** 2
    covariance: Floats = np.asarray(np.linalg.inv(np.diag(doubt**-2.0) + design.T @ weighted), dtype=np.float64)
    return Effects(mean=covariance @ (belief * doubt**-2.0 + weighted.T @ means), covariance=covariance)
