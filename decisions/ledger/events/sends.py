"""What a ``sent`` changes: a message is one row of pressure, whoever sent it and however often it is told.

Reports come in any order, and name the decision, the provider's message, or both. Whatever the order, the same row
is left: the report that names the decision says when it went, and what was heard under either name counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import (
    BindParameter,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects import postgresql

from decisions.ledger.events import early
from decisions.ledger.events.hearing import hear
from decisions.ledger.events.matching import named
from decisions.ledger.places import lifecycle
from decisions.ledger.places.transaction import last_audit
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros
from features.contracts import PURPOSES

if TYPE_CHECKING:
    from decisions.ledger.events.matching import Message
    from decisions.ledger.storage.session import Session
    from features.contracts import Event, Purpose

_pressure, _decision, _audit = schema.pressure.c, schema.decision.c, schema.audit.c
_KEY: BindParameter[Any] = bindparam("key")
_WHO: BindParameter[Any] = bindparam("who")

_FROM_THE_DECISION = ("channel", "purpose", "category", "offer_id", "campaign_id")
_DECIDED = select(*(_decision[name] for name in _FROM_THE_DECISION)).where(
    _decision.decision_id == _KEY, _decision.customer_id == _WHO, _decision.channel.is_not(None)
)
_DECIDED_AT = select(_decision.decided_at).where(_decision.decision_id == _KEY)
_TWIN = (_pressure.customer_id == _WHO, _pressure.message_id == bindparam("name"), _pressure.pressure_id != _KEY)
_HEARD_OF_TWIN = select(_pressure.responded).where(*_TWIN)
_DROP_TWIN = delete(schema.pressure).where(*_TWIN)

_NOBODY_ASKED = exists(
    select(literal_column("1")).where(
        _audit.customer_id == _pressure.customer_id,
        _audit.decision_id == _pressure.decision_id,
        _audit.what == literal_column("'sent_unconfirmed'"),
    )
)
_MARK_SENT = (
    update(schema.pressure)
    .where(_pressure.pressure_id == _KEY)
    .values(
        state=literal_column("'sent'"),
        expires_at=null(),
        # Permission came first: a sender's slow clock does not make the message older than its permission.
        at=case((_pressure.at < bindparam("sent_at"), bindparam("sent_at")), else_=_pressure.at),
        message_id=func.coalesce(_pressure.message_id, bindparam("name")),
    )
)
_NAME = update(schema.pressure).where(_pressure.pressure_id == _KEY).values(message_id=bindparam("name"))
# Without permission a place is spent at the earliest sign that it went, until its ``sent`` says when.
_WENT_EARLIER = (
    update(schema.pressure)
    .where(_pressure.pressure_id == _KEY, _pressure.at > bindparam("seen_at"), _NOBODY_ASKED)
    .values(at=bindparam("seen_at"))
)
_ATTRIBUTE = (
    update(schema.pressure)
    .where(_pressure.pressure_id == _KEY)
    .values({name: bindparam(name) for name in ("decision_id", "at", *_FROM_THE_DECISION)})
)
_OF_A_RESERVATION = {"pressure_id", "expires_at", "value"}
FOREIGN = (
    postgresql.insert(schema.pressure)
    .values({c.name: bindparam(c.name) for c in schema.pressure.c if c.name not in _OF_A_RESERVATION})
    .on_conflict_do_nothing()
)


def sent(session: Session, event: Event, tick: int) -> None:
    """Let a message that went count, once, with all that was heard of it before."""
    message = named(session, event)
    if message is None:
        _add(session, event, tick)
    elif message.state == "sent":
        _complete(session, event, message, tick)
    else:
        spend(session, event, message, tick)
        _mark_sent(session, event, message)
    early.settle(session, (event.customer_id,))


def spend(session: Session, event: Event, message: Message, tick: int) -> None:
    """A message on its way has used its place, whether or not the sender asked, and is not lent again."""
    if message.decision_id is None or message.state == "sent":
        return
    lifecycle.recall(session, message.decision_id)
    seen_at = _after_deciding(session, message.decision_id, event)
    if message.state == "confirmed":
        session.run(_WENT_EARLIER, key=message.pressure_id, seen_at=seen_at)
    else:
        who, key = event.customer_id, message.decision_id
        lifecycle.confirm(session, who, key, tick, at=seen_at, change="sent_unconfirmed")


def _after_deciding(session: Session, decision_id: str, event: Event) -> int:
    """Return when ``event`` was, but not before the decision it is about: no message goes before it is decided.

    A clock that says otherwise is wrong; believing it would date the message out of every cap and gap.
    """
    row = session.row(_DECIDED_AT, key=decision_id)
    return max(micros(event.occurred_at), row[0] if row else 0)


def _mark_sent(session: Session, event: Event, message: Message) -> None:
    if event.message_id:
        _merge_twin(session, event, message)
    session.run(_MARK_SENT, key=message.pressure_id, sent_at=micros(event.occurred_at), name=event.message_id)


def _merge_twin(session: Session, event: Event, message: Message) -> None:
    """The same message may have come before under its message id alone; what was heard of it stays."""
    twin = {"who": event.customer_id, "name": event.message_id, "key": message.pressure_id}
    found = session.row(_HEARD_OF_TWIN, **twin)
    if found is None:
        return
    session.run(_DROP_TWIN, **twin)
    if found[0] is not None:
        hear(session, message.pressure_id, found[0])


def _complete(session: Session, event: Event, message: Message, tick: int) -> None:
    """A second report of a message may bring the name that the first one lacked."""
    if event.message_id and message.message_id is None:
        _merge_twin(session, event, message)
        session.run(_NAME, key=message.pressure_id, name=event.message_id)
    if message.decision_id is None and (decided := _decided(session, event, tick)):
        session.run(_ATTRIBUTE, key=message.pressure_id, **decided)


def _add(session: Session, event: Event, tick: int) -> None:
    decided = _decided(session, event, tick)
    row = foreign_row(event, last_audit(session))
    session.run(FOREIGN, **row | decided)


def _decided(session: Session, event: Event, tick: int) -> dict[str, Any]:
    """Return the columns of a message that was decided and went without its place, and say so in the audit."""
    key = event.decision_id
    row = session.row(_DECIDED, key=key, who=event.customer_id) if key else None
    if key is None or row is None:
        return {}
    lifecycle.audit(session, event.customer_id, "sent_without_place", tick, decision_id=key)
    decided = dict(zip(_FROM_THE_DECISION, row, strict=True))
    return {**decided, "decision_id": key, "at": _after_deciding(session, key, event)}


def foreign_row(event: Event, after_audit: int) -> dict[str, Any]:
    """Return the pressure of a message that another system sent. Of unknown purpose, it counts as marketing."""
    category = event.properties.get("category")
    return {
        "customer_id": event.customer_id,
        "at": micros(event.occurred_at),
        "channel": event.channel or "unknown",
        "purpose": purpose_of(event),
        "category": category if isinstance(category, str) else None,
        "offer_id": event.offer_id,
        "campaign_id": event.campaign_id,
        "decision_id": None,
        "message_id": event.message_id,
        "state": "sent",
        "responded": None,
        "after_audit": after_audit,
    }


def purpose_of(event: Event) -> Purpose:
    """Return the purpose an event names, else marketing."""
    given = event.properties.get("purpose")
    return cast("Purpose", given) if given in PURPOSES else "marketing"
