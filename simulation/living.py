"""Ordinary life: people visit, buy, and some day stop; messages or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from simulation.calendar import HOUR, Calendar
from simulation.draws import Draws, Purpose
from simulation.shop import ZONES

if TYPE_CHECKING:
    from simulation.log.events import EventLog
    from simulation.people.population import Population
    from simulation.state import State


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_SESSIONS = 3
"""A person's visits of one day that are told apart."""


@dataclass(frozen=True, slots=True)
class Habits:
    """Everybody's habits on one day: (people, habits) mixtures of (habits, 168) curves."""

    mix: Floats
    curves: Floats


class Life(Protocol):
    """What people do of their own accord."""

    def begin(self, people: Population, state: State, log: EventLog, day: int, habits: Habits) -> None:
        """Let ``day`` begin: change ``state`` and write what is seen of it into ``log``."""
        ...


@dataclass(frozen=True, slots=True)
class Living:
    """Lives days."""

    calendar: Calendar
    draws: Draws

    def begin(self, people: Population, state: State, log: EventLog, day: int, habits: Habits) -> None:
        """Let ``day`` begin: some stop, the others visit and order, at hours of their ``habits``."""
        state.active &= self.draws.uniform(Purpose.CHURN, day, people.size) >= -np.expm1(-people.churn)
        self._visit(people, state, log, day, habits)
        self._order(people, state, log, day, habits)

    def _visit(self, people: Population, state: State, log: EventLog, day: int, habits: Habits) -> None:
        chance = people.sessions / MOST_SESSIONS
        for turn in range(MOST_SESSIONS):
            visits = self.draws.uniform(Purpose.SESSIONS, day, people.size, turn=turn) < chance
            who = np.flatnonzero(visits & state.active)
            drawn = self.draws.generator(Purpose.SESSION_TIMES, day, turn=turn).random((people.size, 3))[who]
            log.sessions(who, self._moments(people.zone[who], habits, who, day, drawn), day=day, turn=turn)

    def _order(self, people: Population, state: State, log: EventLog, day: int, habits: Habits) -> None:
        orders = (self.draws.uniform(Purpose.ORDERS, day, people.size) < people.orders) & state.active
        missing = orders & (state.owed > 0)
        state.owed[missing] -= 1
        who = np.flatnonzero(orders & ~missing)
        kind = self.draws.generator(Purpose.ORDER_LINES, day).random((people.size, 2))[who]
        category = (np.cumsum(people.taste[who], axis=1) < kind[:, :1]).sum(axis=1)
        drawn = self.draws.generator(Purpose.ORDER_TIMES, day).random((people.size, 3))[who]
        moments = self._moments(people.zone[who], habits, who, day, drawn)
        log.orders(people, who, moments, np.minimum(category, people.taste.shape[1] - 1), size=kind[:, 1], day=day)

    def _moments(self, zone: Ints, habits: Habits, who: Ints, day: int, drawn: Floats) -> Ints:
        """Return a moment of ``day`` (UTC) for each of ``who``, at an hour of one of their habits."""
        below = np.cumsum(habits.mix[who], axis=1)
        habit = (below < drawn[:, :1] * below[:, -1:]).sum(axis=1)
        hour = (self._ends(habits.curves, day)[habit, zone] < drawn[:, 1:2]).sum(axis=1).clip(max=23)
        moments: Ints = self.calendar.midnight(day) + hour * HOUR + (drawn[:, 2] * HOUR).astype(np.int64)
        return moments

    def _ends(self, curves: Floats, day: int) -> Floats:
        """Return (habits, zones, 24): the share of the day's attention before the end of each hour of UTC."""
        hours = self.calendar.midnight(day) + np.arange(24) * HOUR
        zones = np.arange(len(ZONES))[:, None]
        shares = curves[:, self.calendar.slot(zones, np.broadcast_to(hours, (len(ZONES), 24)))]
        ends: Floats = np.cumsum(shares, axis=2) / shares.sum(axis=2, keepdims=True)
        return ends
