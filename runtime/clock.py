"""The clock every job and the service take the time from, so that history can be replayed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Anything that says what time it is, in UTC."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's time."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class FixedClock:
    """A clock that stands still: ``--now``, demos and tests."""

    moment: datetime

    def __post_init__(self) -> None:
        """Refuse a naive moment: nobody can say when it was."""
        if self.moment.tzinfo is None:
            raise ValueError(f"the clock needs a moment with a time zone, got {self.moment.isoformat()!r}")

    def now(self) -> datetime:
        """Return the moment it stands at, in UTC."""
        return self.moment.astimezone(UTC)
