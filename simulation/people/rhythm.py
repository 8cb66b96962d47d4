"""When people look: habits as mixtures of a few daily curves, and how long a message waits to be seen.

A message stays worth looking at for a while (a mixture of log-normal delays); the person's attention at those
hours decides whether it is seen and when. Attention is linear in a person's mixture, so that no curve of 168 hours
is ever kept per person.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from simulation.calendar import WEEK_HOURS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.family import Attention, Rhythm

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

# (centre in hours, width in hours, weight) of the humps of a weekday and of a weekend day.
_HABITS = (
    (((7.0, 1.2, 1.0), (18.0, 1.5, 0.8)), ((10.0, 2.5, 0.6),)),  # commuters
    (((10.5, 1.5, 1.0), (15.0, 1.8, 1.0)), ((16.0, 4.0, 0.2),)),  # at a desk
    (((12.5, 0.8, 1.0), (20.0, 1.5, 0.7)), ((13.0, 2.0, 0.7),)),  # lunch and sofa
    (((20.5, 1.6, 1.0),), ((20.5, 2.0, 1.0),)),  # evenings
    (((23.5, 1.8, 1.0),), ((0.5, 2.0, 1.2),)),  # night owls
    (((9.5, 1.5, 1.0), (13.5, 1.5, 0.6)), ((9.0, 1.5, 0.8),)),  # mornings at home
    (((17.0, 3.0, 0.2),), ((11.0, 2.5, 1.4), (17.0, 3.0, 1.2))),  # weekends
    (((13.0, 5.0, 0.8),), ((14.0, 5.0, 0.8),)),  # any time of the day
)
HABITS = len(_HABITS)
_NIGHT = 0.04
"""Nobody is ever quite asleep: added to every hour, relative to a hump's top."""


def _curve(week: tuple[tuple[tuple[float, float, float], ...], ...]) -> Floats:
    hours = np.arange(24) + 0.5
    days = []
    for humps in (week[0],) * 5 + (week[1],) * 2:
        apart = [np.abs(hours - centre) for centre, _, _ in humps]
        shapes = [
            weight * np.exp(-0.5 * (np.minimum(far, 24 - far) / width) ** 2)
            for far, (_, width, weight) in zip(apart, humps, strict=True)
        ]
        days.append(np.sum(shapes, axis=0) + _NIGHT)
    curve: Floats = np.concatenate(days)
    curve /= curve.sum()
    return curve


CURVES = np.stack([_curve(week) for week in _HABITS])
"""(HABITS, 168): each habit's share of attention by hour of the local week."""


WAITED_HOURS = 4 * WEEK_HOURS
"""Nobody looks at a message that is older."""


def waiting(attention: Attention) -> Floats:
    """Return the share of looks that fall into each of the hours after a message, summing to 1."""
    edges = np.arange(WAITED_HOURS + 1, dtype=np.float64)
    below = np.zeros_like(edges)
    for share, median, spread in attention.delays:
        below += share * np.array([_lognormal(edge, median, spread) for edge in edges])
    shares: Floats = np.diff(below)
    shares /= shares.sum()
    return shares


def _lognormal(hours: float, median: float, spread: float) -> float:
    return 0.5 * (1 + erf(log(hours / median) / (spread * sqrt(2)))) if hours > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Attending:
    """What the hour of a message does in one regime; ``curves`` are the habits as they stand in it."""

    curves: Floats
    wait: Floats
    pull: float

    @classmethod
    def of(cls, rhythm: Rhythm, attention: Attention, *, turned: int = 0) -> Attending:
        """Return it with all habits turned ``turned`` hours later."""
        return cls(np.roll(CURVES, turned, axis=1), waiting(attention), rhythm.pull)

    @property
    def ahead(self) -> Floats:
        """(HABITS, 168): attention over the hours that a message of each slot waits, averaging 1 over slots."""
        waits = np.fft.rfft(self.wait.reshape(-1, WEEK_HOURS).sum(axis=0))
        seen: Floats = np.fft.irfft(np.fft.rfft(self.curves, axis=1) * np.conj(waits), n=WEEK_HOURS, axis=1)
        return seen * WEEK_HOURS

    def factor(self, mix: Floats, slot: Ints, ahead: Floats) -> Floats:
        """Return the factor of each slot on the strength of attention; ``ahead`` is the property, read once."""
        factor: Floats = 1 - self.pull + self.pull * np.einsum("nk,kn->n", mix, ahead[:, slot])
        return factor

    def delays(self, mix: Floats, slot: Ints, uniform: Floats) -> Floats:
        """Return how many hours after it was sent a message is seen, given that it is."""
        hours = (slot[:, None] + np.arange(WEEK_HOURS)) % WEEK_HOURS
        look = 1 - self.pull + self.pull * WEEK_HOURS * np.take_along_axis(mix @ self.curves, hours, axis=1)
        waits = self.wait.reshape(-1, WEEK_HOURS)
        below = np.cumsum((look[:, None, :] * waits).reshape(len(slot), -1), axis=1)
        target = uniform * below[:, -1]
        hour = (below < target[:, None]).sum(axis=1)
        before = np.where(hour > 0, np.take_along_axis(below, np.maximum(hour - 1, 0)[:, None], 1)[:, 0], 0.0)
        within = np.take_along_axis(below, hour[:, None], 1)[:, 0] - before
        inside: Floats = hour + (target - before) / within
        return inside
