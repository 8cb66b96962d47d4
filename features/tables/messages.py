"""What one message is, said once: the reports of a send that share a name, however many sources told of it.

A report of a send may name a decision, a message, or both. Reports of one customer that share either name are of
one message, and so are those that a third report, naming both, ties together: a message is a connected component.
A report without a name is a message of its own. Its facts (moment, channel, campaign, offer) are those of its
earliest report, by time and then by event id.

A tie that is told later changes nothing before it: until the moment of the report that tied them, two reports were
two messages to everybody, and a snapshot made then keeps both. :func:`reports` says until when each stood for one.
"""

from __future__ import annotations

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.tables.moments import CUSTOMER

FACTS = ("occurred_at", "channel", "decision_id", "message_id", "campaign_id", "offer_id")
"""What a report tells of a send."""

_TOLD = {
    CUSTOMER: "string",
    "event_id": "string",
    **{name: "timestamp('UTC', 6)" if name == "occurred_at" else "string" for name in FACTS},
}

_PLACE = "place"
"""A report's number among those of its customer, by time and event id, from 1."""

_UNTANGLED = ibis.schema({CUSTOMER: "string", _PLACE: "int64", "first": "int64", "tied": "int64"})
_UNTANGLE = """
WITH RECURSIVE told AS (
  SELECT customer_id, place, [place] AS firsts, CAST(NULL AS BIGINT) AS gone
  FROM $reports WHERE place = 1
  UNION ALL
  SELECT customer_id, place,
    [CASE WHEN one = high THEN low ELSE one END FOR one IN firsts] || [coalesce(low, place)],
    CASE WHEN low <> high THEN high END
  FROM (
    SELECT n.customer_id, n.place, o.firsts,
      least(o.firsts[n.same_decision], o.firsts[n.same_message]) AS low,
      greatest(o.firsts[n.same_decision], o.firsts[n.same_message]) AS high
    FROM told AS o JOIN $reports AS n ON n.customer_id = o.customer_id AND n.place = o.place + 1
  ) AS both_named
),
whole AS (SELECT customer_id, arg_max(firsts, place) AS firsts FROM told GROUP BY customer_id),
each_report AS (
  SELECT customer_id, unnest(range(1, len(firsts) + 1)) AS place, unnest(firsts) AS first FROM whole
),
ties AS (SELECT customer_id, gone AS place, place AS tied FROM told WHERE gone IS NOT NULL)
SELECT customer_id, place, first, tied FROM each_report LEFT JOIN ties USING (customer_id, place)
"""
"""Hear the reports one after the other: whom they name gets the number of the earliest (union–find as a fold)."""


def messages(events: ir.Table) -> ir.Table:
    """Return one row a message: ``customer_id``, ``message`` (its earliest report's event id) and its facts."""
    return of_reports(reports(events))


def of_reports(told: ir.Table) -> ir.Table:
    """Return the messages of :func:`reports`."""
    return told.filter(told.stands_until.isnull()).select(CUSTOMER, "message", *FACTS)


def reports(events: ir.Table) -> ir.Table:
    """Return every report of a send: ``customer_id``, ``event_id``, its facts, ``message`` and ``stands_until``.

    ``message`` is the event id of the earliest report of the same message. ``stands_until`` is the moment from
    which the report is known not to be a message of its own: null for the earliest, its own moment where one
    before it bears the same name, later where only a later report tied it to one before it.
    """
    # The cast makes every column nullable: to Ibis a union of null and not null is an error.
    columns = {name: events[name].cast(kind) for name, kind in _TOLD.items()}
    sends = events.filter(events.type == "sent").select(**columns)
    named = _held_together(sends)
    knotted = named.filter(named.ties).select(CUSTOMER).distinct()
    return ibis.union(_plain(named.anti_join(knotted, CUSTOMER)), _untangled(sends.semi_join(knotted, CUSTOMER)))


def names(told: ir.Table) -> ir.Table:
    """Return each name a message goes by, once: ``customer_id``, ``name`` and ``message``."""
    named = [
        told.filter(name.notnull()).select(CUSTOMER, name=name, message="message")
        for name in (_decision(told), _message(told))
    ]
    return ibis.union(*named, distinct=True)


