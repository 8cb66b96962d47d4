"""When who may be written to: the same questions, rules and hours for every policy that plays in a world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulation.calendar import DAY, HOUR
from simulation.shop import ZONES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.calendar import Calendar
    from simulation.people.population import Population

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

NEVER = -(10**12)
"""A moment long before every world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opportunity:
    """Everybody is asked about every ``every_days`` days, at midnight UTC, for the days until the next question.

    A message may go at the middle of an hour that is not quiet (local ``quiet`` hours; where the zone is unknown,
    in none of the shop's zones), at least ``gap_hours`` after the one before, and with at most ``cap`` messages in
    any ``cap_days`` days.
    """

    every_days: int = 3
    quiet: tuple[int, int] = (21, 8)
    gap_hours: int = 24
    cap: int = 2
    cap_days: int = 7

    @property
    def hours(self) -> int:
        """How many hours one question spans."""
        return self.every_days * 24

    def asked(self, size: int, day: int) -> Ints:
        """Return who is asked about on ``day``."""
        number = np.arange(size)
        who: Ints = number[(number + day) % self.every_days == 0]
        return who

    def moments(self, calendar: Calendar, day: int) -> Ints:
        """Return the moments at which a message asked about on ``day`` may go, one an hour."""
        return calendar.midnight(day) + np.arange(self.hours) * HOUR + HOUR // 2

    def awake(self, calendar: Calendar, people: Population, who: Ints, day: int) -> Flags:
        """Return (people, hours): whether no quiet hour forbids it."""
        moments = self.moments(calendar, day)
        zones = np.arange(len(ZONES))
        hour = calendar.local(zones[:, None], np.broadcast_to(moments, (len(zones), len(moments)))) // HOUR % 24
        begin, end = self.quiet
        quiet = (hour >= begin) | (hour < end) if begin > end else (hour >= begin) & (hour < end)
        anywhere = ~quiet.any(axis=0)
        return np.where(people.zone_known[who, None], ~quiet[people.zone[who]], anywhere)

    def rested(self, recent: Ints, moments: Ints) -> Flags:
        """Return (people, hours): whether gap and cap leave room, given (people, k) ``recent`` messages.

        ``recent`` holds at least the last ``cap`` messages of each, sent or planned, and :data:`NEVER` where there
        is none.
        """
        since = moments[None, :, None] - recent[:, None, :]
        room = (since < self.cap_days * DAY).sum(axis=2) < self.cap
        rest: Flags = room & (since >= self.gap_hours * HOUR).all(axis=2)
        return rest
