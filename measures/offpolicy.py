"""What another policy would have earned, from the log of the one that ran.

Every estimate carries its effective sample size, its largest weight and warnings about overlap: where the log
hardly ever does what the policy wants, a precise-looking number is an accident. No estimator dominates: report
them side by side.

IPS and SNIPS: Swaminathan & Joachims, 2015. DR: Dudík, Langford & Li, 2011. DR with shrinkage: Su et al., 2020.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from measures.arrays import Floats, chances, codes, columns, sum_by, within
from measures.intervals import from_influence
from measures.outcome import NotComputable, NotComputableError, Outcome

LEAST_EFFECTIVE_SHARE = 0.1
"""An effective sample below this share of the log is called thin overlap."""
LARGEST_WEIGHT_SHARE = 0.02
"""One unit that carries more of the total weight than this is named."""
WEIGHT_ALARM = 1e-3
"""Weights average 1 where the log covers the policy; a mean this improbable says that it does not."""
ROUNDING = 1e-6
"""Logged propensities are rounded: a mean this near to 1 is 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How well the log covers the policy. ``warnings`` are sentences for the report; empty where all is well."""

    n: int
    effective_sample: float
    largest_weight: float
    mean_weight: float
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyValue:
    """One estimator's answer: the mean reward under the policy."""

    estimator: str
    value: Outcome
    overlap: Overlap


@dataclass(frozen=True, eq=False)
class Log:
    """What was logged, one entry a decision.

    ``reward`` what came of it; ``propensity`` P(recorded action) under the policy that ran; ``target`` the
    probability of the same action under the policy to be evaluated; ``clusters`` the customer, whose decisions
    are not independent. ``predicted`` and ``predicted_policy`` are a reward model's prediction for the recorded
    action, and its mean over the target policy's actions: needed by DR only, and fitted on other data (or
    cross-fitted), else its optimism returns as bias.
    """

    reward: ArrayLike
    propensity: ArrayLike
    target: ArrayLike
    clusters: ArrayLike | None = None
    predicted: ArrayLike | None = None
    predicted_policy: ArrayLike | None = None
    level: float = field(default=0.95, kw_only=True)


@dataclass(frozen=True, eq=False, slots=True)
class _Weighted:
    reward: Floats
    weight: Floats
    log: Log
    overlap: Overlap

    def interval(self, estimate: float, influence: Floats) -> Outcome:
        """Return the interval from each unit's influence, summed by cluster."""
        n = influence.size
        cluster, count = codes(self.log.clusters, n)
        return from_influence(estimate, sum_by(influence, cluster, count) * (count / n), level=self.log.level)

    def mean_of(self, name: str, values: Floats) -> PolicyValue:
        estimate = float(values.mean())
        return PolicyValue(estimator=name, value=self.interval(estimate, values - estimate), overlap=self.overlap)


def ips(log: Log) -> PolicyValue:
    """Return the inverse-propensity estimate: unbiased where propensities are true, and of large variance."""
    data = _weighted(log)
    return data.mean_of("IPS", data.weight * data.reward)


def snips(log: Log) -> PolicyValue:
    """Return the self-normalised estimate: slightly biased, and unmoved by a constant added to every reward."""
    data = _weighted(log)
    total = data.weight.mean()
    if total == 0:
        nothing = NotComputable("the policy never does what was logged: every weight is 0")
        return PolicyValue(estimator="SNIPS", value=nothing, overlap=data.overlap)
    estimate = float((data.weight @ data.reward) / data.weight.sum())
    influence = data.weight * (data.reward - estimate) / total
    return PolicyValue(estimator="SNIPS", value=data.interval(estimate, influence), overlap=data.overlap)


def dr(log: Log) -> PolicyValue:
    """Return the doubly robust estimate: right where either the propensities or the reward model are."""
    data = _weighted(log)
    predicted, policy = _predictions(log)
    return data.mean_of("DR", policy + data.weight * (data.reward - predicted))


def dr_shrunk(log: Log) -> PolicyValue:
    """Return DR with weights λw / (w² + λ): large ones are pulled in, at the price of some bias.

    λ minimises the estimated variance plus the squared bias bound, over a grid from no weight to full weight. The
    interval covers the estimate's variance, not its bias.
    """
    data = _weighted(log)
    predicted, policy = _predictions(log)
    residual = data.reward - predicted
    best = min(_shrinkage_grid(data.weight), key=lambda lam: _risk(lam, data.weight, residual, policy))
    return data.mean_of("DR shrunk", policy + _shrunk(data.weight, best) * residual)


def evaluate(log: Log) -> tuple[PolicyValue, ...]:
    """Return every estimate the log allows: DR only where there is a reward model."""
    always = (ips(log), snips(log))
    return always if log.predicted is None else (*always, dr(log), dr_shrunk(log))


def _weighted(log: Log) -> _Weighted:
    (reward,) = columns(reward=log.reward)
    (propensity,), (target,) = chances(propensity=log.propensity), within(0, 1, target=log.target)
    columns(reward=reward, propensity=propensity, target=target)
    weight = target / propensity
    return _Weighted(reward, weight, log, overlap(weight))


def overlap(weight: Floats) -> Overlap:
    """Return how well weights target / propensity cover the policy, with warnings in words."""
    total, n = float(weight.sum()), weight.size
    effective = total**2 / float(weight @ weight) if total > 0 else 0.0
    warnings = []
    if effective < LEAST_EFFECTIVE_SHARE * n:
        warnings.append(
            f"thin overlap: {n} decisions weigh as much as {effective:.0f}; the intervals are too narrow to trust"
        )
    if total > 0 and weight.max() > LARGEST_WEIGHT_SHARE * total:
        warnings.append(f"one decision carries {weight.max() / total:.1%} of the weight")
    error = float(weight.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    if abs(total / n - 1) > norm.isf(WEIGHT_ALARM / 2) * error + ROUNDING:
        warnings.append(f"weights average {total / n:.3f} and not 1: wrong propensities, or actions never tried")
    return Overlap(
        n=n,
        effective_sample=effective,
        largest_weight=float(weight.max()),
        mean_weight=total / n,
        warnings=tuple(warnings),
    )


def _predictions(log: Log) -> tuple[Floats, Floats]:
    if log.predicted is None or log.predicted_policy is None:
        raise NotComputableError("DR needs a reward model: give predicted and predicted_policy")
    _, predicted, policy = columns(
        reward=log.reward, predicted=log.predicted, predicted_policy=log.predicted_policy
    )
    return predicted, policy


def _shrinkage_grid(weight: Floats) -> Floats:
    top = max(float(weight.max()), 1.0)
    return np.concatenate(([0.0], np.geomspace(1e-2, 1e3 * top**2, 40), [np.inf]))


def _shrunk(weight: Floats, lam: float) -> Floats:
    if math.isinf(lam):
        return weight
    pulled = np.zeros_like(weight)
    np.divide(lam * weight, weight**2 + lam, out=pulled, where=weight > 0)
    return pulled


def _risk(lam: float, weight: Floats, residual: Floats, policy: Floats) -> float:
    shrunk = _shrunk(weight, lam)
    variance = float((policy + shrunk * residual).var()) / weight.size
    lost = (shrunk - weight) * residual
    # The plain mean of `lost` is noisy itself: its sampling variance is added, or no shrinkage looks too good.
    return variance + float(lost.mean()) ** 2 + float(lost.var()) / weight.size
