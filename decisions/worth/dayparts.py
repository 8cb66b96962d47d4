"""At which hours of the day an offer does better, pooled over people: each offer may have a part of the day.

No grid of parts is laid over the day: where one would cut an offer's part in two, what differs blurs away. Every
stretch of some hours, beginning at any, may be an offer's part, in and out of which messages of it lead to orders
at two rates; or there is none. Those hypotheses are averaged by their posterior probability (Bayesian model
averaging, Hoeting et al. 1999), so that few counts leave every factor near 1.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from decisions.worth.shrinking import log_gamma

Floats = NDArray[np.float64]

HOURS = 24
LENGTHS = range(3, 9)
"""Hours that an offer's part of the day may span."""
INSIDE, OUTSIDE = 12.0, 48.0
"""How alike the rates in and out of a part are to the offer's mean, as shapes of gamma factors: ±29% and ±14%."""
_PART = 0.5
"""P(an offer has a part of the day), before anything is counted."""


def hourly(ordered: Floats, seen: Floats) -> Floats:
    """Return the factor of each offer at each local hour, (offers, 24), on orders per message seen.

    ``ordered`` and ``seen`` count orders and messages seen by offer and local hour of sending.
    """
    return np.stack([_of_offer(*each) for each in zip(ordered, seen, strict=True)])


def _of_offer(ordered: Floats, seen: Floats) -> Floats:
    if ordered.sum() <= 0 or seen.sum() <= 0:
        return np.ones(HOURS)
    expected = seen * (ordered.sum() / seen.sum())
    inside = _stretches()
    within = (inside @ ordered, inside @ expected)
    beyond = (ordered.sum() - within[0], expected.sum() - within[1])
    likelihood = _marginal(*within, INSIDE) + _marginal(*beyond, OUTSIDE)
    weight = np.exp(likelihood + expected.sum()) * _PART / len(inside)
    factors = np.where(inside, _mean(*within, INSIDE)[:, None], _mean(*beyond, OUTSIDE)[:, None])
    hourly: Floats = (weight @ factors + (1 - _PART)) / (weight.sum() + 1 - _PART)
    return hourly


def _marginal(ordered: Floats, expected: Floats, shape: float) -> Floats:
    """Return log P(orders of each hour | one gamma factor on all), less what no hypothesis changes."""
    rising = log_gamma(shape + ordered) - log_gamma(np.full(1, shape))
    found: Floats = rising + shape * np.log(shape) - (shape + ordered) * np.log(shape + expected)
    return found


def _mean(ordered: Floats, expected: Floats, shape: float) -> Floats:
    mean: Floats = (shape + ordered) / (shape + expected)
    return mean


@lru_cache(maxsize=1)
def _stretches() -> NDArray[np.bool_]:
    """Return the hours of every stretch, (stretches, 24)."""
    hours = np.arange(HOURS)
    return np.stack([(hours - begin) % HOURS < length for length in LENGTHS for begin in hours])
