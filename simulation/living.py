"""Ordinary life: people visit, buy, and some day stop; messages or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulation.calendar import DAY, HOUR, Calendar
from simulation.draws import Draws, Purpose
from simulation.rhythm import CURVES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.events import EventLog
    from simulation.population import Population
    from simulation.state import State

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_BY_DAY = CURVES.reshape(len(CURVES), 7, 24)
_WITHIN_DAY = np.cumsum(_BY_DAY / _BY_DAY.sum(axis=2, keepdims=True), axis=2)
"""(habits, weekdays, 24): below which share of the day's attention each hour ends."""

MOST_SESSIONS = 3
"""A person's visits of one day that are told apart."""


@dataclass(frozen=True, slots=True)
class Living:
    """Lives days. Habits drift too slowly to be seen in a visit's hour within a day; messages feel them."""

    calendar: Calendar
    draws: Draws

    def begin(self, people: Population, state: State, log: EventLog, day: int) -> None:
        """Let ``day`` begin: some stop, the others visit and order."""
        state.active &= self.draws.uniform(Purpose.CHURN, day, people.size) >= -np.expm1(-people.churn)
        self._visit(people, state, log, day)
        self._order(people, state, log, day)

    def _visit(self, people: Population, state: State, log: EventLog, day: int) -> None:
        chance = people.sessions / MOST_SESSIONS
        for turn in range(MOST_SESSIONS):
            visits = self.draws.uniform(Purpose.SESSIONS, day, people.size, turn=turn) < chance
            who = np.flatnonzero(visits & state.active)
            log.sessions(who, self._moments(people, who, Purpose.SESSION_TIMES, day, turn), day=day, turn=turn)

    def _order(self, people: Population, state: State, log: EventLog, day: int) -> None:
        orders = (self.draws.uniform(Purpose.ORDERS, day, people.size) < people.orders) & state.active
        missing = orders & (state.owed > 0)
        state.owed[missing] -= 1
        who = np.flatnonzero(orders & ~missing)
        kind = self.draws.generator(Purpose.ORDER_LINES, day).random((people.size, 2))[who]
        category = (np.cumsum(people.taste[who], axis=1) < kind[:, :1]).sum(axis=1)
        moments = self._moments(people, who, Purpose.ORDER_TIMES, day, 0)
        log.orders(people, who, moments, np.minimum(category, people.taste.shape[1] - 1), size=kind[:, 1], day=day)

    def _moments(self, people: Population, who: Ints, purpose: Purpose, day: int, turn: int) -> Ints:
        """Return a moment of ``day`` (UTC) for each of ``who``, at an hour of their habits."""
        drawn = self.draws.generator(purpose, day, turn=turn).random((people.size, 3))[who]
        habit = (np.cumsum(people.mix[who], axis=1) < drawn[:, :1]).sum(axis=1).clip(max=len(CURVES) - 1)
        zone = people.zone[who]
        midnight = self.calendar.midnight(day)
        weekday = self.calendar.slot(zone, np.full(len(who), midnight + DAY // 2)) // 24
        hour = (_WITHIN_DAY[habit, weekday] < drawn[:, 1:2]).sum(axis=1).clip(max=23)
        wall = midnight + hour * HOUR + (drawn[:, 2] * HOUR).astype(np.int64)
        moment = self.calendar.from_local(zone, wall)
        # A local hour of the same UTC day: what falls before or after it is moved by a day.
        return midnight + (moment - midnight) % DAY
