"""What an event changes of what the next decision sees. Every effect is safe to be late, and none happens twice.

A message sent by another system, or after its decision was gone, is pressure all the same: whoever sent it, the
customer got it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import bindparam, func, literal_column
from sqlalchemy.dialects import postgresql

from decisions.ledger.events import early
from decisions.ledger.events.hearing import ARRIVED, RESPONDED, hear
from decisions.ledger.events.matching import each_named, latest_of_campaign, named
from decisions.ledger.events.sends import purpose_of, sent, spend
from decisions.ledger.people import contacts, customers, journal
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros, moment
from features.contracts import Consent, Event
from features.contracts.words import FIRST_PLAUSIBLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from decisions.ledger.events.matching import Message
    from decisions.ledger.storage.session import Session
    from features.contracts import Purpose

_exposure = schema.exposure.c

_receive = postgresql.insert(schema.inbox).on_conflict_do_nothing(index_elements=[schema.inbox.c.event_id])
RECEIVE = _receive.values({c.name: bindparam(c.name) for c in schema.inbox.c})

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


def _delivered(session: Session, event: Event, tick: int) -> None:
    _hear(session, event, ARRIVED, tick)
    message = named(session, event)
    if channel := event.channel or (message and message.channel):
        known = customers.contacts_of(session, event.customer_id)
        customers.learn(session, event.customer_id, contacts.deliver(known, channel))


def _bounced(session: Session, event: Event, tick: int) -> None:
    message = named(session, event)
    if message:
        spend(session, event, message, tick)
    if channel := event.channel or (message and message.channel):
        known, hard = customers.contacts_of(session, event.customer_id), event.properties.get("bounce") == "hard"
        customers.learn(session, event.customer_id, contacts.bounce(known, channel, hard=hard))


def _reacted(session: Session, event: Event, tick: int) -> None:
    if event.automated:
        _learn_of_proxy(session, event, tick)
    elif event.decision_id or event.message_id:
        _hear(session, event, RESPONDED, tick)
    elif message := latest_of_campaign(session, event):
        _hear_of(session, event, message, RESPONDED, tick)


def _hear(session: Session, event: Event, word: int, tick: int) -> None:
    """Let the word count for every message the event names, now or when it comes."""
    for name, message in each_named(session, event):
        if message:
            _hear_of(session, event, message, word, tick)
        else:
            early.keep(session, event.customer_id, name, tick, responded=word)


def _hear_of(session: Session, event: Event, message: Message, word: int, tick: int) -> None:
    spend(session, event, message, tick)
    hear(session, message.pressure_id, word)


def _learn_of_proxy(session: Session, event: Event, tick: int) -> None:
    if event.channel:
        _proxy(session, event, event.channel)
        return
    for name, message in each_named(session, event):
        if message:
            _proxy(session, event, message.channel)
        else:
            early.keep(session, event.customer_id, name, tick, proxied=True)


def _proxy(session: Session, event: Event, channel: str) -> None:
    known = customers.contacts_of(session, event.customer_id)
    customers.learn(session, event.customer_id, contacts.proxy(known, channel))


def _bought(session: Session, event: Event, tick: int) -> None:
    _reacted(session, event, tick)
    if event.offer_id:
        converted = micros(event.occurred_at)
        session.run(CONVERT, customer_id=event.customer_id, offer_id=event.offer_id, last_converted=converted)


def _left(session: Session, event: Event, tick: int) -> None:
    """An unsubscription or complaint withdraws the channel; where none is named, every channel.

    One whose date cannot be counts from now: no grant came after it. It ends the purpose it states, or else
    marketing and the purpose of the message it is about (transactional ones go on: they are no subscription).
    """
    message = named(session, event)
    channel = event.channel or (message and message.channel)
    channels = [channel] if channel else _every_channel(session, event.customer_id)
    entries = [
        Consent.model_construct(
            customer_id=event.customer_id,
            channel=each,
            purpose=purpose,
            status="withdrawn",
            at=event.occurred_at if event.occurred_at >= FIRST_PLAUSIBLE else moment(tick),
            source=f"event:{event.type}:{event.event_id}",  # its proof is the event itself
            evidence=None,
        )
        for each in channels
        for purpose in _left_purposes(event, message)
    ]
    journal.append(session, entries, tick)


def _left_purposes(event: Event, message: Message | None) -> list[Purpose]:
    stated = purpose_of(event)
    if "purpose" in event.properties or message is None or message.purpose == "transactional":
        return [stated]
    return sorted({stated, cast("Purpose", message.purpose)})


def _every_channel(session: Session, customer_id: str) -> list[str]:
    """Return the channels the journal or the customer's contacts speak of: a grant may be told after its end."""
    declared = customers.contacts_of(session, customer_id)
    return sorted({*declared, *journal.channels_consented(session, customer_id)})


_EFFECTS: dict[str, Callable[[Session, Event, int], None]] = {
    "sent": sent,
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
