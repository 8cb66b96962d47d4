"""Estimates from several places: each place has a truth of its own, and lends the others what they have in common.

Nothing is pooled as one sample: a place with many rows cannot speak for the others beyond that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from measures.arrays import Floats
from measures.estimate import Estimate

DECLARED_WEIGHT = 2
"""The degrees of freedom that a declared spread weighs against what the places themselves show."""


def spread(means: Floats, errors: Floats, *, declared: float) -> float:
    """Return the standard deviation between places: the declared one met with Paule and Mandel's.

    Two places cannot tell how much places differ, and one says nothing at all of it.
    """
    freedom = max(len(means) - 1, 0)
    seen = paule_mandel(means, errors)
    return float(np.sqrt((freedom * seen + DECLARED_WEIGHT * declared**2) / (freedom + DECLARED_WEIGHT)))


def paule_mandel(means: Floats, errors: Floats) -> float:
    """Return the variance between places (Paule & Mandel 1982), 0 at least and for one place.

    With it the estimates scatter about their weighted mean exactly as much as is to be expected.
    """
    freedom = len(means) - 1

    def excess(between: float) -> float:
        weight = 1 / (errors**2 + between)
        return float(weight @ (means - weight @ means / weight.sum()) ** 2) - freedom

    if freedom < 1 or excess(0.0) <= 0:
        return 0.0
    # No variance above the sum of squares explains less than the freedom there is.
    return float(brentq(excess, 0.0, float(((means - means.mean()) ** 2).sum()) + 1.0))


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
