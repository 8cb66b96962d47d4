"""Learning the rhythm: everybody's curve, the clusters, and how much to trust a person.

All of it from *earlier* counts judged on *later* ones, so that the weights answer the question that matters: how
far does what a person did tell what they do next? Nothing here ever sees the data the model is finally measured
on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from decisions.scorers.base import FloatArray
from decisions.scorers.rhythm import Rhythm, Weights, circular_kernel
from features.vocabulary import HOURS_OF_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EVERYBODY_BANDWIDTH = 1.0
_EVERYBODY_STRENGTH = 50.0
_CENTROID_STRENGTH = 200.0
"""Pseudo-counts of everybody's curve in each centroid: a cluster of few people stays close to it."""
_EM_STEPS = 30
_CLUSTERS = (2, 4, 8)
_PEOPLE_PER_CLUSTER = 25
_FIT_PEOPLE = 500
"""People the weights are learned from: more sharpen seven numbers no further."""
_SEARCH_STEPS = 100

_BOUNDS = {
    "hour_bandwidth": (0.3, 4.0),
    "hour_strength": (1.0, 1e4),
    "weekday_strength": (1.0, 1e4),
    "bandwidth": (0.3, 4.0),
    "strength": (1.0, 1e4),
    "temper": (0.02, 1.0),
    "drift": (1e-5, 2.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What people did: ``earlier`` and ``later`` weighted counts over the week, (n, 168), of the same people."""

    earlier: FloatArray
    later: FloatArray

    def of(self, people: NDArray[np.bool_] | NDArray[np.int64]) -> History:
        """Return the history of ``people`` alone."""
        return History(earlier=self.earlier[people], later=self.later[people])

    @property
    def judged(self) -> History:
        """Only people who did anything later: the others judge nobody."""
        return self.of(self.later.sum(axis=1) > 0)


def learn_rhythm(history: History, *, seed: int) -> Rhythm:
    """Return the rhythm whose curves, from ``earlier`` counts, best foretell ``later`` behaviour.

    More clusters are taken only where they lower the loss of people they were not found among by more than the
    standard error of that gain, paired by person: what is within the noise stays simple.

    Raises:
        ValueError: if nobody did anything both before and after.
    """
    if not history.judged.earlier.sum():
        raise ValueError("no person has events both before and after the cut: there is no rhythm to learn from")
    return _fitted(history, clusters=_clusters(history, seed=seed), seed=seed)


def everybodys(everybody: FloatArray) -> Rhythm:
    """Return the rhythm that gives all people one curve, whatever they did."""
    never = 1e12  # pseudo-counts against which no history weighs anything
    weights = Weights(hour_strength=never, weekday_strength=never, strength=never)
    return Rhythm(everybody=everybody, centroids=everybody[None, :], mixing=np.ones(1), weights=weights)


def losses(curves: FloatArray, later: FloatArray) -> FloatArray:
    """Return each person's mean negative log-likelihood of their later events, (n,); one curve may serve all."""
    return cast("FloatArray", -(later * np.log(curves)).sum(axis=1) / later.sum(axis=1))


def share_in_best(curves: FloatArray, later: FloatArray, *, hours: int = 21) -> FloatArray:
    """Return the share of each person's later events that lie in their ``hours`` best hours, (n,)."""
    best = np.argsort(-curves, axis=1, kind="stable")[:, :hours]
    inside = np.take_along_axis(later, np.broadcast_to(best, (len(later), hours)), axis=1)
    return cast("FloatArray", inside.sum(axis=1) / later.sum(axis=1))


def everybodys_curve(counts: FloatArray) -> FloatArray:
    """Return the pooled curve (168,), smoothed on the circle and positive everywhere."""
    pooled = counts.sum(axis=0) @ circular_kernel(HOURS_OF_WEEK, _EVERYBODY_BANDWIDTH)
    pooled = pooled + _EVERYBODY_STRENGTH / HOURS_OF_WEEK
    return cast("FloatArray", pooled / pooled.sum())


def clustered(counts: FloatArray, *, clusters: int, weights: Weights, seed: int) -> Rhythm:
    """Return the mixture of ``clusters`` curves by expectation maximisation, each pulled towards everybody's."""
    everybody = everybodys_curve(counts)
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(clusters), len(counts))
    rhythm = _mixture(counts, shares, everybody, weights)
    for _ in range(_EM_STEPS if clusters > 1 else 0):
        rhythm = _mixture(counts, rhythm.responsibilities(counts), everybody, weights)
    return rhythm


def _mixture(counts: FloatArray, shares: FloatArray, everybody: FloatArray, weights: Weights) -> Rhythm:
    smooth = (shares.T @ counts) @ circular_kernel(HOURS_OF_WEEK, _EVERYBODY_BANDWIDTH)
    centroids = smooth + _CENTROID_STRENGTH * everybody
    mixing = shares.sum(axis=0) + 1
    return Rhythm(
        everybody=everybody,
        centroids=centroids / centroids.sum(axis=1, keepdims=True),
        mixing=mixing / mixing.sum(),
        weights=weights,
    )


def _clusters(history: History, *, seed: int) -> int:
    found, judges = _halves(history, seed=seed)
    best, rhythm = 1, _fitted(found, clusters=1, seed=seed)
    for clusters in _CLUSTERS:
        if len(found.earlier) >= clusters * _PEOPLE_PER_CLUSTER:
            richer = _fitted(found, clusters=clusters, seed=seed)
            if _surely_better(richer, rhythm, judges.judged):
                best, rhythm = clusters, richer
    return best


def _halves(history: History, *, seed: int) -> tuple[History, History]:
    first = np.random.default_rng(seed).permutation(len(history.later)) % 2 == 0
    return history.of(first), history.of(~first)


def _surely_better(richer: Rhythm, simpler: Rhythm, history: History) -> bool:
    before = losses(simpler.curves(history.earlier), history.later)
    gain = before - losses(richer.curves(history.earlier), history.later)
    return len(gain) > 1 and bool(gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)))


def _fitted(history: History, *, clusters: int, seed: int) -> Rhythm:
    rhythm = clustered(history.earlier, clusters=clusters, weights=Weights(temper=1.0), seed=seed)
    return replace(rhythm, weights=_search(rhythm, _sampled(history.judged, seed=seed)))


def _sampled(history: History, *, seed: int) -> History:
    if len(history.later) <= _FIT_PEOPLE:
        return history
    chosen = np.random.default_rng(seed).choice(len(history.later), _FIT_PEOPLE, replace=False)
    return history.of(chosen)


def _search(rhythm: Rhythm, history: History) -> Weights:
    from scipy.optimize import minimize  # noqa: PLC0415  # slow to import, and only fitting needs it

    low, high = np.log(np.array(list(_BOUNDS.values()))).T
    start = np.log([getattr(Weights(), name) for name in _BOUNDS])

    def loss(logs: FloatArray) -> float:
        curves = replace(rhythm, weights=_weights(logs)).curves(history.earlier)
        return float(losses(curves, history.later).mean())

    found = minimize(
        loss,
        start,
        method="Nelder-Mead",
        bounds=list(zip(low, high, strict=True)),
        options={"maxfev": _SEARCH_STEPS, "initial_simplex": _simplex(start), "xatol": 0.02, "fatol": 1e-5},
    )
    return _weights(found.x)


def _simplex(start: FloatArray) -> FloatArray:
    return np.vstack([start, start + 0.7 * np.eye(len(start))])


def _weights(logs: FloatArray) -> Weights:
    return Weights(**dict(zip(_BOUNDS, np.exp(logs).tolist(), strict=True)))
