"""What came after a draw: all orders and what they brought, in the same window whatever was drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.tables.orders import order_key
from training.evidence.sample import Floats
from training.sets import numbers

if TYPE_CHECKING:
    from datetime import datetime

    from training.evidence.sample import Integers
    from training.sources import TrainingSources

_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcomes:
    """By draw: ``orders`` that began in the window, and their ``revenue``."""

    orders: Floats
    revenue: Floats


def outcomes(sources: TrainingSources, draws: pa.Table, *, days: float) -> Outcomes:
    """Return what came within ``days`` from each of ``draws`` on, the draw's own moment included."""
    first, last = pc.min(draws["at"]).as_py(), pc.max(draws["at"]).as_py() + timedelta(days=days)
    bought = sources.collect(lambda events: _orders(events, first, last))
    people = pc.unique(pa.chunked_array([*bought["customer_id"].chunks, *draws["customer_id"].chunks]))
    whose, when = _place(bought["customer_id"], people), _micros(bought["at"])
    begin, end = _micros(draws["at"]), _micros(draws["at"]) + int(days * _DAY)
    # Moments by their place among all, so that one whole number holds a customer and a moment.
    moments = np.unique(np.concatenate([when, begin, end]))
    order = np.lexsort((when, whose))
    asked = _place(draws["customer_id"], people)
    key = _key(whose, when, moments)[order]
    low, high = np.searchsorted(key, _key(asked, begin, moments)), np.searchsorted(key, _key(asked, end, moments))
    revenue = np.concatenate([[0.0], np.cumsum(np.nan_to_num(numbers(bought, "revenue"))[order])])
    return Outcomes(orders=(high - low).astype(np.float64), revenue=revenue[high] - revenue[low])


def _orders(events: Any, first: datetime, last: datetime) -> Any:
    """Return each order that began in the time asked about: when, and what it brought in that time."""
    at = events["occurred_at"]
    bought = events.filter(events["type"] == "purchased", at >= first, at < last)
    bought = bought.mutate(order=order_key(bought))
    each = bought.group_by(["customer_id", "order"]).agg(
        at=bought["occurred_at"].min(), revenue=bought["value"].sum()
    )
    return each.select("customer_id", "at", "revenue", "order")


def _key(whose: Integers, when: Integers, moments: Integers) -> Integers:
    key: Integers = whose * len(moments) + np.searchsorted(moments, when)
    return key


def _place(names: pa.ChunkedArray, known: pa.Array) -> Integers:
    return np.asarray(pc.index_in(names, value_set=known).to_numpy(), dtype=np.int64)


def _micros(moments: pa.ChunkedArray) -> Integers:
    return np.asarray(pc.cast(moments, pa.int64()).to_numpy(), dtype=np.int64)
