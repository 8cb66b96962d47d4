"""What one message is, said once: the reports of a send that share a name, however many sources told of it.

A report of a send may name a decision, a message, or both. Reports of one customer that share either name are of
one message, and so are those that a third report, naming both, ties together: a message is a connected component.
A report without a name is a message of its own. It went when its earliest report says; what it was (channel,
campaign, offer) is what the earliest report says that names a channel, else the earliest. Earliest is by time and
then by event id. The ledger goes by the same rule (:mod:`decisions.ledger.events.sends`).

What is told later changes nothing before it. Until the moment of the report that tied them, two reports were two
messages to everybody, and until one named it, the channel of a message was unknown: a snapshot made then keeps
what was known. :func:`reports` says from when until when each thing was known of a message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.tables.moments import CUSTOMER, dated

if TYPE_CHECKING:
    from datetime import date

_SAID = ("channel", "campaign_id", "offer_id")
"""What one report alone says of a message: that of its teller."""
_NAMES = ("decision_id", "message_id")
FACTS = ("occurred_at", *_SAID, *_NAMES)
"""What is known of a message. Its names here are those of one report: it may go by others too."""

_MOMENT = "timestamp('UTC', 6)"
_TOLD = {
    CUSTOMER: "string",
    "event_id": "string",
    "heard_at": _MOMENT,
    **dict.fromkeys((*_SAID, *_NAMES), "string"),
}

_PLACE = "place"
"""A report's number among those of its customer, by time and event id, from 1."""

_UNTANGLED = ibis.schema(
    {CUSTOMER: "string", **dict.fromkeys((_PLACE, "first", "head", "teller", "ended"), "int64")}
)
_UNTANGLE = """
WITH RECURSIVE told AS (
  SELECT customer_id, place, [place] AS firsts, place AS head, naming AS teller, [naming] AS tellers,
    true AS news, CAST(NULL AS BIGINT) AS gone
  FROM $reports WHERE place = 1
  UNION ALL
  SELECT customer_id, place,
    [CASE WHEN one = high THEN low ELSE one END FOR one IN firsts] || [coalesce(low, place)],
    coalesce(low, place),
    teller,
    CASE WHEN low IS NULL THEN tellers || [teller]
      ELSE list_slice(tellers, 1, low - 1) || [teller] || list_slice(tellers, low + 1, place - 1) || [NULL] END,
    low IS NULL OR teller IS DISTINCT FROM tellers[low],
    CASE WHEN low <> high THEN high END
  FROM (
    SELECT *, least(tellers[low], tellers[high], naming) AS teller
    FROM (
      SELECT n.customer_id, n.place, n.naming, o.firsts, o.tellers,
        least(o.firsts[n.same_decision], o.firsts[n.same_message]) AS low,
        greatest(o.firsts[n.same_decision], o.firsts[n.same_message]) AS high
      FROM told AS o JOIN $reports AS n ON n.customer_id = o.customer_id AND n.place = o.place + 1
    ) AS both_named
  ) AS with_teller
),
whole AS (SELECT customer_id, arg_max(firsts, place) AS firsts FROM told GROUP BY customer_id),
each_report AS (
  SELECT customer_id, unnest(range(1, len(firsts) + 1)) AS place, unnest(firsts) AS first FROM whole
),
turns AS (
  SELECT customer_id, head AS message, place FROM told WHERE news
  UNION ALL
  SELECT customer_id, gone, place FROM told WHERE gone IS NOT NULL
),
until AS (
  SELECT customer_id, place, message AS head,
    lead(place) OVER (PARTITION BY customer_id, message ORDER BY place) AS ended
  FROM turns
)
SELECT customer_id, place, first, head,
  CASE WHEN news THEN coalesce(teller, head) ELSE place END AS teller,
  CASE WHEN news THEN ended ELSE place END AS ended
FROM told JOIN each_report USING (customer_id, place) LEFT JOIN until USING (customer_id, place, head)
"""
"""Hear the reports one after the other: whom they name gets the number of the earliest (union–find as a fold)."""


def messages(events: ir.Table) -> ir.Table:
    """Return one row a message: ``customer_id``, ``message``, its facts and ``told_by``.

    ``message`` is the event id of its earliest report, ``told_by`` that of the report that says what it was.
    """
    return of_reports(reports(events))


