"""Recency, frequency, money, tenure and the gaps between orders: one row a customer and day."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from features.tables.moments import (
    CUSTOMER,
    DAY,
    dated,
    days_between,
    exact,
    rolling,
    snapshot_moment,
    snapshot_wall,
    snapshots,
)
from features.tables.orders import begins_order
from features.vocabulary import LONG_WINDOW, WINDOWS

if TYPE_CHECKING:
    from datetime import date

_COUNTED = ("orders", "spend", "active_days", "sessions")


def activity(events: ir.Table, *, until: date) -> ir.Table:
    """Return the daily activity snapshots up to the one of ``until``.

    Columns: ``customer_id``, ``event_timestamp`` and ``Vocabulary.activity``. The snapshot of day D knows what
    happened before D 00:00 UTC. An order happens when its first event does; spend counts on the day of each
    event, in one currency; an event without a value adds no spend, nor does one whose value is no number.
    """
    known = dated(events, until=until)
    daily = _daily(known)
    first = known.group_by(CUSTOMER).agg(day=known.day.min(), first_at=known["at"].min())
    grid = snapshots(daily, first, until=until, fill=dict.fromkeys(_COUNTED, 0.0) | {"spend": Decimal(0)})
    windows = {
        f"{what}_{days}d": rolling(grid[what], days).cast("float64")
        for what in _COUNTED
        for days in (*WINDOWS, LONG_WINDOW)
    }
    counted = grid.select(CUSTOMER, DAY, "first_at", **windows)
    carried = counted.asof_join(_order_days(daily), on=DAY, predicates=CUSTOMER)
    return _finished(carried, tuple(windows))


def _daily(known: ir.Table) -> ir.Table:
    marked = known.mutate(begins=begins_order(known), bought=known.type == "purchased")
    orders = marked.begins.sum().cast("float64")
    return marked.group_by([CUSTOMER, DAY]).agg(
        orders=orders,
        spend=exact(marked.value).sum(where=marked.bought),
        active_days=(orders > 0).cast("float64"),
        sessions=(marked.type == "session").sum().cast("float64"),
        last_order=marked["at"].max(where=marked.begins),
    )


def _order_days(daily: ir.Table) -> ir.Table:
    """Gaps as they stand on each day with an order; they hold until the next one."""
    days = daily.filter(daily.orders > 0)
    history = ibis.cumulative_window(group_by=CUSTOMER, order_by=DAY)
    ordered = ibis.window(group_by=CUSTOMER, order_by=DAY)
    days = days.select(
        CUSTOMER, DAY, "last_order", gap=days.day.delta(days.day.lag().over(ordered), unit="day").cast("float64")
    )
    gaps, total = days.gap.count().over(history), days.gap.sum().over(history)
    squares = (days.gap * days.gap).sum().over(history)
    days = days.mutate(gaps=gaps.cast("float64"), total=total, squares=squares)
    mean = ibis.ifelse(days.gaps > 0, days.total / days.gaps, ibis.null("float64"))
    # Whole days: the sums are exact, so the textbook formula for the variance loses nothing that matters.
    variance = (days.squares - days.total * days.total / days.gaps) / (days.gaps - 1)
    spread = ibis.ifelse(days.gaps > 1, ibis.greatest(variance, 0.0).sqrt(), ibis.null("float64"))
    return days.select(CUSTOMER, DAY, "last_order", gap_mean_days=mean, gap_sd_days=spread)


def _finished(carried: ir.Table, windows: tuple[str, ...]) -> ir.Table:
    now = snapshot_wall(carried[DAY])
    recency = days_between(now, carried.last_order)
    return carried.select(
        CUSTOMER,
        event_timestamp=snapshot_moment(carried[DAY]),
        recency_days=recency,
        tenure_days=days_between(now, carried.first_at),
        **{name: carried[name] for name in windows},
        gap_mean_days=carried.gap_mean_days,
        gap_sd_days=carried.gap_sd_days,
        overdue=recency / carried.gap_mean_days,
    )
