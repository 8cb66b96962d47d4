"""From events to one row a customer: numerators, denominators and what each was before the assignment."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from experiments.exposures import EXPOSURE_SCHEMA, typed
from features.tables.messages import messages

if TYPE_CHECKING:
    from experiments.spec import AnalysisSpec, Measure, Metric
    from features.lake import EventSource

BEFORE = "before"
AFTER = "after"
SENT = "sent"
NAMED = 3
"""So many customers are named where some are odd; the others are counted."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Exposed:
    """Who is compared, one row a customer at their first assignment, and who had to be left out and why."""

    table: pa.Table
    excluded: dict[str, int]
    repeated: int
    """Rows of customers who were in the same arm already."""
    several: tuple[str, ...]
    """Customers who were in several arms: some of them."""
    strangers: dict[str, int]
    """Arms that the plan does not have, and how many customers they hold."""


def exposed(spec: AnalysisSpec, exposures: pa.Table, *, until: datetime | None = None) -> Exposed:
    """Return the customers to compare: in one arm only, in an arm of the plan.

    Those whose outcome windows have not ended by ``until`` are left to :func:`ripe`, so that the sample ratio is
    judged on everybody.
    """
    rows = typed(exposures).drop_null()
    parts = [("assigned_at", "min"), ("assigned_at", "count"), ("arm", "min"), ("arm", "max")]
    first = rows.group_by("customer_id").aggregate(parts).sort_by("customer_id")
    one_arm = pc.equal(first["arm_min"], first["arm_max"])
    planned = pc.is_in(first["arm_min"], value_set=pa.array(list(spec.arms)))
    several, others = first.filter(pc.invert(one_arm)), first.filter(pc.and_(one_arm, pc.invert(planned)))
    kept = first.filter(pc.and_(one_arm, planned))
    table = pa.table([kept["customer_id"], kept["arm_min"], kept["assigned_at_min"]], schema=EXPOSURE_SCHEMA)
    excluded = {
        "incomplete_row": exposures.num_rows - rows.num_rows,
        "in_several_arms": several.num_rows,
        "arm_not_in_plan": others.num_rows,
        "window_not_over": 0 if until is None else table.num_rows - ripe(spec, table, until=until).num_rows,
    }
    return Exposed(
        table=table,
        excluded={reason: n for reason, n in excluded.items() if n},
        repeated=int(pc.sum(kept["assigned_at_count"]).as_py() or 0) - kept.num_rows,
        several=tuple(several["customer_id"][:NAMED].to_pylist()),
        strangers=dict(sorted(Counter(others["arm_min"].to_pylist()).items())),
    )


def ripe(spec: AnalysisSpec, table: pa.Table, *, until: datetime | None) -> pa.Table:
    """Return the customers whose slowest window had ended by ``until``: by elapsed time, never by outcome."""
    if until is None:
        return table
    latest = pa.scalar(until - timedelta(days=spec.days), pa.timestamp("us", "UTC"))
    return table.filter(pc.less_equal(table["assigned_at"], latest))


def metric_table(spec: AnalysisSpec, customers: pa.Table, source: EventSource, connection: Any) -> pa.Table:
    """Return ``customers`` with the columns of every metric (:func:`column`); 0 where nothing happened.

    Buckets are read one after the other, and only sums by customer are kept.
    """
    sums = [
        connection.to_pyarrow(_sums(spec, ibis.memtable(customers), source.events(connection, bucket)))
        for bucket in range(source.buckets)
    ]
    names = sums[0].column_names[1:]
    # A household that moved may have left events of one customer in two buckets: the parts are added.
    total = pa.concat_tables(sums).group_by("customer_id").aggregate([(name, "sum") for name in names])
    place = pc.index_in(customers["customer_id"], value_set=total["customer_id"])
    for name in names:
        amounts = pc.fill_null(total[f"{name}_sum"].take(place), 0.0)
        customers = customers.append_column(name, amounts)
    return _rates(spec, customers)


def column(metric: Metric, part: str = "numerator", period: str = AFTER) -> str:
    """Return the name of a metric's column: ``part`` is numerator or denominator, ``period`` after or before."""
    return f"{metric.name}.{part}.{period}"


def matching(events: Any, measure: Measure, *, any_currency: bool = False) -> Any:
    """Return which of ``events`` the measure sums, whenever they happened."""
    matches = events.type.isin(list(measure.events))
    if measure.currency is not None and not any_currency:
        matches &= (events.currency == measure.currency).fill_null(False)
    if measure.condition is not None:
        matches &= measure.condition.ibis(events).fill_null(False)
    return matches


def _sums(spec: AnalysisSpec, customers: Any, events: Any) -> Any:
    joined = _told_once(spec, events, customers).inner_join(customers, "customer_id")
    columns = {
        column(metric, part, period): _amount(joined, measure, inside(joined, spec, metric, period)).sum()
        for metric, part, measure in spec.measures
        for period in (AFTER, BEFORE)
    }
    return joined.group_by("customer_id").aggregate(**columns)


def _told_once(spec: AnalysisSpec, events: Any, customers: Any) -> Any:
    """Return the customers' own events, each message among them as its telling report at the moment it went."""
    theirs = events.filter(~events.automated).semi_join(customers, "customer_id")
    if not any(SENT in measure.events for _, _, measure in spec.measures):
        return theirs
    sends = messages(theirs).select(event_id="told_by", went="occurred_at")
    once = theirs.left_join(sends, "event_id").drop("event_id_right")
    told = once.filter((once.type != SENT) | once.went.notnull())
    return told.mutate(occurred_at=told.went.coalesce(told.occurred_at)).drop("went")


def inside(joined: Any, spec: AnalysisSpec, metric: Metric, period: str) -> Any:
    """Return which events lie in the metric's window (half open), or in the window before the assignment."""
    at, start = joined.occurred_at, joined.assigned_at
    if period == BEFORE:
        return (at >= start - _days(spec.covariate_days)) & (at < start)
    return (at >= start) & (at < start + _days(metric.days))


def _days(days: int) -> Any:
    # Hours, not days: DuckDB adds calendar days in the session's zone, and some of those have 23 hours.
    return ibis.interval(hours=24 * days)


def _amount(joined: Any, measure: Measure, inside: Any) -> Any:
    amount = joined.value.fill_null(0.0) if measure.what == "value" else ibis.literal(1.0)
    return (matching(joined, measure) & inside).ifelse(amount, 0.0)


def _rates(spec: AnalysisSpec, table: pa.Table) -> pa.Table:
    for metric in spec.metrics:
        if metric.kind == "rate":
            for period in (AFTER, BEFORE):
                name = column(metric, period=period)
                happened = (np.asarray(table[name]) > 0).astype(np.float64)
                table = table.set_column(table.column_names.index(name), name, pa.array(happened))
    return table
