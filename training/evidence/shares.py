"""How many would-be sends are worth holding back: by what could still be learned that would change a decision.

A decision sends where ratio · gain is above its cost. Nobody gains by knowing the ratio better where no decision
would turn out otherwise; what it is worth is the expected value of sample information (Raiffa & Schlaifer 1961),
over the windows in which it will be used, less what the held messages would have earned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.evidence.ratios import LEDGER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from measures.estimate import Estimate
    from training.evidence.sample import Floats, Sample

FLOOR = 0.005
"""The share that is always held, so that drift is seen."""
SHARES = (0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2)
"""The shares that are weighed up; one is chosen between windows, and holds for the next."""
WINDOWS_A_YEAR = 26.0
"""What is learned is taken to hold for a year of fortnights: after that it is measured again."""
_POINTS = 41


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The ``share`` to hold back in the next window; ``worth`` and ``price`` of it, in money a decision of it."""

    share: float
    worth: float
    price: float


def proposed(
    known: Estimate, gain: Floats, cost: Floats, *, draw_error: float, windows: float, floor: float = FLOOR
) -> Proposal:
    """Return the share that earns most, ``floor`` at least.

    ``known`` is the ratio's posterior; ``gain`` and ``cost`` (decisions,) are those of one window, before any
    ratio; ``draw_error`` is the error of a ratio told by one draw with p(1 − p) = 1; what is learned is used in
    ``windows`` such windows.
    """
    nodes, weight = np.polynomial.hermite_e.hermegauss(_POINTS)
    weight = weight / weight.sum()
    now = _earned(known.mean, gain, cost)
    best = Proposal(share=floor, worth=0.0, price=floor * now)
    for share in sorted({floor, *(each for each in SHARES if each >= floor)}):
        noise = draw_error**2 / (len(gain) * share * (1 - share))
        moved = known.error**2 / np.sqrt(known.error**2 + noise)
        later = np.array([_earned(known.mean + moved * node, gain, cost) for node in nodes])
        found = Proposal(share=share, worth=windows * float(weight @ later - now), price=share * now)
        if found.worth - found.price > best.worth - best.price:
            best = found
    return best


def suggested(sample: Sample, known: Estimate, error: float, cost: Mapping[str, float]) -> Proposal | None:
    """Return the proposal for the window after the last of our own draws; None without any.

    ``error`` is that of the ratio all of our draws told; ``cost`` what a message of each pair costs.
    """
    own = dict(sample.by_source()).get(LEDGER)
    if own is None:
        return None
    room = float(np.sum(own.propensity * (1 - own.propensity)))
    last = own.of(own.window == own.window.max())
    price = np.array([cost.get(pair, 0.0) for pair in own.pairs])[last.pair]
    return proposed(known, last.predicted_margin, price, draw_error=error * room**0.5, windows=WINDOWS_A_YEAR)


def _earned(ratio: float, gain: Floats, cost: Floats) -> float:
    """Return what a decision earns on average where ``ratio`` is believed and true."""
    return float(np.maximum(0.0, ratio * gain - cost).mean())
