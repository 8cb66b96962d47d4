"""Where a customer can be reached, as it stands now: contact state per channel, zone, country; attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from features.tables.messages import about, told_before
from features.tables.moments import CUSTOMER, dated, json_text, midnight
from features.vocabulary import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

_LIFE_SIGNS = ("delivered", "opened", "clicked")


def contact(
    events: ir.Table,
    customers: ir.Table,
    *,
    as_of: date,
    channels: Sequence[str],
    told: ir.Table | None = None,
) -> ir.Table:
    """Return one row for each customer of either table: ``Vocabulary.contact`` and attributes at ``as_of``.

    The more cautious of two sources wins: what the customer table declares, and what bounces before ``as_of``
    show. A bounce is hard where its property ``bounce`` says so, else soft; a later delivery, open or click on the
    channel, a machine's too, ends a soft one. An event that names its message (:mod:`features.tables.messages`)
    and no channel is of the channel that the earliest report of it names. The ledger says the same
    (``decisions.ledger.people.contacts``), and knows besides when a declaration changed. The customer table keeps
    no history, so this is no snapshot to train on. ``told`` are the reports before ``as_of``, where they are
    at hand.
    """
    known = dated(events, until=as_of)
    # The cast makes both sides nullable: to Ibis a union of null and not null is an error.
    ids = (table.select(table[CUSTOMER].cast("string").name(CUSTOMER)) for table in (customers, known))
    everybody = ibis.union(*ids, distinct=True)
    rows = everybody.left_join(customers, CUSTOMER).drop(f"{CUSTOMER}_right")
    sends = told_before(events, as_of) if told is None else told
    sends = sends.filter(sends.heard_at < midnight(as_of))
    rows = rows.left_join(_bounces(_placed(known, sends), channels), CUSTOMER).drop(f"{CUSTOMER}_right")
    states = {f"{channel}_contact": _state(rows, channel) for channel in channels}
    return rows.select(
        CUSTOMER,
        event_timestamp=midnight(as_of),
        **states,
        time_zone=rows.time_zone,
        country=rows.country,
        **{ATTRIBUTES: rows.attributes.nullif("{}")},
    )


def _placed(known: ir.Table, told: ir.Table) -> ir.Table:
    """Give the events that tell of a channel the one of their message, where they name none."""
    telling = known.filter(known.type.isin(("bounced", *_LIFE_SIGNS)))
    on = told.filter(told.channel.notnull())
    earliest = on.channel.first(order_by=[on.told_at, on.told_by])
    sent_on = on.group_by([CUSTOMER, "message"]).agg(sent_on=earliest)
    named = about(telling.filter(telling.channel.isnull()), told).inner_join(sent_on, [CUSTOMER, "message"])
    joined = telling.left_join(named.select("event_id", "sent_on"), "event_id").drop("event_id_right")
    return joined.mutate(channel=ibis.coalesce(joined.channel, joined.sent_on)).drop("sent_on")


def _bounces(known: ir.Table, channels: Sequence[str]) -> ir.Table:
    bounced = known.type == "bounced"
    hard = bounced & (json_text(known.properties, "$.bounce") == "hard").fill_null(False)
    alive = known.type.isin(_LIFE_SIGNS)
    columns = {}
    for channel in channels:
        here = known.channel == channel
        columns[f"{channel}_hard"] = (here & hard).sum() > 0
        columns[f"{channel}_bounced"] = known["at"].max(where=here & bounced)
        columns[f"{channel}_alive"] = known["at"].max(where=here & alive)
    return known.group_by(CUSTOMER).agg(**columns) if columns else known.select(CUSTOMER).distinct()


def _state(rows: ir.Table, channel: str) -> ir.StringValue:
    declared = json_text(rows.contacts, f"$.{channel}").fill_null("absent")
    bounced, alive = rows[f"{channel}_bounced"], rows[f"{channel}_alive"]
    soft = bounced.notnull() & (alive.isnull() | (alive <= bounced))
    return ibis.cases(
        (rows[f"{channel}_hard"].fill_null(False), "hard_bounced"),
        (declared.isin(("absent", "hard_bounced")), declared),
        (soft, "soft_bounced"),
        else_=declared,
    )
