"""The two boxes: what is due waits in the outbox for the sender, what happened in the inbox for the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import and_, bindparam, delete, literal_column, null, select, update

from decisions.ledger import schema
from decisions.ledger.codec import decision_from_json, micros, moment
from decisions.ledger.session import Among, listed
from decisions.ledger.verdicts import Leased
from features.contracts import EVENT_SCHEMA, Event

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime, timedelta

    import pyarrow as pa

    from decisions.ledger.session import Session

_outbox, _inbox, _decision, _record = schema.outbox.c, schema.inbox.c, schema.decision.c, schema.record.c

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
)
_LEASE = update(schema.outbox).where(Among(_outbox.decision_id, "ids")).values(leased_until=bindparam("until"))
_ACKNOWLEDGE = delete(schema.outbox).where(Among(_outbox.decision_id, "ids"))
_WAITING = (
    select(_inbox.body)
    .where(and_(_inbox.drained == literal_column("0"), _inbox.body.is_not(None)))
    .order_by(_inbox.received_at, _inbox.event_id)
    .limit(bindparam("at_most"))
)
_DRAINED = (
    update(schema.inbox).where(Among(_inbox.event_id, "ids")).values(drained=literal_column("1"), body=null())
)


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


def waiting(session: Session, limit: int) -> pa.Table:
    """Return events the lake does not have yet, in the order they came, under ``EVENT_SCHEMA``."""
    import pyarrow as pa  # noqa: PLC0415  # only jobs speak in columns

    bodies: Sequence[str] = [row[0] for row in session.rows(_WAITING, at_most=limit)]
    return pa.Table.from_pylist([_lake_row(body) for body in bodies], schema=EVENT_SCHEMA)


def _lake_row(body: str) -> dict[str, Any]:
    event = Event.model_validate_json(body)
    return {**event.model_dump(exclude={"properties"}), "properties": orjson.dumps(event.properties).decode()}


def mark_drained(session: Session, event_ids: Collection[str]) -> int:
    """Forget the bodies of events the lake has now; their ids stay, to know a second arrival."""
    return session.run(_DRAINED, ids=listed(event_ids))
