"""The rhythm of a week: in which of its 168 local hours a customer has shown life, recent signs weighing more.

Built at cut-offs only: 168 floats a customer and day would dwarf every other table. A build keeps the signs
of life (one small row each), from which the rhythm at any past moment follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from features.contracts.places import known_zones
from features.tables.moments import CUSTOMER, dated, days_between, local_time
from features.tables.orders import begins_order
from features.vocabulary import HOURS_OF_WEEK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

HALF_LIFE_DAYS = 90.0
"""The age at which a sign of life weighs half (published systems look back 60 to 112 days)."""

_SIGNS = ("session", "cart_added")
"""Besides orders. Opens and clicks are none by themselves: they lean towards the hours we sent at."""


def signs_of_life(
    events: ir.Table,
    customers: ir.Table,
    *,
    until: date,
    country_zones: Mapping[str, str] | None = None,
    default_zone: str = "UTC",
) -> ir.Table:
    """Return the signs of life before ``until``: ``customer_id``, ``occurred_at``, ``hour`` (0–167, local).

    Sessions, carts and orders (once each, at their first event); nothing a machine did. Local means the customer's
    zone where there is one of that name, else the one of the country in ``country_zones``, else ``default_zone``.
    """
    known = dated(events, until=until)
    marked = known.mutate(sign=known.type.isin(_SIGNS) | begins_order(known))
    signs = marked.filter(marked.sign & ~marked.automated).select(CUSTOMER, "occurred_at")
    zones = customers.select(CUSTOMER, zone=_zone(customers, country_zones or {}, default_zone))
    placed = signs.left_join(zones, CUSTOMER).drop(f"{CUSTOMER}_right")
    local = local_time(placed.zone.fill_null(default_zone), placed.occurred_at)
    hour = local.day_of_week.index() * 24 + local.hour()
    return placed.select(CUSTOMER, "occurred_at", hour=hour.cast("int16"))


def _zone(customers: ir.Table, country_zones: Mapping[str, str], default_zone: str) -> ir.StringColumn:
    cases = [(customers.country == country, zone) for country, zone in sorted(country_zones.items())]
    by_country = ibis.cases(*cases, else_=default_zone) if cases else ibis.literal(default_zone)
    # DuckDB ends the whole query at a zone it does not know: one customer's would stop the build for all.
    return ibis.ifelse(customers.time_zone.isin(sorted(known_zones())), customers.time_zone, by_country)


def weights(signs: ir.Table, spine: ir.Table, *, half_life_days: float = HALF_LIFE_DAYS) -> ir.Table:
    """Return ``row_id``, ``hour``, ``weight`` for every row of the spine and hour that has a sign before it.

    ``spine`` has ``row_id``, ``customer_id`` and ``event_timestamp``; a sign of age a days weighs
    ``0.5 ** (a / half_life_days)``; what happens at the very moment is not before it.
    """
    before = signs.occurred_at < spine.event_timestamp
    joined = spine.inner_join(signs, [spine[CUSTOMER] == signs[CUSTOMER], before])
    age = days_between(joined.event_timestamp, joined.occurred_at)
    weighed = joined.select("row_id", "hour", weight=ibis.literal(0.5) ** (age / half_life_days))
    return weighed.group_by(["row_id", "hour"]).agg(
        # To 24 decimals, so that the sum is the same whatever the order of rows; no weight is above one.
        weight=weighed.weight.cast("decimal(38, 24)").sum().cast("float64")
    )


def week(found: pa.Table, rows: int) -> NDArray[np.float64]:
    """Return one array of 168 summed weights for each of ``rows`` spine rows; zeros where nothing was found."""
    hours = np.zeros((rows, HOURS_OF_WEEK))
    hours[found["row_id"].to_numpy(), found["hour"].to_numpy()] = found["weight"].to_numpy()
    return hours


def rhythm(
    signs: ir.Table, spine: pa.Table, connection: Any, *, half_life_days: float = HALF_LIFE_DAYS
) -> pa.Array:
    """Return the rhythm at each row of ``spine`` (``customer_id``, ``event_timestamp``), in its order."""
    numbered = spine.select([CUSTOMER, "event_timestamp"]).append_column(
        "row_id", pa.array(range(len(spine)), pa.int64())
    )
    found = connection.to_pyarrow(weights(signs, ibis.memtable(numbered), half_life_days=half_life_days))
    hours = week(found, len(spine))
    return pa.FixedSizeListArray.from_arrays(hours.ravel(), HOURS_OF_WEEK).cast(pa.list_(pa.float64()))
