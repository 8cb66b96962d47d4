"""What was lately told of customers' messages, event by event: what features do not know yet is found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, literal_column, select

from decisions.ledger.storage import schema
from decisions.ledger.storage.session import Among, listed
from decisions.worth.told import REACTIONS, SENT, Told

if TYPE_CHECKING:
    from collections.abc import Collection

    from decisions.ledger.storage.session import Session

_inbox = schema.inbox.c
_TOLD = (
    select(
        _inbox.customer_id,
        _inbox.event_id,
        _inbox.type,
        _inbox.occurred_at,
        _inbox.received_at,
        _inbox.channel,
        _inbox.decision_id,
        _inbox.message_id,
        _inbox.offer_id,
        _inbox.automated,
    )
    .where(
        Among(_inbox.customer_id, "customer_ids"),
        _inbox.occurred_at >= bindparam("since"),
        _inbox.occurred_at < bindparam("now"),
        _inbox.received_at <= bindparam("now"),
        _inbox.type.in_([literal_column(f"'{kind}'") for kind in (SENT, *REACTIONS)]),
        _inbox.automated.is_not(None),
    )
    .order_by(_inbox.customer_id, _inbox.occurred_at, _inbox.event_id)
)


def told(session: Session, customer_ids: Collection[str], since: int, now: int) -> list[Told]:
    """Return what happened in ``since ≤ occurred < now`` and was told by ``now``, sorted by customer and moment.

    An event that was taken before its names were kept is left out.
    """
    rows = session.rows(_TOLD, customer_ids=listed(customer_ids), since=since, now=now)
    return [Told._make(row) for row in rows]
