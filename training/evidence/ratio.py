"""How much of what the value model predicts comes true: one ratio, from draws.

A row's contrast is (A − p)(Y − g): A whether it was sent, p the chance of that, Y what came, g what was expected.
Whatever g is, its mean over draws is p(1 − p) times the true effect, so that

    ratio = Σ h (A − p)(Y − g) / Σ h (A − p)² m

is the true effect over the predicted one, m, both weighted by h·p(1 − p): the weighted-centred estimate (Boruvka
et al. 2018; with g = E[Y] Robinson's, 1988). The weights h = m / Var(Y) are the best ones for a ratio that is one
number; g decides the error alone. Sources with p near 0 or 1 count little, as they know little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from measures.arrays import sum_by
from measures.estimate import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.evidence.sample import Floats, Sample

SEASON_STRENGTH = 5.0
"""The orders that what is expected weighs against what a window shows: a week with few draws tells no season."""
SPREAD_STRENGTH = 20.0
"""The orders that Poisson's spread weighs: few draws of one arm can by chance all come out alike."""
_LEAST = 1e-6
"""Nobody's orders in a window are expected to be rarer."""
_MOST = 10.0
"""No ratio is believed to be larger where weights are found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A ratio and two errors of it: ``robust`` lets rows of one unit depend on each other and vary as they do.

    ``counting`` is what would be left if all counted events were Poisson: it rests on what was expected, not on
    what came, so that estimates weighed by it are not the heavier for having come out small.
    """

    mean: float
    robust: float
    counting: float
    events: float
    """Orders in the arm that has fewer."""

    @property
    def inflation(self) -> float:
        """How many times the counting error the error is: the robust one, as far as orders can tell it."""
        told = (self.robust / self.counting) ** 2
        return float(np.sqrt((self.events * told + SPREAD_STRENGTH) / (self.events + SPREAD_STRENGTH)))

    @property
    def estimate(self) -> Estimate:
        """The ratio with its standard error."""
        return Estimate(mean=self.mean, error=self.counting * self.inflation)


def ratio(sample: Sample, *, money: bool = False) -> Ratio | None:
    """Return the ratio on orders, or on margin (``money``); None where it cannot be told: an arm is empty."""
    if not (sample.sent.any() and (~sample.sent).any()) or sample.unit.min() == sample.unit.max():
        return None
    first = _told(sample, believed=1.0, money=False)
    if first is None:
        return None
    # What is expected holds the effect as well: weights are better, and errors none too wide, the second time.
    return _told(sample, believed=min(max(first.mean, 0.0), _MOST), money=money)


def _told(sample: Sample, *, believed: float, money: bool) -> Ratio | None:
    expected = _orders(sample, believed)
    weight = sample.predicted / expected
    centred = sample.sent - sample.propensity
    outcome, level, predicted = sample.orders, expected, sample.predicted
    if money:
        outcome, level, predicted = sample.margin, _money(sample, expected, believed), sample.predicted_margin
    below = float(np.sum(weight * centred**2 * predicted))
    if below <= 0:
        return None
    found = float(np.sum(weight * centred * (outcome - level))) / below
    pull = weight * centred * (outcome - level - found * centred * predicted) / below
    value = np.divide(level, expected, out=np.ones_like(level), where=expected > 0)
    spread = sample.propensity * (1 - sample.propensity) * expected * value**2
    counting = float(np.sqrt(np.sum(weight**2 * spread))) / below
    return Ratio(mean=found, robust=_by_unit(pull, sample.unit), counting=counting, events=_events(sample))


def effect(sample: Sample, *, money: bool = False) -> Estimate | None:
    """Return what a message adds on average over the drawn rows, each counting alike, in orders or margin.

    Inverse-propensity weights, outcomes less what was expected, self-normalised by arm (Hájek). None as in
    :func:`ratio`.
    """
    if not (sample.sent.any() and (~sample.sent).any()):
        return None
    expected = _orders(sample, 1.0)
    rest = sample.margin - _money(sample, expected, 1.0) if money else sample.orders - expected
    weight = np.where(sample.sent, 1 / sample.propensity, 1 / (1 - sample.propensity))
    total = {arm: float(weight[sample.sent == arm].sum()) for arm in (True, False)}
    level = {arm: float((weight * rest)[sample.sent == arm].sum()) / each for arm, each in total.items()}
    centred = rest - np.where(sample.sent, level[True], level[False])
    pull = np.where(sample.sent, 1 / total[True], -1 / total[False]) * weight * centred
    return Estimate(mean=level[True] - level[False], error=_by_unit(pull, sample.unit))


def _orders(sample: Sample, believed: float) -> Floats:
    """Return E[orders] of each row before its draw, season and all; as counts go, it is their variance, too."""
    drawn = _before(sample, believed)
    expected: Floats = drawn * _season(sample.orders, drawn, sample.window)
    return expected


def _before(sample: Sample, believed: float) -> Floats:
    drawn: Floats = np.maximum(sample.expected + believed * sample.propensity * sample.predicted, _LEAST)
    return drawn


def _season(came: Floats, expected: Floats, window: NDArray[np.int64]) -> Floats:
    """Return by row how many times what was expected came in its window, both arms together: that is no effect."""
    names, place = np.unique(window, return_inverse=True)
    total, drawn = sum_by(came, place, len(names)), sum_by(expected, place, len(names))
    factor: Floats = ((total + SEASON_STRENGTH) / (drawn + SEASON_STRENGTH))[place]
    return factor


def _money(sample: Sample, expected: Floats, believed: float) -> Floats:
    """Return E[margin] before the draw: expected orders at the row's own margin an order."""
    money = sample.expected_margin + believed * sample.propensity * sample.predicted_margin
    level: Floats = expected * money / _before(sample, believed)
    return level


def _events(sample: Sample) -> float:
    return float(min(sample.orders[sample.sent].sum(), sample.orders[~sample.sent].sum()))


def _by_unit(pull: Floats, unit: NDArray[np.int64]) -> float:
    # Units are numbered from 0, so that those of other rows add nothing.
    sums = np.bincount(unit, pull)
    count = int(np.count_nonzero(np.bincount(unit)))
    return float(np.sqrt(float(sums @ sums) * count / max(count - 1, 1)))
