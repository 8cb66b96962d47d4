"""The sender before Kairos: targets, never experiments, and writes nothing down of why.

Good customers, which only this sender knows (``vip``), get more mail, and more of it in a row; everybody is
written to at office hours of the sender's own zone, about what they seem to like. So the raw curve of opens by gap
falls although pressure never helps, and whoever learns from the log takes the target for the effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulation.calendar import HOUR, Calendar
from simulation.draws import Draws, Purpose
from simulation.messages import Messages
from simulation.shop import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from simulation.people.population import Population
    from simulation.state import State

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_DAILY = {"good": 0.3, "other": 0.15}
_WEEKEND = 0.15
"""How much of the weekdays' volume goes out on a weekend."""
_CHANNEL_SHARES = (0.75, 0.2, 0.05)
_AGAIN = {"good": 0.2, "other": 0.05}
"""Who gets a second message within the day, at mean attention."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Writes a day's messages."""

    calendar: Calendar
    draws: Draws
    aim: float = 1.0
    """How closely volume follows people's attention: 0 not at all, below 0 the other way round."""

    def messages(self, people: Population, state: State, day: int) -> Messages:
        """Return what goes out on ``day``: a first message, and to the warmest a second one hours later."""
        keen = _keen(people)
        volume = 1.0 if self.calendar.moment(day).weekday() < 5 else _WEEKEND  # noqa: PLR2004 - Saturday
        chance = np.minimum(0.8, _of(people, _DAILY) * keen ** (0.4 * self.aim)) * volume
        first, last = people.shop.office
        drawn = self.draws.generator(Purpose.SENDER, day).random((people.size, 5))
        moments = self.calendar.midnight(day) + ((first + drawn[:, 2] * (last - first)) * HOUR).astype(np.int64)
        begun = self._written(people, state, drawn, drawn[:, 0] < chance, moments)
        return Messages.joined([begun, self._again(people, state, begun, moments, day)])

    def _again(self, people: Population, state: State, begun: Messages, moments: Ints, day: int) -> Messages:
        """Return follow-ups. Strength of attention is what the sender sees in people's replies."""
        drawn = self.draws.generator(Purpose.SENDER, day, turn=1).random((people.size, 5))
        warm = drawn[:, 0] < np.minimum(0.9, _of(people, _AGAIN) * _keen(people) ** (2.5 * self.aim))
        warm &= np.isin(np.arange(people.size), begun.customer)
        later = moments + (2 + 4 * drawn[:, 2]) * HOUR
        return self._written(people, state, drawn, warm, later.astype(np.int64))

    def _written(self, people: Population, state: State, drawn: Floats, chosen: Flags, moments: Ints) -> Messages:
        channel = (np.cumsum(_CHANNEL_SHARES) < drawn[:, 1:2]).sum(axis=1).clip(max=len(CHANNELS) - 1)
        who = np.flatnonzero(chosen & state.reachable[np.arange(people.size), channel])
        return Messages.of(who, _offers(people, who, drawn[who, 4]), channel[who], moments[who])


def _keen(people: Population) -> Floats:
    """Return everybody's attention to e-mail, relative to the mean."""
    keen: Floats = np.clip(people.seen[:, 0] / people.seen[:, 0].mean(), 0.2, 4.0)
    return keen


def _of(people: Population, rates: Mapping[str, float]) -> Floats:
    return np.where(people.vip, rates["good"], rates["other"])


def _offers(people: Population, who: Ints, drawn: Floats) -> Ints:
    """Return an offer for each: two times in three what they buy most, else whichever."""
    favourite = people.taste[who].argmax(axis=1)
    any_other = (drawn * 3 % 1 * people.taste.shape[1]).astype(np.int64)
    offers: Ints = np.where(drawn < 2 / 3, favourite, any_other)
    return offers
