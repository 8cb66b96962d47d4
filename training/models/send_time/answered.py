"""Hours of the week by the answers messages got: what sends and opens teach, without orders or visits.

Exposure is sends: an hour is as good as the answers to its messages, over those expected of the same people at any
hour. Expected is each one's own rate, the message itself left out. Ratios by local hour (smoothed on the circle)
and by weekday are shrunk to one by as much as foretells left-out days of sending best: what was said on a day is
common to all who got it, so days, not messages, are what is counted by.

The sender chose the hours; the answer says so. Nobody's own hours are read off opens: they lean towards the hours
that were sent at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from decisions.scorers.base import FloatArray
from decisions.scorers.rhythm import DAYS, HOURS, circular_kernel
from measures.proper import log_loss
from training.fitting import fold_of
from training.labels import engagements
from training.models.channel import fit_own_rate
from training.models.send_time.histories import local_slots, zones_of
from training.sets import clusters, numbers

if TYPE_CHECKING:
    from training.sources import TrainingSources

_BANDWIDTH = 1.0
"""Hours by which neighbours lend each other strength."""
_STRENGTHS = (np.inf, 1280.0, 320.0, 80.0, 20.0)
"""Expected answers that weigh as much as "no hour is better than another"; the plainest first."""
_NO_HOUR = -1
_RARE, _SURE = 1e-4, 0.95


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Answers:
    """Messages and whether they were answered, one row each, in order of time.

    ``who`` numbers customer and channel together, ``day`` is the UTC day of sending since 1970, ``weekday`` and
    ``hour`` are local; an ``hour`` of −1 is a date without a time.
    """

    who: NDArray[np.int64]
    day: NDArray[np.int64]
    weekday: NDArray[np.int64]
    hour: NDArray[np.int64]
    answered: FloatArray
    channel: NDArray[np.str_]

    def of(self, rows: NDArray[np.bool_]) -> Answers:
        """Return the rows where ``rows`` is true."""
        return Answers(**{name: getattr(self, name)[rows] for name in self.__slots__})

    @property
    def timed(self) -> NDArray[np.bool_]:
        """(n,): which messages have a time of day."""
        return np.asarray(self.hour != _NO_HOUR)

    @property
    def slots(self) -> FloatArray:
        """Return how many messages were sent in each local hour of the week, (168,), of those with a time."""
        timed = self.of(self.timed)
        counted = np.bincount(timed.weekday * HOURS + timed.hour, minlength=DAYS * HOURS)
        return counted.astype(np.float64)

    def split(self, *, later_share: float, days: int) -> tuple[Answers, Answers]:
        """Return the messages whose ``days`` were over when the later share of them began, and that share."""
        begin = np.quantile(self.day, 1.0 - later_share, method="nearest")
        return self.of(self.day + days < begin), self.of(self.day >= begin)


def answers(sources: TrainingSources, *, days: int) -> Answers:
    """Return the ripe messages to receivers whose zone is known; answered: any reaction within ``days``."""
    sent = engagements(sources, days=days)
    zones = zones_of(sources, sent["customer_id"])
    placed = sent.append_column("zone", zones).filter(pc.is_valid(zones))
    parts = [_in_zone(placed, zone) for zone in pc.unique(placed["zone"]).to_pylist()]
    empty = placed.append_column("weekday", pa.nulls(0, pa.int64())) if not parts else None
    whole = empty.append_column("hour", pa.nulls(0, pa.int64())) if empty is not None else pa.concat_tables(parts)
    whole = whole.filter(pc.is_valid(whole["weekday"])).sort_by(
        [("event_timestamp", "ascending"), ("customer_id", "ascending"), ("channel", "ascending")]
    )
    return Answers(
        who=clusters(pc.binary_join_element_wise(whole["customer_id"], whole["channel"], "\n")),
        day=whole["event_timestamp"].to_numpy().astype("datetime64[D]").astype(np.int64),
        weekday=numbers(whole, "weekday").astype(np.int64),
        hour=numbers(whole, "hour").astype(np.int64),
        answered=numbers(whole, "engaged"),
        channel=np.asarray(whole["channel"].to_pylist(), dtype=np.str_),
    )


def _in_zone(placed: pa.Table, zone: str) -> pa.Table:
    here = placed.filter(pc.equal(placed["zone"], zone))
    slots = pc.cast(local_slots(here["event_timestamp"], zone), pa.int64())
    hours = pc.fill_null(pc.subtract(slots, pc.multiply(pc.divide(slots, HOURS), HOURS)), _NO_HOUR)
    return here.append_column("weekday", _weekdays(here["event_timestamp"], zone)).append_column("hour", hours)


def _weekdays(moments: pa.ChunkedArray, zone: str) -> pa.ChunkedArray:
    """Return 0 for Monday …; null in a zone that Arrow does not know."""
    try:
        return pc.day_of_week(pc.local_timestamp(pc.cast(moments, pa.timestamp("us", zone))))
    except pa.ArrowInvalid:
        return pa.chunked_array([pa.nulls(len(moments), pa.int64())])


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """Everybody's rate of answers and how many messages of one's own it weighs."""

    base: float
    strength: float

    @classmethod
    def learn(cls, sent: Answers) -> Own:
        """Return what foretells each message best from the others to the same person."""
        others, answered = _others(sent)
        return cls(**dict(zip(("base", "strength"), fit_own_rate(others, answered, sent.answered), strict=True)))

    def rate(self, sent: FloatArray, answered: FloatArray) -> FloatArray:
        """Return the shrunk rate, (n,)."""
        return np.asarray((answered + self.strength * self.base) / (sent + self.strength))

    def left_out(self, sent: Answers) -> FloatArray:
        """Return the rate expected of each message by the others to the same person, (n,)."""
        return self.rate(*_others(sent))

    def known(self, before: Answers, after: Answers) -> FloatArray:
        """Return the rate expected of each message of ``after`` by those of ``before``, (n,)."""
        size = int(max(before.who.max(initial=0), after.who.max(initial=0))) + 1
        sent = np.bincount(before.who, minlength=size).astype(np.float64)
        answered = np.bincount(before.who, before.answered, minlength=size).astype(np.float64)
        return self.rate(sent[after.who], answered[after.who])


def _others(sent: Answers) -> tuple[FloatArray, FloatArray]:
    counted = np.bincount(sent.who).astype(np.float64)
    answered = np.bincount(sent.who, sent.answered).astype(np.float64)
    return counted[sent.who] - 1.0, answered[sent.who] - sent.answered


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Week:
    """How much likelier a message is answered by local ``hour`` (24,) and ``weekday`` (7,): ratios about one."""

    hour: FloatArray
    weekday: FloatArray

    @property
    def curve(self) -> FloatArray:
        """All 168 slots, (168,), summing to one."""
        whole = (self.weekday[:, None] * self.hour[None, :]).ravel()
        return np.asarray(whole / whole.sum())

    def chances(self, sent: Answers, expected: FloatArray) -> FloatArray:
        """Return P(answered) of each message, (n,), where ``expected`` is that at any hour."""
        hour = np.where(sent.timed, self.hour[sent.hour], 1.0)
        return np.clip(expected * self.weekday[sent.weekday] * hour, _RARE, _SURE)


ALIKE = Week(hour=np.ones(HOURS), weekday=np.ones(DAYS))
"""No hour is better than another."""


def learn_week(sent: Answers, expected: FloatArray, *, seed: int) -> Week:
    """Return the ratios, each shrunk by the strength that foretells left-out days of sending best."""
    fold = fold_of(sent.day, folds=5, seed=seed)
    hour = _best(sent, expected, fold, [(strength, np.inf) for strength in _STRENGTHS])[0]
    weekday = _best(sent, expected, fold, [(hour, strength) for strength in _STRENGTHS])[1]
    return _week(sent, expected, hour=hour, weekday=weekday)


def _best(
    sent: Answers, expected: FloatArray, fold: NDArray[np.int64], tried: list[tuple[float, float]]
) -> tuple[float, float]:
    """Return the strengths (hour, weekday) of lowest loss on left-out days; of equal ones the plainest."""
    return min(tried, key=lambda each: _left_out_loss(sent, expected, fold, *each))


def _left_out_loss(
    sent: Answers, expected: FloatArray, fold: NDArray[np.int64], hour: float, weekday: float
) -> float:
    chances = np.empty(len(expected))
    for number in np.unique(fold).tolist():
        held = fold == number
        week = _week(sent.of(~held), expected[~held], hour=hour, weekday=weekday)
        chances[held] = week.chances(sent.of(held), expected[held])
    return float(log_loss(sent.answered, chances))


def _week(sent: Answers, expected: FloatArray, *, hour: float, weekday: float) -> Week:
    timed = sent.timed
    smooth = circular_kernel(HOURS, _BANDWIDTH)
    hours = [_summed(sent.hour[timed], each[timed], HOURS) @ smooth for each in (sent.answered, expected)]
    days = [_summed(sent.weekday, each, DAYS) for each in (sent.answered, expected)]
    return Week(hour=_ratio(hours[0], hours[1], hour), weekday=_ratio(days[0], days[1], weekday))


def _summed(place: NDArray[np.int64], values: FloatArray, size: int) -> FloatArray:
    return np.bincount(place, values, minlength=size).astype(np.float64)


def _ratio(answered: FloatArray, expected: FloatArray, strength: float) -> FloatArray:
    if np.isinf(strength):
        return np.ones_like(answered)
    return np.asarray((answered + strength) / (expected + strength))
