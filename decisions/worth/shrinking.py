"""Shrinking counts towards what is expected of everybody: gamma and Poisson.

A person's events are Poisson with mean ``factor · expected``; factors are gamma with mean 1 and a *shape*: the
number of expected events that everybody's rate weighs as much as. No shape is too large: where nobody differs it
is infinite, and everybody keeps factor 1.
"""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PSEUDO_EVENTS = 3.0
"""Orders that the mean basket weighs as much as."""
_RATE_STRENGTH = 1.5
SHAPES: tuple[float, ...] = (*np.geomspace(0.1, 50.0, 25).tolist(), inf)
"""The shapes that are tried."""


def factor(events: Floats, expected: Floats, shape: float | Floats) -> Floats:
    """Return the posterior mean of each factor: (shape + events) / (shape + expected), 1 for an infinite shape."""
    wide = np.broadcast_shapes(np.shape(shape), events.shape)
    strength = np.broadcast_to(np.asarray(shape, dtype=np.float64), wide)
    finite = np.isfinite(strength)
    known = np.where(finite, strength, 1.0)
    found: Floats = np.where(finite, (known + events) / (known + expected), 1.0)
    return found


def rate(events: Floats, days: Floats, mean: float, *, strength: float = _RATE_STRENGTH) -> Floats:
    """Return each one's events a day, everybody's ``mean`` (above 0) weighing ``strength`` events."""
    found: Floats = (events + strength) / (days + strength / mean)
    return found


def likeliest_shape(events: Floats, expected: Floats) -> float:
    """Return the shape of :data:`SHAPES` that makes ``events`` likeliest; infinite where nothing was expected."""
    counts = expected > 0
    if not counts.any():
        return inf
    seen, mean = events[counts], expected[counts]
    likelihoods = [log_likelihood(seen, mean, shape) for shape in SHAPES]
    return SHAPES[int(np.argmax(likelihoods))]


def log_likelihood(events: Floats, expected: Floats, shape: float) -> float:
    """Return the log-likelihood of counts with factors of ``shape``, less log(events!), which no shape changes."""
    if shape == inf:
        return float((events * np.log(expected) - expected).sum())
    return float(log_chances(events, expected, np.full(1, shape)).sum())


def log_chances(events: Floats, expected: Floats, shape: Floats) -> Floats:
    """Return the log-probability of each count, its factor of a finite ``shape``, less log(events!)."""
    rising = log_gamma(shape + events) - log_gamma(shape)
    total = shape + expected
    found: Floats = rising + shape * np.log(shape / total) + events * np.log(expected / total)
    return found


def log_gamma(values: Floats) -> Floats:
    """Return log Γ of each value."""
    from scipy.special import gammaln  # noqa: PLC0415  # slow to import, and only needed where something is learned

    found: Floats = gammaln(values)
    return found
