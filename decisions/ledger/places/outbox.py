"""The outbox: what is due waits for the sender, is lent, and comes again until it is acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, literal_column, select, update

from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import decision_from_json, micros, moment
from decisions.ledger.storage.session import Among, listed
from decisions.ledger.verdicts import Leased

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta

    from decisions.ledger.storage.session import Session

_outbox, _decision, _record = schema.outbox.c, schema.decision.c, schema.record.c

# Confirmed ones stay until acknowledged: the answer that carried them may have been lost on its way.
_DUE = (
    select(_outbox.decision_id, _record.body, _decision.state)
    .join_from(schema.outbox, schema.decision, _outbox.decision_id == _decision.decision_id)
    .join(schema.record, _record.decision_id == _outbox.decision_id)
    .where(
        _outbox.due_at <= bindparam("tick"),
        _outbox.expires_at > bindparam("tick"),
        _outbox.leased_until <= bindparam("tick"),
        _decision.state.in_([literal_column("'reserved'"), literal_column("'confirmed'")]),
    )
    .order_by(_outbox.due_at, _outbox.decision_id)
    .limit(bindparam("at_most"))
    # Where rows have locks: what a customer's writer is just changing is left for the next round, not waited for.
    .with_for_update(of=schema.outbox, skip_locked=True)
)
_LEASE = update(schema.outbox).where(Among(_outbox.decision_id, "ids")).values(leased_until=bindparam("until"))
_ACKNOWLEDGE = delete(schema.outbox).where(Among(_outbox.decision_id, "ids"))


def lease(session: Session, limit: int, now: datetime, ttl: timedelta) -> list[Leased]:
    """Lend what is due, oldest first; see :meth:`Ledger.lease`."""
    until = now + ttl
    rows = session.rows(_DUE, tick=micros(now), at_most=limit)
    session.run(_LEASE, ids=listed([row[0] for row in rows]), until=micros(until))
    kept = moment(micros(until))
    return [Leased(decision=decision_from_json(row[1], row[2]), leased_until=kept) for row in rows]


def acknowledge(session: Session, decision_ids: Collection[str]) -> int:
    """Take lines out of the outbox; return how many were there."""
    return session.run(_ACKNOWLEDGE, ids=listed(decision_ids))
