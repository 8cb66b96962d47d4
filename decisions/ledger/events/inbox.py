"""The inbox: what happened waits for the lake; the ids stay, to know a second arrival."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import and_, bindparam, literal_column, null, select, update

from decisions.ledger.storage import schema
from decisions.ledger.storage.session import Among, listed
from features.contracts import EVENT_SCHEMA, Event
from features.contracts.words import STORED

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pyarrow as pa

    from decisions.ledger.storage.session import Session

_inbox = schema.inbox.c
_WAITING = (
    select(_inbox.body)
    .where(and_(_inbox.drained == literal_column("0"), _inbox.body.is_not(None)))
    .order_by(_inbox.received_at, _inbox.event_id)
    .limit(bindparam("at_most"))
)
_DRAINED = (
    update(schema.inbox).where(Among(_inbox.event_id, "ids")).values(drained=literal_column("1"), body=null())
)
_DIGESTS = select(_inbox.event_id, _inbox.digest).where(Among(_inbox.event_id, "ids"))


def digests(session: Session, event_ids: Collection[str]) -> dict[str, int | None]:
    """Return the digest of those of the events that are known; None where it was not kept yet."""
    return {row[0]: row[1] for row in session.rows(_DIGESTS, ids=listed(event_ids))}


def waiting(session: Session, limit: int) -> pa.Table:
    """Return events the lake does not have yet, in the order they came, under ``EVENT_SCHEMA``."""
    import pyarrow as pa  # noqa: PLC0415  # only jobs speak in columns

    bodies: Sequence[str] = [row[0] for row in session.rows(_WAITING, at_most=limit)]
    return pa.Table.from_pylist([_lake_row(body) for body in bodies], schema=EVENT_SCHEMA)


def _lake_row(body: str) -> dict[str, Any]:
    event = Event.model_validate_json(body, context=STORED)
    return {**event.model_dump(exclude={"properties"}), "properties": orjson.dumps(event.properties).decode()}


def mark_drained(session: Session, event_ids: Collection[str]) -> int:
    """Forget the bodies of events the lake has now; their ids stay, to know a second arrival."""
    return session.run(_DRAINED, ids=listed(event_ids))
