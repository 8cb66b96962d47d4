"""Which horizon fits what is there: the longest that leaves data to learn from and to measure on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from training.sources import TrainingSources

LADDER = (56, 42, 28, 14, 7)
"""Days that are tried where the wanted ones do not fit: whole weeks, so that every weekday weighs alike."""


def horizons(wanted: int, *, exact: bool) -> tuple[int, ...]:
    """Return the horizons to try, the wanted one first; only that one where it was asked for (``exact``)."""
    return (wanted,) if exact else (wanted, *(days for days in LADDER if days < wanted))


def first_of(sources: TrainingSources, types: Sequence[str]) -> datetime | None:
    """Return the moment of the first event of ``types``; None where there is none."""

    def first(events: Any) -> Any:
        relevant = events.filter(events["type"].isin(list(types)))
        return relevant.aggregate(first=relevant["occurred_at"].min())

    found = sources.collect(first)["first"].drop_null()
    return pc.min(found).as_py() if len(found) else None


def spanned(first: datetime, now: datetime) -> str:
    """Return in words how far events reach back."""
    return f"history spans {(now - first) // timedelta(days=1)} days"


def shortened(first: datetime, now: datetime, learned: str, *, days: int, wanted: int) -> str | None:
    """Return the word that a shorter horizon than wanted was taken; None where it was not."""
    return None if days == wanted else f"{spanned(first, now)}: {learned} is learned over {days}, not {wanted}"
