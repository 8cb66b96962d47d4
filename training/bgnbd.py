"""BG/NBD, the classical model of buying until leaving unseen (Fader, Hardie, Lee 2005), a challenger to churn.

While alive, a customer buys at a Poisson rate λ ~ Gamma(r, α); after each purchase they leave with probability
p ~ Beta(a, b). Data per customer: x repeat purchases, the last of them at t_x, observed until T (days since the
first). All integrals are closed:

    A₁(T) = B(a, b+x) / (α+T)^(r+x)          still here, silent until T
    A₂    = B(a+1, b+x−1) / (α+t_x)^(r+x)    left after the last purchase (x > 0)

so the likelihood is Γ(r+x) αʳ / (Γ(r) B(a,b)) · (A₁ + A₂), and
P(silent for h more days) = (A₁(T+h) + A₂) / (A₁(T) + A₂).
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

from decisions.scorers.base import FloatArray

_SPAN = 9.0
"""Parameters are sought within e^±9: wider ones mean that the data do not hold the model down."""


@dataclass(frozen=True, slots=True)
class History:
    """Per customer: ``repeats`` x, ``last`` t_x and ``observed`` T in days, each (n,)."""

    repeats: FloatArray
    last: FloatArray
    observed: FloatArray

    def __post_init__(self) -> None:
        """Refuse a history that cannot have happened."""
        wrong = (self.repeats < 0) | (self.last < 0) | (self.last > self.observed)
        if np.any(wrong):
            raise ValueError(
                f"{int(wrong.sum())} customers have x < 0, t_x < 0 or t_x > T; count x and t_x from the first "
                "purchase on"
            )


@dataclass(frozen=True, slots=True)
class BgNbd:
    """The four parameters; :meth:`fit` estimates them by maximum likelihood."""

    r: float
    alpha: float
    a: float
    b: float

    @classmethod
    def fit(cls, history: History) -> BgNbd:
        """Return the maximum-likelihood estimate.

        Raises:
            ArithmeticError: if the search does not converge.
        """
        scale = max(float(history.observed.mean()), 1.0)

        def loss(logs: FloatArray) -> float:
            r, alpha, a, b = np.exp(logs)
            return -cls(r, alpha * scale, a, b).log_likelihood(history) / len(history.repeats)

        found = minimize(loss, np.zeros(4), method="L-BFGS-B", bounds=[(-_SPAN, _SPAN)] * 4)
        if not found.success:
            raise ArithmeticError(f"BG/NBD found no maximum of its likelihood: {found.message}")
        r, alpha, a, b = np.exp(found.x).tolist()
        return cls(r, alpha * scale, a, b)

    def log_likelihood(self, history: History) -> float:
        """Return the log-likelihood of the histories."""
        common = gammaln(self.r + history.repeats) - gammaln(self.r) + self.r * np.log(self.alpha)
        alive, gone = self._alive(history, 0.0), self._gone(history)
        return float(np.sum(common - betaln(self.a, self.b) + np.logaddexp(alive, gone)))

    def silence(self, history: History, days: float) -> FloatArray:
        """Return P(no purchase in the next ``days``), (n,)."""
        now, later, gone = self._alive(history, 0.0), self._alive(history, days), self._gone(history)
        return np.asarray(np.exp(np.logaddexp(later, gone) - np.logaddexp(now, gone)))

    def as_parameters(self) -> dict[str, float]:
        """Return the parameters as a run logs them."""
        return dict(zip(("bgnbd_r", "bgnbd_alpha", "bgnbd_a", "bgnbd_b"), astuple(self), strict=True))

    def _alive(self, history: History, ahead: float) -> FloatArray:
        exponent = self.r + history.repeats
        terms = betaln(self.a, self.b + history.repeats) - exponent * np.log(self.alpha + history.observed + ahead)
        return np.asarray(terms)

    def _gone(self, history: History) -> FloatArray:
        repeats = np.maximum(history.repeats, 1.0)
        terms = betaln(self.a + 1.0, self.b + repeats - 1.0) - (self.r + repeats) * np.log(
            self.alpha + history.last
        )
        return np.where(history.repeats > 0, terms, -np.inf)
