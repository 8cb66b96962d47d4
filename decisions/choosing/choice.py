r"""Choosing with known probabilities: inverse-gap weighting within a loss budget, then holdback.

At one stage there are K options with values v. With a scale s > 0, the gap of option i is g = (max v − v) / s, and

    w(i) = 1 / (K + γ·g(i))  for every option that is not the best;  the best share what is left,
    p(i) = (1 − K·f)·w(i) + f,

with the floor f and the least γ ≥ 0 for which the expected loss Σ p(i)·g(i) is within the stage's budget b. As γ
grows the first part tends to 0, so such a γ exists while f·Σ g ≤ b; where the floor alone would cost more, the
floor gives way: f = b / Σ g. (Inverse-gap weighting: Abe and Long 1999; Foster and Rakhlin 2020.)
"""

from __future__ import annotations

from itertools import accumulate
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_HALVINGS = 24  # γ to a part in ten million of its bound; what is left unspent of the budget is as little


def explore(values: Sequence[float], *, scale: float, budget: float, floor: float) -> tuple[float, ...]:
    """Return the probability of each option; they sum to 1, and equal values get equal ones.

    The expected loss Σ pᵢ (max v − vᵢ) is at most ``budget`` · ``scale``. Each probability is at least ``floor``
    (at most 1/K), unless the budget forbids it.
    """
    top = max(values)
    gaps = [(top - value) / scale for value in values]
    count, total = len(gaps), sum(gaps)
    if not isfinite(total):
        raise ValueError(f"the values to choose among must be finite, got {list(values)}")
    if total <= budget * count:
        return (1.0 / count,) * count
    least = min(floor, 1.0 / count, budget / total)
    rest = 1.0 - count * least
    spare = (budget - least * total) / rest if rest > 0 else 0.0
    return tuple(rest * weight + least for weight in _weights(gaps, spare))


def _weights(gaps: Sequence[float], budget: float) -> list[float]:
    """Return the inverse-gap weights with the least γ whose loss is within ``budget``."""
    best = gaps.count(0.0)
    if budget <= 0:
        return [(gap == 0.0) / best for gap in gaps]
    gamma = _gamma(gaps, budget)
    weights = [1.0 / (len(gaps) + gamma * gap) if gap else 0.0 for gap in gaps]
    left = 1.0 - sum(weights)
    return [weight if gap else left / best for weight, gap in zip(weights, gaps, strict=True)]


def _gamma(gaps: Sequence[float], budget: float) -> float:
    """Bisect for γ, keeping the side on which the loss is within ``budget``."""
    count, costly = len(gaps), [gap for gap in gaps if gap]
    low, high = 0.0, count / budget  # there each term of the loss is below 1/γ
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if sum([gap / (count + middle * gap) for gap in costly]) > budget:  # a list: sums faster than it yields
            low = middle
        else:
            high = middle
    return high


def pick(probabilities: Sequence[float], at: float) -> int:
    """Return the option in whose stretch of [0, 1) the draw ``at`` falls; never one of probability 0."""
    for place, bound in enumerate(accumulate(probabilities)):
        if at < bound:
            return place
    return max(place for place, probability in enumerate(probabilities) if probability > 0)
