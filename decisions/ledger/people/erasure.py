"""How a customer is forgotten: every row goes, and a digest nobody can read keeps late events out."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, Select, bindparam, delete, literal_column, select
from sqlalchemy.dialects import postgresql

from decisions.ledger.storage import schema
from decisions.ledger.storage.session import Among, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from decisions.ledger.storage.session import Session

_WHO: BindParameter[Any] = bindparam("who")

_RECORDS = delete(schema.record).where(
    schema.record.c.decision_id.in_(
        select(schema.decision.c.decision_id).where(schema.decision.c.customer_id == _WHO)
    )
)
_OF_A_CUSTOMER = (
    schema.decision,
    schema.pressure,
    schema.consent,
    schema.customer,
    schema.exposure,
    schema.inbox,
    schema.outbox,
    schema.audit,
    schema.reaction,
)
_FORGET = (_RECORDS, *(delete(table).where(table.c.customer_id == _WHO) for table in _OF_A_CUSTOMER))
_BURY = postgresql.insert(schema.tombstone).on_conflict_do_nothing()
_BURIED = select(schema.tombstone.c.digest).where(Among(schema.tombstone.c.digest, "digests"))
_ANY_BURIED: Select[Any] = select(literal_column("1")).select_from(schema.tombstone).limit(literal_column("1"))


def forget(session: Session, customer_id: str) -> int:
    """Delete every row of a customer; return how many there were."""
    return sum(session.run(statement, who=customer_id) for statement in _FORGET)


def digest(key: bytes, customer_id: str) -> str:
    """Return the name of a tombstone: nobody without the key can tell whose it is."""
    return hmac.new(key, customer_id.encode(), hashlib.sha256).hexdigest()


def bury(session: Session, key: bytes, customer_id: str, tick: int) -> None:
    """Leave a tombstone, so that a late event does not bring the customer back."""
    session.run(_BURY, digest=digest(key, customer_id), at=tick)


def buried(session: Session, key: bytes, customer_ids: Iterable[str]) -> set[str]:
    """Return those of the customers who were erased."""
    if session.row(_ANY_BURIED) is None:
        return set()
    named = {digest(key, each): each for each in customer_ids}
    return {named[row[0]] for row in session.rows(_BURIED, digests=listed(named))}
