"""What a customer buys, as arrays aligned with the vocabulary's categories: one row a customer and day."""

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
    json_text,
    rolling,
    snapshot_moment,
    snapshot_wall,
    snapshots,
)
from features.tables.orders import first_of, order_key
from features.vocabulary import LONG_WINDOW

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

_ORDER_WINDOW = 90


def categories(events: ir.Table, *, until: date, categories: Sequence[str]) -> ir.Table:
    """Return the daily category snapshots up to the one of ``until``.

    Columns: ``customer_id``, ``event_timestamp`` and ``Vocabulary.category_arrays``. Rows begin with the first
    purchase. Shares are of all spend, so they need not sum to one where a purchase names another category;
    where a year's spend is not above zero no share can be computed.
    """
    known = dated(events, until=until)
    bought = _purchases(known.filter(known.type == "purchased"))
    daily = _daily(bought, categories)
    first = daily.group_by(CUSTOMER).agg(day=daily.day.min())
    positions = range(len(categories))
    orders = {f"orders_{i}": 0.0 for i in positions}
    spend = dict.fromkeys(["spend", *(f"spend_{i}" for i in positions)], Decimal(0))
    grid = snapshots(daily, first, until=until, fill={**orders, **spend})
    return _arrays(grid, len(categories))


def _purchases(bought: ir.Table) -> ir.Table:
    bought = bought.mutate(category=json_text(bought.properties, "$.category"), order=order_key(bought))
    keys = (bought[CUSTOMER], bought.order, bought.category)
    return bought.mutate(begins=first_of(*keys, at=bought["at"], event_id=bought.event_id))


def _daily(bought: ir.Table, categories: Sequence[str]) -> ir.Table:
    value = exact(bought.value)
    columns = {"spend": value.sum()}
    for i, category in enumerate(categories):
        here = bought.category == category
        columns[f"spend_{i}"] = value.sum(where=here)
        columns[f"orders_{i}"] = (here & bought.begins).sum().cast("float64")
        columns[f"last_{i}"] = bought["at"].max(where=here & bought.begins)
    return bought.group_by([CUSTOMER, DAY]).agg(**columns)


def _arrays(grid: ir.Table, count: int) -> ir.Table:
    history = ibis.cumulative_window(group_by=CUSTOMER, order_by=DAY)
    now = snapshot_wall(grid[DAY])
    total, *parts = (
        rolling(grid[name], LONG_WINDOW).cast("float64")
        for name in ("spend", *(f"spend_{i}" for i in range(count)))
    )
    shares = [ibis.ifelse(total > 0, part / total, ibis.null("float64")) for part in parts]
    orders = [rolling(grid[f"orders_{i}"], _ORDER_WINDOW) for i in range(count)]
    recency = [days_between(now, grid[f"last_{i}"].max().over(history)) for i in range(count)]
    return grid.select(
        CUSTOMER,
        event_timestamp=snapshot_moment(grid[DAY]),
        category_share=ibis.array(shares),
        category_orders_90d=ibis.array(orders),
        category_recency_days=ibis.array(recency),
    )
