"""What people did before a moment and after it, over the local week; and when messages used to be sent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from decisions.scorers.base import FloatArray, array_matrix
from decisions.scorers.send_time import RHYTHM
from features.tables.messages import messages
from features.vocabulary import HOURS_OF_WEEK
from training.models.send_time.rhythm import History
from training.sets import MOMENT, one_each, spine

if TYPE_CHECKING:
    from training.sources import TrainingSources

SIGNS = ("session", "cart_added", "purchased")
"""Signs of life: what the feature tables count into a rhythm."""

_NOISE = 1e-6
"""Less than this is rounding in a difference of two rhythms, not an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Eras:
    """Three moments: weights are learned from ``start`` to ``middle`` and measured from ``middle`` to ``end``."""

    start: datetime
    middle: datetime
    end: datetime

    @classmethod
    def before(cls, end: datetime, *, days: int) -> Eras:
        """Return the two last windows of ``days`` before ``end``."""
        window = timedelta(days=days)
        return cls(start=end - 2 * window, middle=end - window, end=end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythms:
    """The rhythm frames of the same customers at the three moments of ``eras``."""

    eras: Eras
    start: pa.Table
    middle: pa.Table
    end: pa.Table
    half_life_days: float

    @property
    def learning(self) -> History:
        """What was done before ``start``, and from there to ``middle``."""
        return self._history(self.start, self.middle, self.eras.middle - self.eras.start)

    @property
    def measuring(self) -> History:
        """What was done before ``middle``, and from there to ``end``."""
        return self._history(self.middle, self.end, self.eras.end - self.eras.middle)

    def _history(self, earlier: pa.Table, later: pa.Table, gap: timedelta) -> History:
        before, after = counts(earlier), counts(later)
        faded = before * 0.5 ** (gap / timedelta(days=self.half_life_days))
        return History(earlier=before, later=_difference(after, faded))


def counts(frame: pa.Table) -> FloatArray:
    """Return the rhythm of a frame as (n, 168) weighted counts, zeros where nothing is known."""
    return np.nan_to_num(array_matrix(frame, RHYTHM, HOURS_OF_WEEK))


def people(sources: TrainingSources, *, most: int) -> list[str]:
    """Return customers with any sign of life: at most ``most``, the first by a hash that favours none."""
    found = sources.collect(
        lambda events: events.filter(events["type"].isin(SIGNS)).select("customer_id").distinct()
    )
    names = set(found["customer_id"].to_pylist())
    return sorted(names, key=lambda name: hashlib.md5(name.encode(), usedforsecurity=False).digest())[:most]


def rhythms(sources: TrainingSources, customers: list[str], eras: Eras, *, half_life_days: float) -> Rhythms:
    """Return the rhythms of ``customers`` at each moment, in their order."""
    frames = [_at(sources, customers, moment) for moment in (eras.start, eras.middle, eras.end)]
    start, middle, end = frames
    return Rhythms(eras=eras, start=start, middle=middle, end=end, half_life_days=half_life_days)


def send_slots(sources: TrainingSources, customers: list[str]) -> FloatArray:
    """Return how many messages ``customers`` were sent in each local hour of the week, (168,), each once.

    A receiver without a zone says nothing about local hours, and a send at exactly local midnight is a date
    without a time: both are left out.
    """
    every = sources.collect(lambda events: messages(events).select("customer_id", "occurred_at"))
    sent = every.filter(pc.is_in(every["customer_id"], value_set=pa.array(customers, pa.string())))
    zones = zones_of(sources, sent["customer_id"])
    total = np.zeros(HOURS_OF_WEEK)
    for name in pc.unique(zones).drop_null().to_pylist():
        total += _hours(sent.filter(pc.equal(zones, name))["occurred_at"], name)
    return total


def zones_of(sources: TrainingSources, customers: pa.ChunkedArray) -> pa.Array:
    """Return the zone of each of ``customers``, in their order; null where none is known."""
    known = one_each(sources.collect_customers(lambda table: table.select("customer_id", "time_zone")))
    places = pc.index_in(customers.combine_chunks(), value_set=known["customer_id"].combine_chunks())
    return known["time_zone"].combine_chunks().take(places)


def _at(sources: TrainingSources, customers: list[str], moment: datetime) -> pa.Table:
    asked = spine(customers, pa.array([moment] * len(customers), MOMENT))
    return asked.append_column(RHYTHM, sources.store.rhythm_at(asked))


def _difference(after: FloatArray, faded: FloatArray) -> FloatArray:
    between = after - faded
    if between.min(initial=0.0) < -1e-3:  # noqa: PLR2004  # an event weighs far more, rounding far less
        raise ValueError(
            "a rhythm faded faster than its half-life allows: give the one the feature tables were built with"
        )
    return cast("FloatArray", np.where(between > _NOISE, between, 0.0))


def local_slots(moments: Any, zone: str) -> Any:
    """Return each moment's hour of the local week; null at exactly local midnight: a date without a time.

    All are null in a zone that Arrow does not know: one such customer says nothing, and stops nobody.
    """
    try:
        local = pc.local_timestamp(pc.cast(moments, pa.timestamp("us", zone)))
    except pa.ArrowInvalid:
        return pa.chunked_array([pa.nulls(len(moments), pa.int64())])
    timed = pc.not_equal(pc.cast(local, pa.time64("us")).cast(pa.int64()), 0)
    return pc.if_else(timed, pc.add(pc.multiply(pc.day_of_week(local), 24), pc.hour(local)), None)


def _hours(moments: Any, zone: str) -> FloatArray:
    slots = np.asarray(local_slots(moments, zone).drop_null(), dtype=np.int64)
    return np.bincount(slots, minlength=HOURS_OF_WEEK).astype(np.float64)
