"""What counts as one order: the ``purchased`` events of one customer that share an ``order_id``."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.tables.moments import CUSTOMER, json_text


def order_key(events: ir.Table) -> ir.StringColumn:
    """Return the order an event belongs to; an event that names none is an order of its own."""
    named = json_text(events.properties, "$.order_id")
    return ibis.coalesce("order:" + named, "event:" + events.event_id)


def first_of(*keys: ir.Column, at: ir.Column, event_id: ir.Column) -> ir.BooleanColumn:
    """Tell whether a row is the earliest of its keys.

    The first row stands for its group because nothing that happens later can change which one is first: a
    snapshot of the past stays what it was.
    """
    window = ibis.window(group_by=keys, order_by=[at, event_id])
    return ibis.row_number().over(window) == 0


def begins_order(events: ir.Table) -> ir.BooleanColumn:
    """Tell whether an event is the first ``purchased`` event of its order."""
    key, bought = order_key(events), events.type == "purchased"
    return bought & first_of(events[CUSTOMER], bought, key, at=events.at, event_id=events.event_id)
