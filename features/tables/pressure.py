"""What was sent on a channel and what came back: one row a customer and day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from features.tables.moments import (
    CUSTOMER,
    DAY,
    dated,
    days_between,
    rolling,
    snapshot_moment,
    snapshot_wall,
    snapshots,
)
from features.tables.orders import first_of
from features.vocabulary import MESSAGE_COUNTS, WINDOWS

if TYPE_CHECKING:
    from datetime import date


def pressure(events: ir.Table, *, until: date, channel: str) -> ir.Table:
    """Return the daily pressure snapshots of one channel up to the one of ``until``.

    Columns: ``customer_id``, ``event_timestamp`` and ``Vocabulary.pressure_of(channel)``. A customer's rows begin
    with the first message event on the channel: before it every count is 0 and ``days_since_sent`` null.
    Sends that share a decision (or, without one, a message) are one send reported by several sources.
    """
    known = dated(events, until=until)
    messages = _counted(known.filter((known.channel == channel) & known.type.isin(MESSAGE_COUNTS)))
    daily = messages.group_by([CUSTOMER, DAY]).agg(
        **{what: (messages.type == what).sum().cast("float64") for what in MESSAGE_COUNTS},
        last_sent=messages["at"].max(where=messages.type == "sent"),
    )
    first = daily.group_by(CUSTOMER).agg(day=daily.day.min())
    grid = snapshots(daily, first, until=until, fill=dict.fromkeys(MESSAGE_COUNTS, 0.0))
    history = ibis.cumulative_window(group_by=CUSTOMER, order_by=DAY)
    now = snapshot_wall(grid[DAY])
    return grid.select(
        CUSTOMER,
        event_timestamp=snapshot_moment(grid[DAY]),
        **{f"{channel}_{what}_{days}d": rolling(grid[what], days) for what in MESSAGE_COUNTS for days in WINDOWS},
        **{f"{channel}_days_since_sent": days_between(now, grid.last_sent.max().over(history))},
    )


def _counted(messages: ir.Table) -> ir.Table:
    """Drop machine reactions and the second report of one send."""
    reaction = messages.type.isin(("opened", "clicked"))
    people = messages.filter(~(reaction & messages.automated))
    key = ibis.coalesce(
        "decision:" + people.decision_id, "message:" + people.message_id, "event:" + people.event_id
    )
    first = first_of(people[CUSTOMER], people.type, key, at=people["at"], event_id=people.event_id)
    marked = people.mutate(first=first)
    return marked.filter((marked.type != "sent") | marked.first)
