"""What was sent on a channel and what came back: one row a customer and day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from features.tables.messages import told_before
from features.tables.moments import (
    CUSTOMER,
    DAY,
    dated,
    days_between,
    local_time,
    rolling,
    snapshot_moment,
    snapshot_wall,
    snapshots,
)
from features.vocabulary import MESSAGE_COUNTS, WINDOWS

if TYPE_CHECKING:
    from datetime import date

_FLEETING = "fleeting"
"""A message on a day on which it was known, where it was not known so from the day it went on to this day."""
_LATE = "late"
"""A message on the day on which it became known, where that was a later day than the one on which it went."""


def pressure(events: ir.Table, *, until: date, channel: str, told: ir.Table | None = None) -> ir.Table:
    """Return the daily pressure snapshots of one channel up to the one of ``until``.

    Columns: ``customer_id``, ``event_timestamp`` and ``Vocabulary.pressure_of(channel)``. A customer's rows begin
    with the first message event on the channel: before it every count is 0 and ``days_since_sent`` null.
    A message counts once, however many sources told of it (:mod:`features.tables.messages`), by what was told
    before the snapshot: from the day on which a report named the channel, as far as reports tied it to others.
    ``told`` are the reports before ``until``, where they are at hand.
    """
    sends = _known(_on(told_before(events, until) if told is None else told, channel), until)
    daily = _daily(
        ibis.union(_answers(events, until, channel), _standing(sends), _late(sends), _fleeting(sends, until))
    )
    first = daily.group_by(CUSTOMER).agg(day=daily.day.min())
    grid = snapshots(daily, first, until=until, fill=dict.fromkeys((*MESSAGE_COUNTS, *_fleeting_counts()), 0.0))
    history = ibis.cumulative_window(group_by=CUSTOMER, order_by=DAY)
    last_sent = ibis.greatest(grid.last_sent.max().over(history), grid.last_fleeting)
    counts = {(what, days): rolling(grid[what], days) for what in MESSAGE_COUNTS for days in WINDOWS}
    for days, name in zip(WINDOWS, _fleeting_counts(), strict=True):
        counts["sent", days] = counts["sent", days] + grid[name]
    return grid.select(
        CUSTOMER,
        event_timestamp=snapshot_moment(grid[DAY]),
        **{f"{channel}_{what}_{days}d": count for (what, days), count in counts.items()},
        **{f"{channel}_days_since_sent": days_between(snapshot_wall(grid[DAY]), last_sent)},
    )


def _on(events: ir.Table, channel: str) -> ir.Table:
    return events.filter(events.channel == channel)


def _answers(events: ir.Table, until: date, channel: str) -> ir.Table:
    """Return what came back; what a machine opened or clicked did not."""
    known = dated(_on(events, channel), until=until)
    machine = known.type.isin(("opened", "clicked")) & known.automated
    answers = tuple(what for what in MESSAGE_COUNTS if what != "sent")
    return _counted(known.filter(known.type.isin(answers) & ~machine), "type")


def _known(told: ir.Table, until: date) -> ir.Table:
    """Add the day on which each message went, that from which it was known, and that until which it was so."""
    known = told.mutate(
        known=local_time("UTC", told.heard_at).date(), ended=local_time("UTC", told.stands_until).date()
    )
    return dated(known.filter(known.known < ibis.date(until)), until=until)


def _standing(sends: ir.Table) -> ir.Table:
    at_once = sends.stands_until.isnull() & (sends.known == sends[DAY])
    return _counted(sends.filter(at_once), ibis.literal("sent"))


def _late(sends: ir.Table) -> ir.Table:
    late = sends.filter(sends.stands_until.isnull() & (sends.known > sends[DAY]))
    return _counted(late.mutate(day=late.known), ibis.literal(_LATE))


def _fleeting(sends: ir.Table, until: date) -> ir.Table:
    """Return what was known for some days only, or from a later day on: a row for each day on which it counts."""
    counts = (sends[DAY] + ibis.interval(days=max(WINDOWS))).cast("date")
    some = sends.mutate(ended=ibis.ifelse(sends.stands_until.isnull(), counts, sends.ended))
    some = some.filter(some.ended > some.known, some.stands_until.notnull() | (some.known > some[DAY]))
    last = ibis.least(some.ended, ibis.date(until)).cast("timestamp")
    days = ibis.range(some.known.cast("timestamp"), last, ibis.interval(days=1))
    each = some.mutate(stood=days.unnest())
    age = each.stood.date().delta(each[DAY], unit="day")
    return _counted(each.mutate(day=each.stood.date(), age=age), ibis.literal(_FLEETING), age)


def _counted(rows: ir.Table, what: str | ir.Value, age: ir.Value | None = None) -> ir.Table:
    kind = rows[what] if isinstance(what, str) else what
    age = ibis.literal(0) if age is None else age
    return rows.select(
        customer_id=rows[CUSTOMER].cast("string"),
        day=rows[DAY],
        what=kind.cast("string"),
        at=rows["at"],
        age=age.cast("int64"),
    )


def _daily(counted: ir.Table) -> ir.Table:
    fleeting = counted.what == _FLEETING
    return counted.group_by([CUSTOMER, DAY]).agg(
        **{what: (counted.what == what).sum().cast("float64") for what in MESSAGE_COUNTS},
        **{
            name: (fleeting & (counted.age < days)).sum().cast("float64")
            for days, name in zip(WINDOWS, _fleeting_counts(), strict=True)
        },
        last_sent=counted["at"].max(where=counted.what.isin(("sent", _LATE))),
        last_fleeting=counted["at"].max(where=fleeting),
    )


def _fleeting_counts() -> tuple[str, ...]:
    return tuple(f"{_FLEETING}_{days}d" for days in WINDOWS)
