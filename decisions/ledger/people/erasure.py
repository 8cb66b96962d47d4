"""How a customer is forgotten: every row goes, and a digest nobody can read keeps them out from then on."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, bindparam, delete, select
from sqlalchemy.dialects import postgresql

from decisions.blocks import blocks
from decisions.ledger.storage import schema
from decisions.ledger.storage.session import Among, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from decisions.ledger.storage.session import Session

LOOKED_UP_AT_ONCE = 10_000
"""Digests in one question: a batch of a million customers does not become one parameter."""

_WHO: BindParameter[Any] = bindparam("who")

_RECORDS = delete(schema.record).where(
    schema.record.c.decision_id.in_(
        select(schema.decision.c.decision_id).where(schema.decision.c.customer_id == _WHO)
    )
)
OF_A_CUSTOMER = (
    schema.decision,
    schema.pressure,
    schema.consent,
    schema.customer,
    schema.exposure,
    schema.withheld,
    schema.inbox,
    schema.outbox,
    schema.audit,
    schema.reaction,
    schema.alias,
    schema.open_event,
)
"""Every table with a column ``customer_id`` that erasure empties; a test holds it against the schema."""

_FORGET = {
    "record": _RECORDS,  # first: it is found through the decisions
    **{table.name: delete(table).where(table.c.customer_id == _WHO) for table in OF_A_CUSTOMER},
}
_BURY = postgresql.insert(schema.tombstone).on_conflict_do_nothing()
_BURIED = select(schema.tombstone.c.digest).where(Among(schema.tombstone.c.digest, "digests"))
_IS_BURIED = select(schema.tombstone.c.digest).where(schema.tombstone.c.digest == bindparam("digest"))
_ANY_BURIED = select(schema.tombstone.c.digest).limit(bindparam("at_most"))


def forget(session: Session, customer_id: str) -> dict[str, int]:
    """Delete every row of a customer; return how many there were in each table."""
    return {name: session.run(statement, who=customer_id) for name, statement in _FORGET.items()}


def digest(key: bytes, customer_id: str) -> str:
    """Return the name of a tombstone: nobody without the key can tell whose it is."""
    return hmac.digest(key, customer_id.encode(), hashlib.sha256).hex()


def bury(session: Session, key: bytes, customer_id: str, tick: int) -> None:
    """Leave a tombstone, so that nothing brings the customer back."""
    session.run(_BURY, digest=digest(key, customer_id), at=tick)


def is_buried(session: Session, key: bytes | None, customer_id: str) -> bool:
    """Return whether the customer was erased; without a key nobody can tell, and nobody was."""
    return key is not None and session.row(_IS_BURIED, digest=digest(key, customer_id)) is not None


def buried(session: Session, key: bytes | None, customer_ids: Iterable[str]) -> set[str]:
    """Return those of the customers who were erased."""
    if key is None or session.row(_ANY_BURIED, at_most=1) is None:
        return set()
    named = ({digest(key, each): each for each in block} for block in blocks(customer_ids, LOOKED_UP_AT_ONCE))
    return {digests[row[0]] for digests in named for row in session.rows(_BURIED, digests=listed(digests))}
