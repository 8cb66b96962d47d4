"""The recount's own windows: plain enough to be believed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Stay = tuple[int, int]
"""The first and the last tick (microseconds) at which a message may go; equal where that is known."""

SECOND = 1_000_000
_UNITS = {"h": 3_600, "d": 86_400, "w": 604_800}


def overrun(cap: Mapping[str, Any], mine: Stay, others: Sequence[Stay], zones: Sequence[tzinfo]) -> bool:
    """Return whether a message going somewhere in ``mine`` beside ``others`` may overrun the cap, in any zone."""
    limit, window = cap["limit"], cap["window"]
    if limit == 0:
        return True
    if window in ("day", "week", "month"):
        return any(_full(mine, others, window, zone, limit) for zone in zones)
    return collide(mine, others, limit=limit, seconds=int(window[:-1]) * _UNITS[window[-1]])


def _full(mine: Stay, others: Iterable[Stay], window: str, zone: tzinfo, limit: int) -> bool:
    """Return whether a period that ``mine`` may fall into may hold ``limit`` others."""
    spans = [(_period(first, window, zone), _period(last, window, zone)) for first, last in others]
    first, last = _period(mine[0], window, zone), _period(mine[1], window, zone)
    # The count changes only where some stay begins: looking at those periods, and at the first, is looking at all.
    looked_at = {first, *(start for start, _ in spans if first <= start <= last)}
    return any(sum(start <= period <= end for start, end in spans) >= limit for period in looked_at)


def _period(at: int, window: str, zone: tzinfo) -> date:
    day = moment(at).astimezone(zone).date()
    if window == "month":
        return day.replace(day=1)
    return day if window == "day" else day - timedelta(days=day.weekday())


def crowded(at: int, times: Iterable[int], *, limit: int, seconds: float) -> bool:
    """Return whether some half-open window that holds ``at`` holds more than ``limit`` messages, to the second."""
    return limit == 0 or collide((at, at), [(each, each) for each in times], limit=limit, seconds=seconds)


def collide(mine: Stay, others: Iterable[Stay], *, limit: int, seconds: float) -> bool:
    """Return whether ``mine`` and ``limit`` others may fall into one half-open window of so many ``seconds``.

    A window [s, s + W) may hold a message that stays in [a, b] for every s in (a − W, b]. Many such stretches
    overlap if they do so at the end of one of them.
    """
    low, high = _starts(mine, seconds)
    near = [
        (start, stop) for start, stop in (_starts(each, seconds) for each in others) if start < high and stop > low
    ]
    ends = {high, *(stop for _, stop in near if stop < high)}
    return any(sum(start < end <= stop for start, stop in near) >= limit for end in ends)


def _starts(stay: Stay, seconds: float) -> tuple[float, int]:
    return stay[0] // SECOND - seconds, stay[1] // SECOND


def moment(at: int) -> datetime:
    """Return the moment of the ledger's tick ``at``, in microseconds."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)


def tick(at: datetime) -> int:
    """Return the ledger's tick of an aware moment."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
