"""The right to be forgotten, as far as the ledger goes, and what it still has to remember to see it through."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, null, select, update
from sqlalchemy.dialects import postgresql

from decisions.ledger.people import erasure, holdings
from decisions.ledger.places import lifecycle
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros, moment
from decisions.ledger.storage.session import Among, listed
from decisions.ledger.trail import INSTALLATION

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from decisions.ledger.storage.session import Database

ERASED = "customer_erased"
"""What the installation's audit says of an erasure; its detail is the tombstone's digest, which names nobody."""

_pending = schema.pending_erasure
_asked = postgresql.insert(_pending)
_ASK = _asked.on_conflict_do_update(
    index_elements=[_pending.c.erasure_id], set_={"customer_id": _asked.excluded.customer_id}
)
_WAITING = select(_pending.c.erasure_id, _pending.c.customer_id, _pending.c.asked_at).order_by(
    _pending.c.asked_at, _pending.c.erasure_id
)
_STRIKE_ID = update(_pending).where(Among(_pending.c.erasure_id, "ids")).values(customer_id=null())
_CLOSE = delete(_pending).where(_pending.c.erasure_id == bindparam("key"), _pending.c.customer_id.is_(None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An erasure that is not yet through. Without ``customer_id`` only the freed pages of the ledger are left."""

    erasure_id: str
    customer_id: str | None
    asked_at: datetime


class Privacy:
    """Erasure and export. ``key`` is the secret of the tombstones; without one an erasure leaves none."""

    def __init__(self, database: Database, *, key: bytes | None) -> None:
        self._database = database
        self._key = key

    def buried(self, customer_ids: Iterable[str]) -> set[str]:
        """Return those of the customers who were erased: nothing of them may be stored again."""
        with self._database.reading() as session:
            return erasure.buried(session, self._key, customer_ids)

    def erase(self, customer_id: str, now: datetime) -> dict[str, int]:
        """Delete every row of a customer at once, and remember that the slower stores still hold them.

        In one transaction: the rows, a tombstone, an entry in the installation's audit that says when and who
        asked but not about whom, and one in ``pending_erasure``. Erasing again begins anew for the slower stores.

        Returns:
            How many rows there were in each table.

        Raises:
            ValueError: for the empty id, which is nobody's: the installation's own audit lies under it.
        """
        if customer_id == INSTALLATION:
            raise ValueError("'' is no customer id: write whom to erase")
        tick = micros(now)
        name = erasure.digest(self._key, customer_id) if self._key else secrets.token_hex(16)
        with self._database.writing((customer_id,), shared=("inbox",)) as session:
            if self._key:
                erasure.bury(session, self._key, customer_id, tick)
            gone = erasure.forget(session, customer_id)
            session.run(_ASK, erasure_id=name, customer_id=customer_id, asked_at=tick)
            lifecycle.audit(session, INSTALLATION, ERASED, tick, why=name if self._key else "")
        return gone

    def pending(self) -> list[Pending]:
        """Return the erasures that are not yet through, the oldest first."""
        with self._database.reading() as session:
            rows = session.rows(_WAITING)
        return [Pending(erasure_id=row[0], customer_id=row[1], asked_at=moment(row[2])) for row in rows]

    def finish(self, erasure_ids: Collection[str]) -> None:
        """Say that every other store has forgotten these; then rid the ledger's own file of what it deleted.

        First the id is struck out, then the file is rewritten, and the entry goes last: killed anywhere in
        between and run again, nothing of the customer is left behind unnoticed.

        Raises:
            LedgerBusy: where others kept the file from being rewritten; the erasures stay pending.
        """
        with self._database.writing(()) as session:
            session.run(_STRIKE_ID, ids=listed(erasure_ids))
        self._database.scrub()
        with self._database.writing(()) as session:
            session.many(_CLOSE, [{"key": each} for each in erasure_ids])

    def holdings(self, customer_id: str) -> holdings.Holdings:
        """Return everything the ledger holds of a customer, evidence apart (``Ledger.consents`` has it)."""
        with self._database.reading() as session:
            return holdings.read(session, customer_id)
