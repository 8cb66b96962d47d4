"""The recount's own calendar, and its own windows: plain enough to be believed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SECOND = 1_000_000
_UNITS = {"h": 3_600, "d": 86_400, "w": 604_800}


def overrun(cap: Mapping[str, Any], at: int, times: Sequence[int], zones: Sequence[tzinfo]) -> bool:
    """Return whether a message at ``at`` beside ``times`` overruns the cap, in any of ``zones``."""
    limit, window = cap["limit"], cap["window"]
    if window in ("day", "week", "month"):
        return any(_same_period(at, times, window, zone) >= limit for zone in zones)
    return crowded(at, times, limit=limit, seconds=int(window[:-1]) * _UNITS[window[-1]])


def _same_period(at: int, times: Iterable[int], window: str, zone: tzinfo) -> int:
    period = _period(at, window, zone)
    return sum(_period(each, window, zone) == period for each in times)


def _period(at: int, window: str, zone: tzinfo) -> date:
    day = moment(at).astimezone(zone).date()
    if window == "month":
        return day.replace(day=1)
    return day if window == "day" else day - timedelta(days=day.weekday())


def crowded(at: int, times: Iterable[int], *, limit: int, seconds: float) -> bool:
    """Return whether some half-open window that holds ``at`` holds more than ``limit`` messages, to the second."""
    mine = at // _SECOND
    near = sorted(each // _SECOND for each in times if abs(each // _SECOND - mine) < seconds)
    place = sum(each < mine for each in near)
    near.insert(place, mine)
    firsts = range(max(0, place - limit), min(place, len(near) - 1 - limit) + 1)
    return any(near[first + limit] - near[first] < seconds for first in firsts)


def moment(at: int) -> datetime:
    """Return the moment of the ledger's tick ``at``, in microseconds."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
