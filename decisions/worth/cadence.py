"""How often to write: the interval that earns most, what wears off and what is lost taken into account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from decisions.worth.beliefs import Beliefs

Floats = NDArray[np.float64]

INTERVALS: tuple[float, ...] = (3.5, 4, 5, 6, 7, 8, 10, 12, 14, 17, 21, 28, 42, 60, 90)
"""Days between messages that are weighed up."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Cadence:
    """The best cadence of each person on each channel: (people, channels)."""

    days: Floats
    """Between messages,"""
    pressure: Floats
    """the pressure that such a message meets,"""
    rate: Floats
    """and what it earns a day; where that is not above 0, nothing should be sent."""


def steady_pressure(days: Floats, half_life_days: float) -> Floats:
    """Return the pressure that messages one every ``days`` meet: r / (1 − r), r = 2^(−days / half-life)."""
    left = 0.5 ** (days / half_life_days)
    pressure: Floats = left / (1 - left)
    return pressure


def cadence(gain: Floats, *, cost: Floats, loss: Floats, spend: Floats, beliefs: Beliefs) -> Cadence:
    """Return the best cadence of each person on each channel.

    ``gain`` is what a message earns a rested person before costs, (people, channels); ``cost`` its send cost, of
    the same shape or (channels,); ``loss`` the chance that it loses the channel, (channels,); ``spend`` each one's
    relative spend.

    A message every d days meets the pressure of :func:`steady_pressure`. The interval maximises
    [gain · wear − cost − customers driven off − channel lost] / d, a lost channel costing what it would have
    earned (at its best rate before such losses) over the days it would have been used.
    """
    days = np.array(INTERVALS)
    pressure = steady_pressure(days, beliefs.half_life_days)
    driven_off = beliefs.churn_cost * spend[:, None, None] * pressure
    earned = gain[:, :, None] * np.exp(-beliefs.drop * pressure) - cost[..., None] - driven_off
    ahead = np.maximum(0.0, (earned / days).max(axis=2)) * beliefs.reach_days * beliefs.reach_share
    lost = np.minimum(0.5, loss[:, None] * beliefs.loss_growth**pressure) * ahead[:, :, None]
    rate = (earned - lost) / days
    best = rate.argmax(axis=2)
    top = np.take_along_axis(rate, best[:, :, None], axis=2)[:, :, 0]
    return Cadence(days=days[best], pressure=pressure[best], rate=top)
