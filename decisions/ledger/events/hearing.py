"""What is heard of a message: 0, it arrived; 1, the customer reacted. The stronger word stays, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, literal_column, update

from decisions.ledger.storage import schema

if TYPE_CHECKING:
    from decisions.ledger.storage.session import Session

ARRIVED, RESPONDED = 0, 1

_pressure = schema.pressure.c
HEARD = (
    update(schema.pressure)
    .where(
        _pressure.pressure_id == bindparam("key"),
        func.coalesce(_pressure.responded, literal_column("-1")) < bindparam("word"),
    )
    .values(responded=bindparam("word"))
)


def hear(session: Session, pressure_id: int, word: int) -> None:
    """Keep what was heard of one message."""
    session.run(HEARD, key=pressure_id, word=word)
