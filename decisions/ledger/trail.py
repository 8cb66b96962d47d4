"""The trail: who changed what, and when, of every customer and of the installation itself.

The audit's own order is the ledger's logical clock. An entry of the installation (a key, a policy, the models in
use) has an empty customer. The actor is the id of the API key that asked, or the command that ran.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from decisions.ledger.places.lifecycle import audit
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros, moment

if TYPE_CHECKING:
    from decisions.ledger.storage.session import Database, Session

INSTALLATION = ""
"""Whose changes those are that are nobody's."""

_audit = schema.audit.c
_LATEST = select(_audit.at).order_by(_audit.seq.desc()).limit(1)
_ENTRIES = (
    select(_audit.seq, _audit.at, _audit.what, _audit.detail, _audit.actor, _audit.decision_id)
    .where(_audit.customer_id == bindparam("who"))
    .order_by(_audit.seq.desc())
    .limit(bindparam("at_most"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry: ``seq`` orders it, ``actor`` is None where Kairos acted by itself."""

    seq: int
    at: datetime
    what: str
    detail: str | None
    actor: str | None
    decision_id: str | None = None


class Trail:
    """What was changed. Appended to by everything that changes something; never changed itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, what: str, now: datetime, *, detail: str = "") -> None:
        """Add a change of the installation that happened outside the ledger, such as another model in use."""
        with self._database.writing(()) as session:
            audit(session, INSTALLATION, what, micros(now), why=detail)

    def entries(self, customer_id: str = INSTALLATION, *, last: int = 50) -> list[Change]:
        """Return the last changes of the installation, or of one customer, oldest first."""
        with self._database.reading() as session:
            rows = session.rows(_ENTRIES, who=customer_id, at_most=last)
        return [
            Change(seq=seq, at=moment(at), what=what, detail=detail, actor=by, decision_id=decision)
            for seq, at, what, detail, by, decision in reversed(rows)
        ]


def tick_of(session: Session, now: datetime | None) -> int:
    """Return the moment for an entry: ``now``, or else that of the entry before, for the ledger reads no clock."""
    if now is not None:
        return micros(now)
    row = session.row(_LATEST)
    return int(row[0]) if row else 0