def about(happened: ir.Table, told: ir.Table) -> ir.Table:
    """Return the events ``happened`` (deliveries, reactions …), once a message of their customer that they name.

    ``message`` is added. An event that names nothing, or no message of its customer, is left out; one that names
    two messages which no report tied is about both.
    """
    by_either = ibis.union(
        happened.mutate(name=_decision(happened)),
        happened.filter(happened.message_id.notnull()).mutate(name=_message(happened)),
    )
    found = by_either.inner_join(names(told), [CUSTOMER, "name"])
    return found.select(*happened.columns, "message").distinct()


def _decision(events: ir.Table) -> ir.StringColumn:
    # A provider may number its messages as we do our decisions.
    return "decision:" + events.decision_id


def _message(events: ir.Table) -> ir.StringColumn:
    return "message:" + events.message_id


def _held_together(sends: ir.Table) -> ir.Table:
    """Add the one ``name`` that holds a report's message together, and whether the report ``ties`` what none does.

    A name is wide if reports bear it that differ in the other name, or lack it. A report of two wide names ties
    what no name alone does: the few customers who have one are heard report by report.
    """
    only = sends.filter(sends.decision_id.isnull() | sends.message_id.isnull())
    both = sends.filter(sends.decision_id.notnull() & sends.message_id.notnull())
    both = _wide(_wide(both, sends, "decision_id", "message_id"), sends, "message_id", "decision_id")
    by_message = both.message_id_wide & ~both.decision_id_wide
    own = ibis.coalesce(_decision(only), _message(only), "event:" + only.event_id)
    return ibis.union(
        only.mutate(name=own, ties=False),
        both.select(
            *sends.columns,
            name=ibis.ifelse(by_message, _message(both), _decision(both)),
            ties=both.decision_id_wide & both.message_id_wide,
        ),
    )


def _wide(both: ir.Table, sends: ir.Table, name: str, other: str) -> ir.Table:
    bearing = sends.filter(sends[name].notnull())
    differ = bearing[other].isnull().any() | (bearing[other].min() != bearing[other].max()).fill_null(False)
    wide = bearing.group_by([CUSTOMER, name]).agg(**{f"{name}_wide": differ})
    return both.inner_join(wide, [CUSTOMER, name])


def _plain(reports: ir.Table) -> ir.Table:
    told = ibis.window(group_by=[CUSTOMER, reports.name], order_by=["occurred_at", "event_id"])
    first = reports.event_id.first().over(told)
    earliest = ibis.row_number().over(told) == 0
    return reports.select(
        CUSTOMER,
        "event_id",
        *FACTS,
        message=first,
        stands_until=ibis.cases((~earliest, reports.occurred_at)),
    )


def _untangled(reports: ir.Table) -> ir.Table:
    placed = reports.mutate(
        **{
            _PLACE: ibis.row_number().over(ibis.window(group_by=CUSTOMER, order_by=["occurred_at", "event_id"]))
            + 1
        }
    )
    placed = placed.mutate(
        same_decision=_before(placed, "decision_id"), same_message=_before(placed, "message_id")
    ).alias(ibis.util.gen_name("reports"))
    op = placed.op()
    untangled = ops.SQLStringView(
        parent=op, query=_UNTANGLE.replace("$reports", op.name), schema=_UNTANGLED
    ).to_expr()
    each = placed.inner_join(untangled, [CUSTOMER, _PLACE])
    firsts = placed.select(CUSTOMER, first=placed[_PLACE], message=placed.event_id)
    ties = placed.select(CUSTOMER, tied=placed[_PLACE], tied_at=placed.occurred_at)
    each = each.inner_join(firsts, [CUSTOMER, "first"]).left_join(ties, [CUSTOMER, "tied"])
    own = ibis.cases((each[_PLACE] != each.first, each.occurred_at))
    return each.select(CUSTOMER, "event_id", *FACTS, "message", stands_until=ibis.coalesce(each.tied_at, own))


def _before(placed: ir.Table, name: str) -> ir.IntegerColumn:
    """Return the place of the report before this one that bears the same name, null where there is none."""
    earlier = ibis.window(group_by=[CUSTOMER, name], order_by=_PLACE)
    return ibis.cases((placed[name].notnull(), placed[_PLACE].lag().over(earlier)))
