"""What every measure gives: an interval, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass


class NotComputableError(ValueError):
    """A measure that these data cannot give; the message says why. Never a number in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate and the range that holds the truth in a share ``level`` of repetitions.

    ``n`` counts independent units: clusters where the measure was clustered.
    """

    estimate: float
    low: float
    high: float
    level: float
    n: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class NotComputable:
    """There is no estimate, and why."""

    reason: str


Outcome = Interval | NotComputable
