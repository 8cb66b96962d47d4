"""Dates whose time of day was filled in: they must not teach an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from features.tables.moments import local_time
from training.models.send_time.histories import SIGNS
from training.sets import numbers

if TYPE_CHECKING:
    from training.sources import TrainingSources

MOST = 0.5
"""The share of moments that may carry one and the same time of day, to the second: real ones hardly ever do."""
_DAY, _HOUR = 86_400, 3_600


def filled_in(sources: TrainingSources) -> str | None:
    """Return why the signs of life teach no hour, where most of them carry one time of day; None: they may.

    An hour either side is the same time of day: a local one, read in UTC over a change of clocks.
    """
    seen = sources.collect(_times)
    seconds, counts = numbers(seen, "second").astype(np.int64), numbers(seen, "events")
    if not counts.sum():
        return None
    by_second = np.bincount(seconds, counts, minlength=_DAY)
    near = by_second + np.maximum(np.roll(by_second, _HOUR), np.roll(by_second, -_HOUR))
    share = float(near.max() / counts.sum())
    if share <= MOST:
        return None
    hour, rest = divmod(int(by_second.argmax()), _HOUR)
    at = f"{hour:02}:{rest // 60:02} UTC"
    return (
        f"{share:.0%} of {', '.join(SIGNS)} carry the same time of day ({at}), as dates do "
        "to which a time was given; map the real time of day"
    )


def _times(events: Any) -> Any:
    signs = events.filter(events["type"].isin(SIGNS), ~events["automated"])
    at = local_time("UTC", signs["occurred_at"])
    timed = signs.select(second=(at.hour() * _HOUR + at.minute() * 60 + at.second()).cast("int64"))
    return timed.group_by("second").aggregate(events=timed.count())
