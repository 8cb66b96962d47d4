"""What the monitor saw: frozen records, and what of them needs a look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from decisions.ledger import Standing
from measures.drift import LARGE
from pipelines.jobs.inspecting import WAY_OUT, in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

HARM = ("bounced", "unsubscribed", "complained")
"""Reactions whose rise is an alarm; of the others a fall is."""

RESPONSE = ("delivered", "opened", "clicked", "converted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How often one thing happened per message on one channel, now and before, with the 95% interval of now.

    What cannot be computed is None.
    """

    channel: str
    what: str
    sent: int
    rate: float | None
    low: float | None
    high: float | None
    before: float | None

    @property
    def alarm(self) -> str | None:
        """What to say if the former rate lies outside the interval on the wrong side, or cannot be told: None."""
        if self.rate is None or self.before is None or self.low is None or self.high is None:
            return None
        worse = self.low > self.before if self.what in HARM else self.high < self.before
        return (
            f"{self.channel}: {self.what} went from {self.before:.2%} to {self.rate:.2%} of messages"
            if worse
            else None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Messages per customer and channel in the period: those who got any, the median and the most among them."""

    channel: str
    customers: int
    median: float
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The stability index of one feature between the period's start and now."""

    feature: str
    index: float

    @property
    def alarm(self) -> str | None:
        """What to say if the distribution has moved."""
        return f"{self.feature} has drifted: stability index {self.index:.2f}" if self.index > LARGE else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Predicted and observed engagement on one channel over its latest ripe messages."""

    channel: str
    messages: int
    predicted: float
    observed: float
    low: float
    high: float

    @property
    def alarm(self) -> str | None:
        """What to say if the prediction lies outside the interval of what was observed."""
        if self.low <= self.predicted <= self.high:
            return None
        return f"{self.channel}: engagement predicted {self.predicted:.2%}, observed {self.observed:.2%}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorReport:
    """What was seen in the last ``days`` days; ``decisions`` count by state, ``notes`` say what cannot be told.

    ``budgets`` are those of today (UTC), by channel; ``lake`` says what is wrong with the lake, by name.
    """

    now: datetime
    days: int
    rates: tuple[Rate, ...]
    loads: tuple[Load, ...]
    drift: tuple[Drift, ...]
    calibration: tuple[Calibration, ...]
    decisions: Mapping[str, int]
    budgets: Mapping[str, Standing]
    lake: Mapping[str, int]
    notes: tuple[str, ...]

    @property
    def alarms(self) -> tuple[str, ...]:
        """What needs a look, in words."""
        return tuple(self._alarms())

    def _alarms(self) -> Iterator[str]:
        if self.lake:
            yield f"the lake is not as it should be ({in_words(self.lake)}): {WAY_OUT}"
        watched: tuple[Rate | Drift | Calibration, ...] = (*self.rates, *self.drift, *self.calibration)
        for each in watched:
            if each.alarm:
                yield each.alarm
