"""When a person is active: a probability over the 168 local hours of a week, blended from three sources.

One sentence of theory: a person's counts are few and bursty, so they update the curve of people like them, which
is itself an update of everybody's, and each step carries only as much weight as it earned on later behaviour.

The steps, each a Dirichlet update with a learned weight (empirical Bayes):

1. *cluster*: a mixture of multinomials gives the peers' curve, the clusters weighted by how well they explain the
   person's counts (tempered, for counts come in bursts); without counts it is everybody's curve, exactly;
2. *weekday × hour*: the person's hours of the day (smoothed on the circle of 24) and days of the week tilt it;
3. *all 168*: the person's own counts (smoothed on the circle of 168) update the result.

People drift, so evidence saturates: ``n`` counts weigh ``n / (1 + drift · n)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from decisions.scorers.base import FloatArray
from features.vocabulary import HOURS_OF_WEEK

DAYS, HOURS = 7, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How much each step of the blend trusts the person. Strengths are pseudo-counts of the step's prior.

    ``hour_bandwidth`` and ``bandwidth`` are standard deviations in hours of the circular smoothing;
    ``temper`` (0, 1] scales the counts that choose clusters; ``drift`` is one over the count at which evidence
    is worth half of itself.
    """

    hour_bandwidth: float = 1.0
    hour_strength: float = 15.0
    weekday_strength: float = 80.0
    bandwidth: float = 1.0
    strength: float = 120.0
    temper: float = 0.5
    drift: float = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a curve rests on: ``count`` effective observations of their own, against ``prior`` pseudo-counts.

    ``spread`` (n, 168) is the posterior standard deviation of each hour's share, given the peers' curve.
    """

    count: FloatArray
    prior: float
    spread: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """The blend: ``everybody`` (168,), ``centroids`` (k, 168), each summing to 1, and ``mixing`` (k,).

    Every curve it gives is positive everywhere and sums to 1.
    """

    everybody: FloatArray
    centroids: FloatArray
    mixing: FloatArray
    weights: Weights = Weights()

    def curves(self, counts: FloatArray) -> FloatArray:
        """Return P(hour of the week | active) as (n, 168), for (n, 168) weighted counts; NaN rows are unknown."""
        trusted = self._trusted(counts)
        prior = _tilted(self._peers(np.nan_to_num(counts)), trusted, self.weights)
        smooth = trusted @ circular_kernel(HOURS_OF_WEEK, self.weights.bandwidth)
        total = trusted.sum(axis=1, keepdims=True) + self.weights.strength
        return cast("FloatArray", (smooth + self.weights.strength * prior) / total)

    def evidence(self, counts: FloatArray) -> Evidence:
        """Return how much of each curve is the person's own, and how sure it is."""
        count = self._trusted(counts).sum(axis=1)
        curves = self.curves(counts)
        concentration = (count + self.weights.strength + 1)[:, None]
        spread = np.sqrt(curves * (1 - curves) / concentration)
        return Evidence(count=count, prior=self.weights.strength, spread=spread)

    def responsibilities(self, counts: FloatArray) -> FloatArray:
        """Return how well each cluster explains each person, as (n, k) weights that sum to 1."""
        scores = self.weights.temper * (counts @ np.log(self.centroids).T) + np.log(self.mixing)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        return cast("FloatArray", weights / weights.sum(axis=1, keepdims=True))

    def _trusted(self, counts: FloatArray) -> FloatArray:
        known = np.nan_to_num(counts)
        return cast("FloatArray", known / (1 + self.weights.drift * known.sum(axis=1, keepdims=True)))

    def _peers(self, counts: FloatArray) -> FloatArray:
        # Relative to the mixture's own average: whoever tells nothing apart gets everybody's curve, exactly.
        mixed = self.responsibilities(counts) @ self.centroids
        peers = self.everybody * mixed / (self.mixing @ self.centroids)
        return cast("FloatArray", peers / peers.sum(axis=1, keepdims=True))


def circular_kernel(size: int, bandwidth: float) -> FloatArray:
    """Return the (size, size) matrix that smooths a circle of ``size`` hours with a Gaussian; rows sum to 1."""
    steps = np.arange(size)
    distance = np.abs(steps[:, None] - steps[None, :])
    distance = np.minimum(distance, size - distance)
    kernel = np.exp(-0.5 * (distance / max(bandwidth, 1e-3)) ** 2)
    return cast("FloatArray", kernel / kernel.sum(axis=1, keepdims=True))


def shifted(curves: FloatArray, hours: float) -> FloatArray:
    """Return curves read ``hours`` later on the circle: what a message sent in each hour meets at its opening.

    Fractions of an hour are interpolated; a curve's sum is kept.
    """
    whole, part = divmod(hours, 1.0)
    near = np.roll(curves, -int(whole), axis=-1)
    far = np.roll(curves, -int(whole) - 1, axis=-1)
    return (1 - part) * near + part * far


def _tilted(peers: FloatArray, counts: FloatArray, weights: Weights) -> FloatArray:
    prior = peers.reshape(-1, DAYS, HOURS)
    own = counts.reshape(-1, DAYS, HOURS)
    hours = _ratio(
        own.sum(axis=1) @ circular_kernel(HOURS, weights.hour_bandwidth), prior.sum(axis=1), weights.hour_strength
    )
    days = _ratio(own.sum(axis=2), prior.sum(axis=2), weights.weekday_strength)
    tilted = prior * hours[:, None, :] * days[:, :, None]
    flat = tilted.reshape(-1, HOURS_OF_WEEK)
    return cast("FloatArray", flat / flat.sum(axis=1, keepdims=True))


def _ratio(counts: FloatArray, prior: FloatArray, strength: float) -> FloatArray:
    updated = (counts + strength * prior) / (counts.sum(axis=1, keepdims=True) + strength)
    return cast("FloatArray", updated / prior)
