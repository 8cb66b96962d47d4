"""How much the rhythm moves an engagement: beta in ``m = exp(beta · log rhythm)``, from randomised slots.

Only slots drawn at random can tell: where a sender chose them, good hours and good customers come together. A
logistic likelihood with each send's own expected log-odds as offset meets the declared Gaussian prior; the
answer is the Laplace posterior. Without random slots the prior is the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from decisions.scorers.base import FloatArray
from decisions.scorers.calibration import probability_of

_NEWTON_STEPS = 50
_CONVERGED = 1e-10
_LEVEL_SD = 2.0
"""Prior spread of the intercept in log-odds: it only mends a miscalibrated offset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """Sends and the hours they met, one row each. They tell an effect only where slots were drawn at random.

    ``log_rhythm`` is the log of the receiver's rhythm (as known before the send, relative to uniform) in the hour
    the message would be met; ``offset`` the log-odds of engaging that were expected before the slot was drawn;
    ``weight`` the inverse propensity of the slot, times any constant (all ones where slots were equally likely).
    """

    log_rhythm: FloatArray
    engaged: NDArray[np.bool_]
    offset: FloatArray
    weight: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Beta:
    """A posterior of beta: its ``mean`` and standard deviation ``sd``, and the ``sends`` behind it."""

    mean: float
    sd: float
    sends: int

    @property
    def interval(self) -> tuple[float, float]:
        """The central 95%."""
        return self.mean - 1.96 * self.sd, self.mean + 1.96 * self.sd


def learn_beta(slots: Slots, *, prior: float, prior_sd: float) -> Beta:
    """Return the posterior of beta, the elasticity of P(engage) to the rhythm.

    The likelihood's slope is of log-odds; an elasticity of the probability p is that slope times 1 − p, so the
    regressor is ``log_rhythm / (1 − p)`` with p the pooled rate. Weights are scaled to mean 1 and the variance
    is the sandwich's where they differ, so that unequal propensities do not feign precision.
    """
    if not len(slots.engaged):
        return Beta(mean=prior, sd=prior_sd, sends=0)
    weight = slots.weight / slots.weight.mean()
    rate = float(np.average(slots.engaged, weights=weight))
    slope = slots.log_rhythm / (1 - min(rate, 0.95))
    columns = np.column_stack([np.ones(len(slope)), slope])
    estimate, cover = _posterior(
        columns,
        slots.engaged.astype(np.float64),
        offset=slots.offset,
        weight=weight,
        centre=np.array([0.0, prior]),
        precision=np.array([_LEVEL_SD, prior_sd]) ** -2.0,
    )
    return Beta(mean=float(estimate[1]), sd=float(np.sqrt(cover[1, 1])), sends=len(slope))


def _posterior(
    columns: FloatArray,
    labels: FloatArray,
    *,
    offset: FloatArray,
    weight: FloatArray,
    centre: FloatArray,
    precision: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    estimate = centre.copy()
    for _ in range(_NEWTON_STEPS):
        fitted = probability_of(columns @ estimate + offset)
        gradient = columns.T @ (weight * (labels - fitted)) - precision * (estimate - centre)
        curvature = (columns.T * (weight * fitted * (1 - fitted))) @ columns + np.diag(precision)
        step = np.linalg.solve(curvature, gradient)
        estimate = estimate + step
        if np.abs(step).max() < _CONVERGED:
            break
    return estimate, _covariance(columns, labels, estimate, offset=offset, weight=weight, precision=precision)


def _covariance(
    columns: FloatArray,
    labels: FloatArray,
    estimate: FloatArray,
    *,
    offset: FloatArray,
    weight: FloatArray,
    precision: FloatArray,
) -> FloatArray:
    fitted = probability_of(columns @ estimate + offset)
    curvature = (columns.T * (weight * fitted * (1 - fitted))) @ columns + np.diag(precision)
    bread = np.linalg.inv(curvature)
    if not np.ptp(weight):
        return cast("FloatArray", bread)
    scores = columns * (weight * (labels - fitted))[:, None]
    return cast("FloatArray", bread @ (scores.T @ scores + np.diag(precision)) @ bread)
