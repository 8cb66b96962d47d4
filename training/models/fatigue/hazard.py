"""The hazard of one message by pressure, from holdbacks drawn at random, or only seen.

Within a level of pressure a message was sent or withheld at random, so the weighted difference between the two
is its effect at that pressure (the weighted and centred estimator with the level as moderator, Boruvka et al.
2018). It meets what is declared, believed to within itself, and is made to rise with pressure (isotonic,
weighted by precision).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from decisions.scorers.base import LEVELS, FloatArray

if TYPE_CHECKING:
    from collections.abc import Iterator

_FEWEST = 2
"""An arm of fewer rows has no spread to speak of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomisedPressure:
    """Messages of one channel that were sent or held back at random; one row a decision.

    ``level`` messages in the seven days before (LEVELS − 1 for all above); ``sent`` what the draw said;
    ``propensity`` its probability of sending, strictly between 0 and 1; ``lost`` whether the channel was lost in
    the outcome window; ``response`` the customer's reaction rate to the messages that followed within it, NaN
    where none did.
    """

    level: NDArray[np.int64]
    sent: NDArray[np.bool_]
    propensity: FloatArray
    lost: NDArray[np.bool_]
    response: FloatArray

    def at(self, rows: NDArray[np.bool_]) -> RandomisedPressure:
        """Return the rows where ``rows`` is true."""
        return RandomisedPressure(
            level=self.level[rows],
            sent=self.sent[rows],
            propensity=self.propensity[rows],
            lost=self.lost[rows],
            response=self.response[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """``mean`` hazard and its standard ``error`` by level, (LEVELS,) each; ``rows`` that stood behind each."""

    mean: FloatArray
    error: FloatArray
    rows: NDArray[np.int64]


def randomised_hazard(drawn: RandomisedPressure, *, declared: FloatArray) -> Hazard:
    """Return the added hazard by level, drawn towards ``declared``; it never falls and is never below 0."""
    seen, error = np.full(LEVELS, np.nan), np.full(LEVELS, np.inf)
    for level, rows in _levels(drawn):
        seen[level], error[level] = _effect(rows, rows.lost.astype(np.float64))
    return _shrunk(seen, error, declared, np.bincount(drawn.level, minlength=LEVELS))


def observed_hazard(level: NDArray[np.int64], lost: NDArray[np.bool_], *, declared: FloatArray) -> Hazard:
    """Return the rate of loss by level among messages that were *not* drawn at random: a description, no effect.

    Whoever bears many messages is not who loses the channel at the first, so it is used as a labelled prior
    only. A rate meets the declared one as a beta-binomial worth as many messages as bring one loss.
    """
    sends, losses = np.bincount(level, minlength=LEVELS), np.bincount(level, lost, minlength=LEVELS)
    strength = 1 / np.maximum(declared, 1e-6)
    rate = (losses + strength * declared) / (sends + strength)
    error = np.sqrt(rate * (1 - rate) / (sends + strength))
    return Hazard(mean=_rising(rate, error), error=error, rows=sends)


def randomised_drop(drawn: RandomisedPressure, *, declared: float) -> float:
    """Return the share of later response that one more message costs, in [0, 1), drawn towards ``declared``.

    The weighted difference in later reaction rates, sent against held back, over the rate of those held back.
    """
    known = drawn.at(~np.isnan(drawn.response))
    held = known.response[~known.sent]
    if min(known.sent.sum(), len(held)) < _FEWEST or not held.mean():
        return declared
    effect, error = _effect(known, known.response)
    seen, spread = -effect / held.mean(), error / held.mean()
    weights = np.array([max(spread, 1e-9), max(declared, 1e-3)]) ** -2.0
    return float(np.clip(weights @ [seen, declared] / weights.sum(), 0.0, 0.99))


def _levels(drawn: RandomisedPressure) -> Iterator[tuple[int, RandomisedPressure]]:
    for level in range(LEVELS):
        rows = drawn.at(drawn.level == level)
        if min(rows.sent.sum(), (~rows.sent).sum()) >= _FEWEST:
            yield level, rows


def _effect(rows: RandomisedPressure, outcome: FloatArray) -> tuple[float, float]:
    weight = np.where(rows.sent, 1 / rows.propensity, 1 / (1 - rows.propensity))
    (sent, sent_variance), (held, held_variance) = (
        _weighted_mean(outcome[arm], weight[arm]) for arm in (rows.sent, ~rows.sent)
    )
    return sent - held, float(np.sqrt(sent_variance + held_variance))


def _weighted_mean(outcome: FloatArray, weight: FloatArray) -> tuple[float, float]:
    # One pseudo-row at one half keeps an arm without any loss from claiming certainty.
    mean = float(np.average(outcome, weights=weight))
    careful = (weight.sum() * mean + 0.5) / (weight.sum() + 1)
    variance = max(float(np.average((outcome - mean) ** 2, weights=weight)), careful * (1 - careful) * 0.5)
    effective = weight.sum() ** 2 / (weight @ weight)
    return mean, variance / effective


def _shrunk(seen: FloatArray, error: FloatArray, declared: FloatArray, rows: NDArray[np.int64]) -> Hazard:
    believed = np.maximum(declared, 1e-6)
    precision, prior = error**-2.0, believed**-2.0
    mean = (np.nan_to_num(seen) * precision + declared * prior) / (precision + prior)
    spread = (precision + prior) ** -0.5
    return Hazard(mean=_rising(mean, spread), error=spread, rows=rows)


def _rising(mean: FloatArray, error: FloatArray) -> FloatArray:
    from sklearn.isotonic import isotonic_regression  # noqa: PLC0415  # slow to import

    return cast("FloatArray", np.clip(isotonic_regression(mean, sample_weight=error**-2.0), 0.0, 1.0))
