"""Local wall-clock time as spans of UTC: hours of the day, days, weeks, months; right on daylight-saving days.

A zone is a run of stretches with one offset each. Within a stretch the wall clock is a straight line, so a gap or
a repeated hour needs no special case: a local time is every moment at which the clock shows it, none or two of
them included. All functions take a range of UTC days, so that their results serve every customer of the zone.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from decisions.timing.spans import Span, Spans, union
from features.contracts.words import zone

DAY = 86_400
HOUR = 3_600
MINUTE = 60
_EPOCH = date(1970, 1, 1).toordinal()
_STEP = 3 * HOUR  # no zone changes its clocks twice within three hours

Stretch = tuple[int, int, int]
"""Start and end in UTC seconds, and the offset that added to UTC gives the wall clock."""
Days = tuple[int, int]
"""First and last UTC day, counted from 1970-01-01, both included."""
Period = Literal["day", "week", "month"]


def days_between(start: int, end: int) -> Days:
    """Return the UTC days that [``start``, ``end``] touches."""
    return start // DAY, end // DAY


def offset_at(name: str, moment: int) -> int:
    """Return the offset of the zone called ``name`` at ``moment``, in seconds."""
    offset = datetime.fromtimestamp(moment, UTC).astimezone(zone(name)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


@lru_cache(maxsize=8192)
def _month_of_stretches(name: str, month: int) -> tuple[Stretch, ...]:
    """Return the stretches of 32 UTC days, found by probing and bisection."""
    start, end = month * 32 * DAY, (month + 1) * 32 * DAY
    found: list[Stretch] = []
    offset = offset_at(name, start)
    since = start
    for probe in range(start + _STEP, end + 1, _STEP):
        after = offset_at(name, probe)
        if after != offset:
            change = _bisect_change(name, probe - _STEP, probe)
            found.append((since, change, offset))
            since, offset = change, after
    return (*found, (since, end, offset)) if since < end else tuple(found)


def _bisect_change(name: str, before: int, after: int) -> int:
    old = offset_at(name, before)
    while after - before > 1:
        middle = (before + after) // 2
        if offset_at(name, middle) == old:
            before = middle
        else:
            after = middle
    return after


@lru_cache(maxsize=8192)
def stretches(name: str, days: Days) -> tuple[Stretch, ...]:
    """Return the stretches of one offset that cover ``days``, in order and without holes."""
    start, end = days[0] * DAY, (days[1] + 1) * DAY
    months = range(days[0] // 32, days[1] // 32 + 1)
    return tuple(
        (max(a, start), min(b, end), offset)
        for month in months
        for a, b, offset in _month_of_stretches(name, month)
        if a < end and b > start
    )


@lru_cache(maxsize=8192)
def wall_times(name: str, days: Days, start: int, end: int) -> Spans:
    """Return when the wall clock stands in [``start``, ``end``), seconds of the day, over midnight if start > end.

    0 to 24 o'clock is the whole day; two equal times (24 o'clock being 0) name nothing.
    """
    if start % DAY == end % DAY and (start, end) != (0, DAY):
        return ()
    pieces = ((start, DAY), (0, end)) if start > end else ((start, end),)
    return union(
        (max(a, midnight + first - offset), min(b, midnight + last - offset))
        for a, b, offset in stretches(name, days)
        for midnight in range((a + offset) // DAY * DAY, b + offset, DAY)
        for first, last in pieces
    )


@lru_cache(maxsize=8192)
def local_dates(name: str, days: Days) -> dict[date, Spans]:
    """Return each local date that ``days`` touches, with the moments at which the calendar shows it."""
    parts: dict[int, list[Span]] = {}
    for a, b, offset in stretches(name, days):
        for day in range((a + offset) // DAY, (b + offset - 1) // DAY + 1):
            parts.setdefault(day, []).append((max(a, day * DAY - offset), min(b, (day + 1) * DAY - offset)))
    return {date.fromordinal(_EPOCH + day): union(spans) for day, spans in sorted(parts.items())}


def _start_of(day: date, period: Period) -> date:
    if period == "month":
        return day.replace(day=1)
    return day if period == "day" else day - timedelta(days=day.weekday())


@dataclass(frozen=True, slots=True)
class Periods:
    """Local days, weeks or months in order: the moments of each, and which one a moment belongs to."""

    spans: tuple[Spans, ...]
    starts: tuple[int, ...]
    """Where a stretch of some period starts, in order; clocks put back over midnight give a day two of them."""
    owners: tuple[int, ...]
    """The period of each stretch."""

    def touched(self, first: int, last: int) -> set[int]:
        """Return the periods that [``first``, ``last``] touches; none before the first of them."""
        start = bisect_right(self.starts, first) - 1
        return {self.owners[place] for place in range(max(start, 0), bisect_right(self.starts, last))}


@lru_cache(maxsize=8192)
def periods(name: str, days: Days, period: Period) -> Periods:
    """Return the local days, weeks (from Monday) or months that ``days`` touches, each whole.

    One period more lies on either side, so that what is far away is not taken for the first or last.
    """
    margin = {"day": 3, "week": 17, "month": 65}[period]
    parts: dict[date, list[Span]] = {}
    for day, spans in local_dates(name, (days[0] - margin, days[1] + margin)).items():
        parts.setdefault(_start_of(day, period), []).extend(spans)
    whole = tuple(union(spans) for spans in parts.values())
    stretched = sorted((start, owner) for owner, spans in enumerate(whole) for start, _ in spans)
    return Periods(whole, tuple(at for at, _ in stretched), tuple(owner for _, owner in stretched))


def instant(name: str, wall: datetime, *, latest: bool) -> int:
    """Return the UTC second at which the wall clock shows ``wall`` (naive): the earliest, or the latest.

    A time the clocks repeat comes twice, and one they skip can be read with either offset: choosing the
    earliest for a start and the latest for an end, a span between two such times is never too short.
    """
    folds = (wall.replace(tzinfo=zone(name), fold=fold).timestamp() for fold in (0, 1))
    return int(max(folds) if latest else min(folds))
