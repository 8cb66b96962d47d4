"""Randomised sends: what an effect can be learned from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from decisions.scorers.base import FloatArray
from measures.estimate import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomisedSends:
    """One treatment (an offer on a channel) against hold, both drawn at random; one row a decision.

    ``columns`` (n, features) as known before the draw, ``names`` their names; ``treated`` whether the draw said
    send (intention to treat: what came of it is outcome); ``propensity`` its probability of send, strictly
    between 0 and 1; ``margin`` the gross margin in the outcome window after the decision, send or hold;
    ``engaged`` whether the customer engaged in it, where known; ``groups`` numbers the customers.
    """

    columns: FloatArray
    names: tuple[str, ...]
    treated: NDArray[np.bool_]
    propensity: FloatArray
    margin: FloatArray
    groups: NDArray[np.int64]
    engaged: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        """Refuse what was not random."""
        certain = (self.propensity <= 0) | (self.propensity >= 1)
        if certain.any():
            raise ValueError(
                f"{int(certain.sum())} of {len(certain)} sends have a propensity of 0 or 1: those were not drawn, "
                "leave them out"
            )

    @property
    def fewest(self) -> int:
        """The size of the smaller arm."""
        return int(min(self.treated.sum(), (~self.treated).sum()))

    def of(self, rows: NDArray[np.bool_]) -> RandomisedSends:
        """Return the rows where ``rows`` is true."""
        return replace(
            self,
            columns=self.columns[rows],
            treated=self.treated[rows],
            propensity=self.propensity[rows],
            margin=self.margin[rows],
            groups=self.groups[rows],
            engaged=None if self.engaged is None else self.engaged[rows],
        )


def mean_by_customer(values: FloatArray, groups: NDArray[np.int64]) -> Estimate:
    """Return the mean of ``values`` with a standard error that lets rows of one customer depend on each other."""
    mean = float(values.mean())
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], values - mean)
    count = max(len(sums), 2)
    error = np.sqrt(float(sums @ sums) * count / (count - 1)) / len(values)
    return Estimate(mean=mean, error=float(error))


def weighted_difference(sends: RandomisedSends, outcome: FloatArray) -> FloatArray:
    """Return each row's inverse-propensity score: their mean is the effect of sending on ``outcome``.

    Self-normalised: outcomes are centred at their arm's weighted mean, which costs no bias to speak of and spares
    much variance.
    """
    weight = np.where(sends.treated, 1 / sends.propensity, 1 / (1 - sends.propensity))
    level = {arm: float(np.average(outcome[arm_rows], weights=weight[arm_rows])) for arm, arm_rows in _arms(sends)}
    centred = outcome - np.where(sends.treated, level[True], level[False])
    return level[True] - level[False] + np.where(sends.treated, 1, -1) * weight * centred


def pooled_effect(sends: RandomisedSends, outcome: FloatArray | None = None) -> Estimate:
    """Return the mean effect of a send on ``outcome`` (default: the margin), for everybody alike."""
    chosen = sends.margin if outcome is None else outcome
    return mean_by_customer(weighted_difference(sends, chosen), sends.groups)


def kappa(sends: RandomisedSends, *, declared: float) -> Estimate:
    """Return the margin an additional engagement brings: effect on margin over effect on engagement.

    Few sends make the ratio wild, so it meets the declared value, which is believed to within itself. The error of
    the ratio is the delta method's.

    Raises:
        ValueError: if engagement is not known.
    """
    if sends.engaged is None:
        raise ValueError("kappa needs to know who engaged; give `engaged`, or more randomised sends to do without")
    reached = pooled_effect(sends, sends.engaged.astype(np.float64))
    if reached.mean <= 2 * reached.error:
        return Estimate(mean=declared, error=abs(declared))  # a ratio over what may be zero says nothing
    gained = pooled_effect(sends)
    ratio = gained.mean / reached.mean
    rest = weighted_difference(sends, sends.margin - ratio * sends.engaged)
    error = mean_by_customer(rest, sends.groups).error / reached.mean
    return Estimate(mean=ratio, error=error).meeting(Estimate(mean=declared, error=abs(declared)))


def _arms(sends: RandomisedSends) -> tuple[tuple[bool, NDArray[np.bool_]], ...]:
    return ((True, sends.treated), (False, ~sends.treated))
