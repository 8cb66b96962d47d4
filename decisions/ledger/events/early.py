"""Reactions that come before the ``sent`` they are about: they wait under the names they gave, and count then.

Providers deliver their reports in any order, and a click can be told before the message it answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    SmallInteger,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects import postgresql

from decisions.ledger.events.hearing import HEARD
from decisions.ledger.events.matching import DECISION, MESSAGE
from decisions.ledger.storage import schema
from decisions.ledger.storage.session import Among, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from decisions.ledger.storage.session import Session
    from features.contracts import Event

_reaction, _pressure, _alias = schema.reaction.c, schema.pressure.c, schema.alias.c

_COLUMNS = ("customer_id", "name", "responded", "at")


def _merging(statement: Any) -> Any:
    """Two that wait under one name are one: the stronger word counts."""
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[_reaction.customer_id, _reaction.name],
        set_={"responded": new.responded, "at": new.at},
        where=new.responded > func.coalesce(_reaction.responded, literal_column("-1")),
    )


_KEEP = _merging(postgresql.insert(schema.reaction).values({name: bindparam(name) for name in _COLUMNS}))
_KEEP_UNLESS_SENT = _merging(
    postgresql.insert(schema.reaction).from_select(
        _COLUMNS,
        select(
            cast(bindparam("customer_id"), _reaction.customer_id.type),
            cast(bindparam("name"), _reaction.name.type),
            cast(bindparam("responded"), SmallInteger),
            cast(bindparam("at"), BigInteger),
        ).where(
            ~exists(
                select(literal_column("1")).where(
                    _pressure.customer_id == bindparam("customer_id"),
                    _pressure.message_id == bindparam("message_id"),
                )
            )
        ),
    )
)
_WAITING = select(_reaction.customer_id, _reaction.name, _reaction.responded, _pressure.pressure_id)
_MET = union_all(
    _WAITING.join_from(
        schema.reaction,
        schema.pressure,
        and_(
            _pressure.customer_id == _reaction.customer_id,
            or_(
                _reaction.name == literal_column(f"'{DECISION}'").concat(_pressure.decision_id),
                _reaction.name == literal_column(f"'{MESSAGE}'").concat(_pressure.message_id),
            ),
        ),
    ).where(Among(_reaction.customer_id, "customer_ids")),
    _WAITING.join_from(
        schema.reaction,
        schema.alias,
        and_(_alias.customer_id == _reaction.customer_id, _alias.name == _reaction.name),
    )
    .join(schema.pressure, _pressure.pressure_id == _alias.pressure_id)
    .where(Among(_reaction.customer_id, "customer_ids")),
)
_GONE = delete(schema.reaction).where(
    _reaction.customer_id == bindparam("who"), _reaction.name == bindparam("called")
)


def keep(session: Session, customer_id: str, name: str, word: int, tick: int) -> None:
    """Let a word wait for the message of a name, as :func:`each_named` gives it."""
    session.run(_KEEP, customer_id=customer_id, name=name, responded=word, at=tick)


def keep_unless_sent(session: Session, events: Sequence[Event], tick: int) -> None:
    """Do so for many that name a message id alone, where no message has it yet."""
    session.many(
        _KEEP_UNLESS_SENT,
        [
            {
                "customer_id": each.customer_id,
                "name": f"{MESSAGE}{each.message_id}",
                "responded": int(each.type != "delivered"),
                "at": tick,
                "message_id": each.message_id,
            }
            for each in events
        ],
    )


def settle(session: Session, customer_ids: Collection[str]) -> None:
    """Let what waits for messages of these customers count, where they have come by now."""
    met = session.rows(_MET, customer_ids=listed(customer_ids))
    session.many(HEARD, [{"key": row[3], "word": row[2]} for row in met])
    session.many(_GONE, [{"who": row[0], "called": row[1]} for row in met])
