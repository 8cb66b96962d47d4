"""The sender before Kairos: targets, never experiments, and writes nothing down of why.

Good customers, which only this sender knows (``vip``), get more mail, and more of it in a row; everybody is
written to at office hours of the sender's own zone, about what they seem to like. So the raw curve of opens by gap
falls although pressure never helps, and whoever learns from the log takes the target for the effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulation.calendar import DAY, HOUR, Calendar
from simulation.draws import Draws, Purpose
from simulation.messages import Messages
from simulation.shop import CHANNELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.population import Population
    from simulation.state import State

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_OFFICE = (8, 16)
"""UTC hours: morning to late afternoon where the sender sits."""
_DAILY = {"good": 0.42, "other": 0.14}
_WEEKEND = 0.15
"""How much of the weekdays' volume goes out on a weekend."""
_CHANNEL_SHARES = (0.75, 0.2, 0.05)


@dataclass(frozen=True, slots=True)
class Sender:
    """Writes a day's messages."""

    calendar: Calendar
    draws: Draws

    def messages(self, people: Population, state: State, day: int) -> Messages:
        """Return what goes out on ``day``."""
        drawn = self.draws.generator(Purpose.SENDER, day).random((people.size, 5))
        channel = (np.cumsum(_CHANNEL_SHARES) < drawn[:, 1:2]).sum(axis=1).clip(max=len(CHANNELS) - 1)
        reachable = state.reachable[np.arange(people.size), channel] & state.active
        who = np.flatnonzero((drawn[:, 0] < self._chance(people, state, day)) & reachable)
        first, last = _OFFICE
        hour = first + (drawn[who, 2] * (last - first)).astype(np.int64)
        second = (drawn[who, 3] * HOUR).astype(np.int64)
        moments = self.calendar.midnight(day) + hour * HOUR + second
        return Messages.of(who, _offers(people, who, drawn[who, 4]), channel[who], moments)

    def _chance(self, people: Population, state: State, day: int) -> Floats:
        """Return P(a message today): more for the good, more again where one went out a day ago (a series)."""
        base = np.where(people.vip, _DAILY["good"], _DAILY["other"])
        # Warm customers get a follow-up: strength of attention is what the sender sees in their replies.
        keen = np.clip(people.seen[:, 0] / people.seen[:, 0].mean(), 0.3, 3.0) ** 0.7
        lately = self.calendar.midnight(day) - state.last_sent < DAY
        weekday = self.calendar.moment(day).weekday()
        volume = 1.0 if weekday < 5 else _WEEKEND  # noqa: PLR2004 - Saturday
        chance: Floats = np.minimum(0.8, base * keen * np.where(lately & people.vip, 1.6, 1.0)) * volume
        return chance


def _offers(people: Population, who: Ints, drawn: Floats) -> Ints:
    """Return an offer for each: two times in three what they buy most, else whichever."""
    favourite = people.taste[who].argmax(axis=1)
    any_other = (drawn * 3 % 1 * people.taste.shape[1]).astype(np.int64)
    offers: Ints = np.where(drawn < 2 / 3, favourite, any_other)
    return offers
