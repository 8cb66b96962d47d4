"""Before the experiment: how many customers it takes, or what it could show with those there are.

Normal approximations for the difference of two means (Welch) or rates; CUPED enters by the correlation ρ of a
customer's metric before and after, which leaves 1 − ρ² of the variance (Deng et al., 2013).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from measures.outcome import NotComputable


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A metric without the treatment: ``mean`` and ``sd`` a customer; for a rate, ``sd`` follows from the mean.

    ``correlation`` is ρ between before and after, 0 where CUPED is not used.
    """

    mean: float
    sd: float | None = None
    correlation: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a baseline that no customer could have."""
        if self.sd is None and not 0 < self.mean < 1:
            raise ValueError(f"rate {self.mean} must lie between 0 and 1; for a mean give sd as well")
        if self.sd is not None and self.sd <= 0:
            raise ValueError(f"sd {self.sd} must be above 0")
        if not -1 < self.correlation < 1:
            raise ValueError(f"correlation {self.correlation} must lie between -1 and 1")

    def variance(self, mean: float) -> float:
        """Return a customer's variance where the metric is ``mean``, after CUPED."""
        plain = mean * (1 - mean) if self.sd is None else self.sd**2
        return plain * (1 - self.correlation**2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How sure to be: the two-sided error rate ``alpha``, the ``power``, and the ``share`` of the treated."""

    alpha: float = 0.05
    power: float = 0.8
    share: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what is no probability."""
        for name in ("alpha", "power", "share"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} must lie strictly between 0 and 1")


def sample_size(baseline: Baseline, effect: float, plan: Plan = Plan()) -> int | NotComputable:
    """Return the customers needed, both arms together, to find an absolute ``effect``."""
    if effect == 0:
        return NotComputable("an effect of 0 is never found, however many customers")
    if not _possible(baseline, effect):
        return NotComputable(f"rate {baseline.mean} with effect {effect} would leave 0 to 1")
    z = norm.ppf(1 - plan.alpha / 2) + norm.ppf(plan.power)
    return math.ceil(_spread(baseline, effect, plan) * (z / effect) ** 2)


def power(baseline: Baseline, effect: float, n: int, plan: Plan = Plan()) -> float | NotComputable:
    """Return the probability that ``n`` customers, both arms together, show an absolute ``effect``."""
    if n < 2 or not _possible(baseline, effect):  # noqa: PLR2004 - one customer an arm is the least
        return NotComputable(f"{n} customers and effect {effect} on {baseline.mean} are no experiment")
    z = abs(effect) / math.sqrt(_spread(baseline, effect, plan) / n)
    return float(norm.cdf(z - norm.ppf(1 - plan.alpha / 2)))


def detectable_effect(baseline: Baseline, n: int, plan: Plan = Plan()) -> float | NotComputable:
    """Return the smallest absolute increase that ``n`` customers show with the plan's power."""

    def missing(effect: float) -> float:
        z = norm.ppf(1 - plan.alpha / 2) + norm.ppf(plan.power)
        return effect - float(z) * math.sqrt(_spread(baseline, effect, plan) / n)

    top = 1 - baseline.mean if baseline.sd is None else np.inf
    if n < 2:  # noqa: PLR2004 - one customer an arm is the least
        return NotComputable(f"{n} customers are no experiment")
    if baseline.sd is not None:
        return float(-missing(0.0))
    if missing(top) < 0:
        return NotComputable(f"{n} customers show no increase of a rate of {baseline.mean} at all")
    return float(brentq(missing, 0.0, top))


def _possible(baseline: Baseline, effect: float) -> bool:
    return baseline.sd is not None or 0 < baseline.mean + effect < 1


def _spread(baseline: Baseline, effect: float, plan: Plan) -> float:
    """Return n · Var(difference of the two arms' means)."""
    control, treated = baseline.variance(baseline.mean), baseline.variance(baseline.mean + effect)
    return control / (1 - plan.share) + treated / plan.share
