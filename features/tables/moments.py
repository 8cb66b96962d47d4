"""Moments in expressions: UTC days, local time, and the dense grid of daily snapshots.

DuckDB truncates and casts a timestamp with a zone in the *session's* zone. Here every conversion names its zone,
so that no table depends on how a connection was opened.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from features.contracts.words import FIRST_PLAUSIBLE
from features.vocabulary import CUSTOMER as CUSTOMER  # noqa: PLC0414 - exported: tables are joined by it

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

DAY = "day"

_WALL = dt.Timestamp(scale=6)
_MOMENT = dt.Timestamp("UTC", 6)


@ibis.udf.scalar.builtin(name="timezone", signature=((dt.string, _MOMENT), _WALL))  # type: ignore[untyped-decorator]  # ibis has no types
def local_time(zone: Any, moment: Any) -> Any:
    """Return the wall clock in ``zone`` at ``moment``, right over daylight saving (SQL's AT TIME ZONE)."""


@ibis.udf.scalar.builtin(name="timezone", signature=((dt.string, _WALL), _MOMENT))  # type: ignore[untyped-decorator]  # ibis has no types
def from_local(zone: Any, wall: Any) -> Any:
    """Return the moment at which the clock in ``zone`` shows ``wall``."""


@ibis.udf.scalar.builtin(name="json_extract_string", signature=((dt.string, dt.string), dt.string))  # type: ignore[untyped-decorator]  # ibis has no types
def json_text(document: Any, path: Any) -> Any:
    """Return the value at ``path`` as text, numbers too; null where there is none."""


def exact(numbers: ir.FloatingColumn) -> ir.DecimalColumn:
    """Return ``numbers`` to twelve decimals, for sums that are the same whatever the order of rows.

    A sum of doubles hangs on the order in its last bits, and so then would a tree's threshold. What is no number,
    or none below 10²², is null: it adds nothing, and spoils nobody's sum.
    """
    return numbers.try_cast(dt.Decimal(34, 12))


def midnight(day: date) -> ir.TimestampScalar:
    """Return ``day`` 00:00 UTC."""
    return from_local("UTC", ibis.date(day).cast("timestamp"))


def dated(events: ir.Table, *, until: date) -> ir.Table:
    """Keep what happened before ``until`` 00:00 UTC, with its UTC wall time ``at`` and UTC ``day``.

    What is dated before 1990 is left out: a date that is none would give its customer a row for every day since.
    """
    at = local_time("UTC", events.occurred_at)
    stamped = events.mutate(at=at, day=at.date())
    end = datetime(until.year, until.month, until.day)  # noqa: DTZ001 - UTC wall time
    return stamped.filter(
        stamped["at"] >= ibis.timestamp(FIRST_PLAUSIBLE.replace(tzinfo=None)), stamped["at"] < ibis.timestamp(end)
    )


def snapshots(
    daily: ir.Table, first_days: ir.Table, *, until: date, fill: Mapping[str, float | Decimal]
) -> ir.Table:
    """Spread daily aggregates over every day from a customer's first to the day before ``until``.

    A row of day d holds what the snapshot of d + 1 may know. Days without events hold ``fill``.
    """
    last = ibis.date(until).cast("timestamp")
    days = ibis.range(first_days[DAY].cast("timestamp"), last, ibis.interval(days=1))
    grid = first_days.mutate(day=days.unnest()).mutate(day=ibis._.day.date())
    joined = grid.left_join(daily, [CUSTOMER, DAY])
    return joined.drop(f"{CUSTOMER}_right", f"{DAY}_right").fill_null(dict(fill))


def rolling(column: ir.NumericColumn, days: int) -> ir.NumericColumn:
    """Sum ``column`` over the last ``days`` rows of a dense grid, the current one included."""
    window = ibis.window(group_by=CUSTOMER, order_by=DAY, preceding=days - 1, following=0)
    return column.sum().over(window)


def snapshot_wall(day: ir.DateColumn) -> ir.TimestampColumn:
    """Return the UTC wall time of the snapshot that may know ``day``: the next midnight."""
    return (day + ibis.interval(days=1)).cast("timestamp")


def snapshot_moment(day: ir.DateColumn) -> ir.TimestampColumn:
    """Return the moment of the snapshot that may know ``day``."""
    return from_local("UTC", snapshot_wall(day))


def days_between(later: ir.TimestampValue, earlier: ir.TimestampValue) -> ir.FloatingValue:
    """Return the days from ``earlier`` to ``later`` with their fraction, to the microsecond."""
    return later.delta(earlier, unit="microsecond") / 86_400_000_000.0
