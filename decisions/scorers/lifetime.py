"""What a customer's remaining relation is worth: a simple estimate, said in full.

    remaining = margin per year · ∫₀ᵀ exp(−(λ + δ) t) dt
    λ = −ln(1 − P(churn in N days)) · 365 / N,   δ = ln(1 + d)

Spending continues at the rate of the last year until the customer leaves; leaving has a constant hazard λ read off
the churn probability; money is discounted at the declared yearly rate d; nothing beyond T years counts. The rate
is shrunk towards the peers' by :data:`PEER_YEARS`, so that a week of history does not become a year of spending.
Silence of N days is not always leaving: λ is an upper bound, so the value is on the careful side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from decisions.priors import Priors
    from decisions.scorers.base import FloatArray

HORIZON_YEARS = 3.0
"""T: beyond it, a constant hazard is a story rather than an estimate."""

PEER_YEARS = 0.25
"""The peers' spending rate weighs as much as this many years of the customer's own."""

DAYS_A_YEAR = 365.0
_CERTAIN = 1.0 - 1e-9


def yearly_spend(spend: FloatArray, tenure_days: FloatArray, *, peers: float) -> FloatArray:
    """Return spend per year, (n,), from the last year's ``spend`` over the part of it the customer was there."""
    years = np.clip(np.nan_to_num(tenure_days), 0.0, DAYS_A_YEAR) / DAYS_A_YEAR
    return np.asarray((np.nan_to_num(spend) + PEER_YEARS * peers) / (years + PEER_YEARS))


def discounted_years(churn: FloatArray, *, days: int, discount: float) -> FloatArray:
    """Return the expected discounted years of activity ahead, (n,), given P(churn within ``days``)."""
    hazard = -np.log1p(-np.clip(churn, 0.0, _CERTAIN)) * DAYS_A_YEAR / days
    rate = np.maximum(hazard + np.log1p(discount), 1e-9)
    return np.asarray(-np.expm1(-rate * HORIZON_YEARS) / rate)


def unknown_value(priors: Priors) -> float:
    """Return the remaining margin of a customer of whom nothing at all is known: one declared year of it."""
    return priors.yearly_margin
