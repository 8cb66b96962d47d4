"""What an event changes of what the next decision sees. Every effect is safe to be late, and none happens twice.

A message sent by another system, or after its decision was gone, is pressure all the same: whoever sent it, the
customer got it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import BindParameter, bindparam, case, delete, func, literal_column, null, select, update
from sqlalchemy.dialects import postgresql

from decisions.ledger.events.matching import meant, named
from decisions.ledger.people import contacts, customers, journal
from decisions.ledger.places import lifecycle
from decisions.ledger.places.transaction import last_audit
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros
from features.contracts import PURPOSES, Consent, Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from decisions.ledger.events.matching import Message
    from decisions.ledger.storage.session import Session
    from features.contracts import Purpose

_pressure, _decision, _exposure = schema.pressure.c, schema.decision.c, schema.exposure.c
_KEY: BindParameter[Any] = bindparam("key")
_WHO: BindParameter[Any] = bindparam("who")

_receive = postgresql.insert(schema.inbox).on_conflict_do_nothing(index_elements=[schema.inbox.c.event_id])
RECEIVE = _receive.values({c.name: bindparam(c.name) for c in schema.inbox.c})

_DECIDED = select(
    _decision.channel, _decision.purpose, _decision.category, _decision.offer_id, _decision.campaign_id
).where(_decision.decision_id == _KEY, _decision.customer_id == _WHO, _decision.channel.is_not(None))
_TWIN = delete(schema.pressure).where(
    _pressure.customer_id == _WHO, _pressure.message_id == bindparam("name"), _pressure.pressure_id != _KEY
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
ARRIVED = (
    update(schema.pressure)
    .where(_pressure.pressure_id == _KEY)
    .values(responded=func.coalesce(_pressure.responded, literal_column("0")))
)
RESPONDED = update(schema.pressure).where(_pressure.pressure_id == _KEY).values(responded=literal_column("1"))
_OF_A_RESERVATION = {"pressure_id", "expires_at", "value"}
FOREIGN = (
    postgresql.insert(schema.pressure)
    .values({c.name: bindparam(c.name) for c in schema.pressure.c if c.name not in _OF_A_RESERVATION})
    .on_conflict_do_nothing()
)
_convert = postgresql.insert(schema.exposure).values(
    {name: bindparam(name) for name in ("customer_id", "offer_id", "last_converted")}
)
_known = func.coalesce(_exposure.last_converted, literal_column("0"))
CONVERT = _convert.on_conflict_do_update(
    index_elements=[_exposure.customer_id, _exposure.offer_id],
    set_={"last_converted": _convert.excluded.last_converted},
    where=_known < _convert.excluded.last_converted,
)


def apply(session: Session, event: Event, tick: int) -> None:
    """Let one event that was not known before take effect, under the lock of its customer."""
    effect = _EFFECTS.get(event.type)
    if effect:
        effect(session, event, tick)


def inbox_row(event: Event, tick: int, *, drained: bool = False) -> dict[str, Any]:
    """Return the event as it waits for the lake (or, where the lake has it, as a mark that it is known)."""
    return {
        "event_id": event.event_id,
        "customer_id": event.customer_id,
        "type": event.type,
        "channel": event.channel,
        "occurred_at": micros(event.occurred_at),
        "received_at": tick,
        "body": None if drained else event.model_dump_json(),
        "drained": int(drained),
    }


def _sent(session: Session, event: Event, tick: int) -> None:
    message = named(session, event)
    if message is None:
        _add(session, event, tick)
    elif message.state != "sent":
        _spend(session, event, message, tick)
        _mark_sent(session, event, message)


def _spend(session: Session, event: Event, message: Message, tick: int) -> None:
    """A message on its way has used its place, whether or not the sender asked."""
    if message.state == "reserved" and message.decision_id:
        lifecycle.confirm(
            session,
            event.customer_id,
            message.decision_id,
            tick,
            at=micros(event.occurred_at),
            change="sent_unconfirmed",
        )


def _mark_sent(session: Session, event: Event, message: Message) -> None:
    if event.message_id:  # the same message may have come before under its message id alone
        session.run(_TWIN, who=event.customer_id, name=event.message_id, key=message.pressure_id)
    session.run(_MARK_SENT, key=message.pressure_id, sent_at=micros(event.occurred_at), name=event.message_id)


def _add(session: Session, event: Event, tick: int) -> None:
    decided = session.row(_DECIDED, key=event.decision_id, who=event.customer_id) if event.decision_id else None
    if decided:
        lifecycle.audit(session, event.customer_id, "sent_without_place", tick, decision_id=event.decision_id)
    row = foreign_row(event, last_audit(session))
    if decided:
        names = ("channel", "purpose", "category", "offer_id", "campaign_id")
        row |= dict(zip(names, decided, strict=True)) | {"decision_id": event.decision_id}
    session.run(FOREIGN, **row)


def foreign_row(event: Event, after_audit: int) -> dict[str, Any]:
    """Return the pressure of a message that another system sent. Of unknown purpose, it counts as marketing."""
    category = event.properties.get("category")
    return {
        "customer_id": event.customer_id,
        "at": micros(event.occurred_at),
        "channel": event.channel or "unknown",
        "purpose": _purpose(event),
        "category": category if isinstance(category, str) else None,
        "offer_id": event.offer_id,
        "campaign_id": event.campaign_id,
        "decision_id": None,
        "message_id": event.message_id,
        "state": "sent",
        "responded": None,
        "after_audit": after_audit,
    }


def _purpose(event: Event) -> Purpose:
    named = event.properties.get("purpose")
    return cast("Purpose", named) if named in PURPOSES else "marketing"


def _delivered(session: Session, event: Event, tick: int) -> None:
    message = named(session, event)
    if message:
        _spend(session, event, message, tick)
        session.run(ARRIVED, key=message.pressure_id)
    if channel := event.channel or (message and message.channel):
        known = customers.contacts_of(session, event.customer_id)
        customers.learn(session, event.customer_id, contacts.deliver(known, channel))


def _bounced(session: Session, event: Event, tick: int) -> None:
    message = named(session, event)
    if message:
        _spend(session, event, message, tick)
    if channel := event.channel or (message and message.channel):
        known, hard = customers.contacts_of(session, event.customer_id), event.properties.get("bounce") == "hard"
        customers.learn(session, event.customer_id, contacts.bounce(known, channel, hard=hard))


def _reacted(session: Session, event: Event, tick: int) -> None:
    if event.automated:
        _learn_of_proxy(session, event)
        return
    message = meant(session, event)
    if message:
        _spend(session, event, message, tick)
        session.run(RESPONDED, key=message.pressure_id)


def _learn_of_proxy(session: Session, event: Event) -> None:
    message = named(session, event)
    if channel := event.channel or (message and message.channel):
        known = customers.contacts_of(session, event.customer_id)
        customers.learn(session, event.customer_id, contacts.proxy(known, channel))


def _bought(session: Session, event: Event, tick: int) -> None:
    _reacted(session, event, tick)
    if event.offer_id:
        converted = micros(event.occurred_at)
        session.run(CONVERT, customer_id=event.customer_id, offer_id=event.offer_id, last_converted=converted)


def _left(session: Session, event: Event, tick: int) -> None:
    """An unsubscription or complaint withdraws the channel; where none is named, every channel."""
    message = named(session, event)
    channel = event.channel or (message and message.channel)
    channels = [channel] if channel else journal.channels_consented(session, event.customer_id)
    entries = [
        Consent.model_construct(
            customer_id=event.customer_id,
            channel=each,
            purpose=_purpose(event),
            status="withdrawn",
            at=event.occurred_at,
            source=f"event:{event.type}:{event.event_id}",  # its proof is the event itself
            evidence=None,
        )
        for each in channels
    ]
    journal.append(session, entries, tick)


_EFFECTS: dict[str, Callable[[Session, Event, int], None]] = {
    "sent": _sent,
    "delivered": _delivered,
    "bounced": _bounced,
    "opened": _reacted,
    "clicked": _reacted,
    "converted": _bought,
    "purchased": _bought,
    "unsubscribed": _left,
    "complained": _left,
}
EFFECTIVE = tuple(_EFFECTS)
"""The types that bear on decisions. All others only wait in the inbox for the lake."""
