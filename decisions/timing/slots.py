"""The hours in which a message may go, grouped into at most eight blocks, and the minute within an hour.

The blocks are the four parts of the local day, on weekdays and at weekends: few enough to try each now and then,
and the same for everybody, so that what is drawn at random teaches how the hour matters. A block holds its hours
on every day of the horizon; within it the best hour is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from decisions.timing.localtime import HOUR, MINUTE, days_between, stretches
from features.vocabulary import HOURS_OF_WEEK

if TYPE_CHECKING:
    from decisions.timing.spans import Span, Spans

_THURSDAY = 72  # 1970-01-01, in hours from Monday 00:00
BLOCKS = tuple(
    f"{days}_{part}" for days in ("weekday", "weekend") for part in ("night", "morning", "afternoon", "evening")
)
"""Night from 0, morning from 6, afternoon from 12, evening from 18 o'clock local time."""
HOURS_OF_BLOCK = 6
"""How many of them follow each other on one day."""


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """The local hours of a stretch of time, in order: when each starts and ends (UTC), and which it is."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    offset: NDArray[np.int64]
    """What added to UTC gives local time."""
    slot: NDArray[np.int64]
    """0 … 167, from Monday 00:00."""
    members: tuple[tuple[int, ...], ...]
    """The positions of each block's hours, in order; a short stretch of time leaves blocks without any."""


@lru_cache(maxsize=4096)
def hours(zone: str, start: int, end: int) -> Hours:
    """Return the local hours of ``zone`` that [``start``, ``end``) touches; a clock change cuts one short."""
    starts, ends, offsets = [], [], []
    for a, b, offset in stretches(zone, days_between(start, end)):
        first = (max(a, start) + offset) // HOUR * HOUR - offset
        found = np.arange(first, min(b, end), HOUR, dtype=np.int64)
        starts.append(np.maximum(found, a))
        ends.append(np.minimum(found + HOUR, b))
        offsets.append(np.full(found.size, offset, dtype=np.int64))
    begin, offset_ = np.concatenate(starts), np.concatenate(offsets)
    slot = ((begin + offset_) // HOUR + _THURSDAY) % HOURS_OF_WEEK
    return Hours(begin, np.concatenate(ends), offset_, slot, _members(slot))


def _members(slot: NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    block = (slot // 24 >= 5) * 4 + slot % 24 // HOURS_OF_BLOCK  # noqa: PLR2004 - from Saturday on
    return tuple(tuple(np.flatnonzero(block == row).tolist()) for row in range(len(BLOCKS)))


def usable(span: Span, least: int) -> Span | None:
    """Return the first and last whole minute at which a message may start to wait ``least`` seconds in ``span``.

    None where there is no such minute. The wait ends on a whole minute inside the span.
    """
    first = -(-span[0] // MINUTE) * MINUTE
    last = (span[1] - 1 - least) // MINUTE * MINUTE
    return (first, last) if first <= last else None


def moments(grid: Hours, permitted: Spans, *, least: int, place: float) -> NDArray[np.int64]:
    """Return a second for each hour at which a message may start to wait, or −1 where there is none.

    From there it can wait ``least`` seconds without leaving ``permitted``. ``place`` in [0, 1) is where it lies
    among the hour's permitted whole minutes: the same for one customer, spread over the hour for all of them.
    """
    low, minutes = _minutes(grid, permitted, least)
    chosen = low + (place * minutes).astype(np.int64) * MINUTE
    return np.where(minutes > 0, chosen, -1)


@lru_cache(maxsize=4096)
def _minutes(grid: Hours, permitted: Spans, least: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each hour's first permitted whole minute, and how many there are: the same for many customers."""
    spans = [found for span in permitted if (found := usable(span, least))]
    if not spans:
        return grid.start, np.zeros_like(grid.start)
    first, last = np.array(spans, dtype=np.int64).T
    which = np.minimum(np.searchsorted(last, grid.start), last.size - 1)
    low = np.maximum(-(-grid.start // MINUTE) * MINUTE, first[which])
    high = np.minimum(grid.end - MINUTE, last[which])
    return low, np.maximum((high - low) // MINUTE + 1, 0)


def expiry(send_at: int, permitted: Spans, *, window: int) -> int:
    """Return until when a message that starts to wait at ``send_at`` may go: ``window`` seconds, or less.

    It lies on a whole minute inside the permitted span, so that not even its last second is forbidden.
    """
    end = next(end for start, end in permitted if start <= send_at < end)
    return min(send_at + window, (end - 1) // MINUTE * MINUTE)
