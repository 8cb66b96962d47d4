"""Time in a world: days are UTC days counted from day 0, people live by the clock of their zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

HOUR = 3600
DAY = 24 * HOUR
WEEK_HOURS = 168
_MONDAY_SHIFT = 3 * 24
"""1970-01-01 was a Thursday: hours to add so that slot 0 is Monday, 0:00 to 1:00."""


@dataclass(frozen=True)
class Calendar:
    """The days of a world and the clocks of its zones, daylight saving included.

    ``start`` is the date of day 0; clocks are known from ``before`` days earlier to ``after`` days later.
    """

    start: date
    zones: tuple[str, ...]
    before: int = 400
    after: int = 800

    @property
    def epoch(self) -> int:
        """Day 0, 00:00 UTC, in seconds of the epoch."""
        return int(datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC).timestamp())

    def midnight(self, day: int) -> int:
        """Return the beginning of ``day`` in seconds of the epoch."""
        return self.epoch + day * DAY

    def moment(self, day: int) -> datetime:
        """Return the beginning of ``day``."""
        return datetime.fromtimestamp(self.midnight(day), UTC)

    def day_of(self, seconds: Ints) -> Ints:
        """Return the day that each moment lies in."""
        return (seconds - self.epoch) // DAY

    @cached_property
    def _offsets(self) -> Ints:
        """Seconds east of UTC by zone and hour. Clocks of these zones change on full hours of UTC."""
        first = datetime.fromtimestamp(self.midnight(-self.before), UTC)
        hours = [first + timedelta(hours=hour) for hour in range((self.before + self.after) * 24)]
        return np.array([[_offset(moment, ZoneInfo(name)) for moment in hours] for name in self.zones])

    def local(self, zone: Ints, seconds: Ints) -> Ints:
        """Return the wall clock at each moment, in seconds as if it were UTC."""
        hour = (seconds - self.midnight(-self.before)) // HOUR
        local: Ints = seconds + self._offsets[zone, hour]
        return local

    def slot(self, zone: Ints, seconds: Ints) -> Ints:
        """Return the hour of the local week (0: Monday, 0:00 to 1:00) at each moment."""
        return (self.local(zone, seconds) // HOUR + _MONDAY_SHIFT) % WEEK_HOURS


def _offset(moment: datetime, zone: ZoneInfo) -> int:
    shift = moment.astimezone(zone).utcoffset()
    assert shift is not None  # an aware moment has one
    return int(shift.total_seconds())
