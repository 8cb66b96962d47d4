"""Is a source what it says? Its propensities can be, and its arms have the shares that those give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import chi2

from measures.arrays import sum_by
from training.evidence.sample import Sample

if TYPE_CHECKING:
    from training.evidence.sample import Integers

BROKEN = 0.001
"""A sample-ratio mismatch as unlikely as that is a fault and no chance: the threshold that is usual for it."""
_ROOM = 5.0
"""Σ p (1 − p) from which a sum of draws is taken for normal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """``sample`` without the sources that ``aside`` names, each with what is wrong with it."""

    sample: Sample
    aside: Mapping[str, str]


def check(sample: Sample) -> Checked:
    """Set aside every source that cannot have been drawn as it says."""
    aside = {name: fault for name, part in sample.by_source() if (fault := _fault(name, part))}
    bad = np.isin(sample.source, [sample.sources.index(name) for name in aside])
    return Checked(sample=sample.of(~bad), aside=aside)


def balance(sample: Sample) -> float:
    """Return P(arms as far from their declared shares by chance): the χ² test, by window, pair and household.

    Each window and pair is compared by itself, those too small for that together; where households were drawn as
    one, the sums of households are what varies.
    """
    cell = _cells(sample)
    excess = sample.sent - sample.propensity
    count = int(cell.max()) + 1
    units = int(sample.unit.max()) + 1
    key, place = np.unique(cell * units + sample.unit, return_inverse=True)
    by_unit = sum_by(excess, place, len(key))
    variance = sum_by(by_unit**2, key // units, count)
    variance = np.maximum(variance, sum_by(sample.propensity * (1 - sample.propensity), cell, count))
    statistic = sum_by(excess, cell, count) ** 2 / variance
    return float(chi2.sf(statistic.sum(), count))


def _cells(sample: Sample) -> Integers:
    """Number the windows and pairs; those in which few draws could have gone either way are one."""
    cell = np.unique(sample.window * len(sample.pairs) + sample.pair, return_inverse=True)[1]
    room = sum_by(sample.propensity * (1 - sample.propensity), cell, int(cell.max()) + 1)
    merged: Integers = np.unique(np.where(room[cell] < _ROOM, -1, cell), return_inverse=True)[1]
    return merged


def _fault(name: str, part: Sample) -> str | None:
    finite = np.isfinite(part.propensity)
    bad = ~finite | (part.propensity <= 0) | (part.propensity >= 1)
    if bad.any():
        shown = part.propensity[bad][0]
        return (
            f"{name} is set aside: {int(bad.sum())} of {part.size} rows have a propensity such as {shown:g}, "
            "which leaves nothing to chance; give the chance with which each row's arm was drawn, between 0 and 1"
        )
    if part.sent.all() or not part.sent.any():
        arm = "sent" if part.sent.all() else "held"
        return f"{name} is set aside: all {part.size} rows are {arm}; a trial needs its control rows, too"
    if (p_value := balance(part)) < BROKEN:
        sent, expected = int(part.sent.sum()), part.propensity.sum()
        return (
            f"{name} is set aside: {sent} of {part.size} rows were sent where {expected:.0f} were to be expected "
            f"(p = {p_value:.2g}); rows of one arm are missing, or the shares are not those it was drawn with"
        )
    return None