def of_reports(told: ir.Table) -> ir.Table:
    """Return the messages of :func:`reports`."""
    return told.filter(told.stands_until.isnull()).select(CUSTOMER, "message", *FACTS, "told_by")


def reports(events: ir.Table) -> ir.Table:
    """Return every report of a send, and what was known of its message by it.

    Columns: ``customer_id``, ``event_id``, the report's own ``decision_id`` and ``message_id``, ``heard_at`` (its
    moment), and ``message``, the event id of the earliest report of the same message. From ``heard_at`` on it was
    known that the message went at ``occurred_at`` and was what the report ``told_by`` (of ``told_at``) says, until
    ``stands_until``: null where that still stands, ``heard_at`` where the report brought nothing new. Such a
    report bears what it says itself.
    """
    # The cast makes every column nullable: to Ibis a union of null and not null is an error.
    named = _held_together(
        events.filter(events.type == "sent")
        .mutate(heard_at=events.occurred_at)
        .select(**{name: ibis._[name].cast(kind) for name, kind in _TOLD.items()})
    )
    knotted = named.filter(named.ties).select(CUSTOMER).distinct()
    return ibis.union(_plain(named.anti_join(knotted, CUSTOMER)), _untangled(named.semi_join(knotted, CUSTOMER)))


def told_before(events: ir.Table, until: date) -> ir.Table:
    """Return the :func:`reports` of what happened before ``until``: no tie that was told later is among them."""
    return reports(dated(events, until=until))


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
    """Tell of messages that one name holds together: news is the first report, and the first of a channel."""
    told = ibis.window(group_by=[CUSTOMER, reports.name], order_by=["heard_at", "event_id"])
    named = reports.mutate(
        message=reports.event_id.first().over(told),
        occurred_at=reports.heard_at.first().over(told),
        first=ibis.row_number().over(told) == 0,
        naming=reports.channel.notnull()
        .sum()
        .over(ibis.cumulative_window(group_by=told.groupings, order_by=told.orderings)),
        named_at=reports.heard_at.min(where=reports.channel.notnull()).over(group_by=[CUSTOMER, reports.name]),
    )
    names = named.channel.notnull()
    return _columns(
        named,
        told_at=named.heard_at,
        told_by=named.event_id,
        stands_until=ibis.cases(
            (named.first & ~names, named.named_at),
            (named.first | (names & (named.naming == 1)), ibis.null(_MOMENT)),
            else_=named.heard_at,
        ),
    )


def _untangled(reports: ir.Table) -> ir.Table:
    placed = reports.mutate(
        **{_PLACE: ibis.row_number().over(ibis.window(group_by=CUSTOMER, order_by=["heard_at", "event_id"])) + 1}
    )
    placed = placed.mutate(
        same_decision=_before(placed, "decision_id"),
        same_message=_before(placed, "message_id"),
        naming=ibis.cases((placed.channel.notnull(), placed[_PLACE])),
    ).alias(ibis.util.gen_name("reports"))
    op = placed.op()
    untangled = ops.SQLStringView(
        parent=op, query=_UNTANGLE.replace("$reports", op.name), schema=_UNTANGLED
    ).to_expr()
    each = placed.drop(*_SAID).inner_join(untangled, [CUSTOMER, _PLACE])
    by_place = {
        "first": {"message": placed.event_id},
        "head": {"occurred_at": placed.heard_at},
        "teller": {
            "told_at": placed.heard_at,
            "told_by": placed.event_id,
            **{name: placed[name] for name in _SAID},
        },
        "ended": {"stands_until": placed.heard_at},
    }
    for place, columns in by_place.items():
        those = placed.select(CUSTOMER, **{place: placed[_PLACE]}, **columns)
        each = each.left_join(those, [CUSTOMER, place]).drop(f"{CUSTOMER}_right", f"{place}_right")
    return _columns(each)


def _columns(told: ir.Table, **more: ir.Value) -> ir.Table:
    own = (CUSTOMER, "event_id", "heard_at", "message", *FACTS)
    known = ("told_at", "told_by", "stands_until")
    return told.select(*own, **{name: more[name] if name in more else told[name] for name in known})


def _before(placed: ir.Table, name: str) -> ir.IntegerColumn:
    """Return the place of the report before this one that bears the same name, null where there is none."""
    earlier = ibis.window(group_by=[CUSTOMER, name], order_by=_PLACE)
    return ibis.cases((placed[name].notnull(), placed[_PLACE].lag().over(earlier)))
