"""What an event changes of what the next decision sees. Every effect is safe to be late, and none happens twice.

A message sent by another system, or after its decision was gone, is pressure all the same: whoever sent it, the
customer got it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, literal_column
from sqlalchemy.dialects import postgresql

from decisions.ledger.events import early, meaning, open_events
from decisions.ledger.events.digests import digest
from decisions.ledger.events.hearing import ARRIVED, RESPONDED, hear
from decisions.ledger.events.matching import decided, each_named, named
from decisions.ledger.events.open_events import counts_from, learned_of, stated_purpose, stays_open
from decisions.ledger.events.sends import sent, spend
from decisions.ledger.people import customers, journal
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from decisions.ledger.storage.session import Session
    from features.contracts import Event

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
        "digest": digest(event),
        "decision_id": event.decision_id,
        "message_id": event.message_id,
        "offer_id": event.offer_id,
        "automated": int(event.automated),
    }


def apply(session: Session, event: Event, tick: int) -> None:
    """Let one event that was not known before take effect, under the lock of its customer.

    What hangs on other events is left to :func:`follow`, once for all of a block.
    """
    effect = _EFFECTS.get(event.type)
    if effect:
        effect(session, event, tick)


def follow(session: Session, events: Collection[Event], tick: int) -> None:
    """Let count what waited for messages that these events tell of, and draw anew what open events mean."""
    if senders := {each.customer_id for each in events if each.type == "sent"}:
        early.settle(session, senders)
    if people := {each.customer_id for each in events if each.type in _EFFECTS}:
        meaning.draw(session, people, tick)


def _delivered(session: Session, event: Event, tick: int) -> None:
    _hear(session, event, ARRIVED, tick)
    _teach(session, event, tick)


def _bounced(session: Session, event: Event, tick: int) -> None:
    for each in named(session, event):
        spend(session, event, each, tick)
    _teach(session, event, tick)


def _reacted(session: Session, event: Event, tick: int) -> None:
    if not event.automated:
        _hear(session, event, RESPONDED, tick)
    _teach(session, event, tick)


def _bought(session: Session, event: Event, tick: int) -> None:
    _reacted(session, event, tick)
    if event.offer_id:
        converted = micros(event.occurred_at)
        session.run(CONVERT, customer_id=event.customer_id, offer_id=event.offer_id, last_converted=converted)


def _hear(session: Session, event: Event, word: int, tick: int) -> None:
    """Let the word count for every message the event names, now or when it comes."""
    for name, messages in each_named(session, event):
        for each in messages:
            spend(session, event, each, tick)
            hear(session, each.pressure_id, word)
        if not messages:
            early.keep(session, event.customer_id, name, word, tick)


def _teach(session: Session, event: Event, tick: int) -> None:
    """Learn of the channel the event was on; where nobody can say yet which, keep it open."""
    own = None if event.channel else decided(session, event)
    channel = event.channel or (own and own.channel)
    if channel and (learned := learned_of(event)):
        customers.learn(session, {event.customer_id: {channel: learned}})
    if stays_open(event, own):
        open_events.keep(session, [event], tick)


def _left(session: Session, event: Event, tick: int) -> None:
    """Who leaves withdraws the channel for what it ends; where that hangs on other events, it is kept open."""
    own = decided(session, event)
    if stays_open(event, own):
        open_events.keep(session, [event], tick)
        return
    channel = event.channel or (own and own.channel) or ""
    purposes = meaning.left_purposes(stated_purpose(event), {own.purpose} if own else set())
    who, at, source = event.customer_id, counts_from(event, tick), meaning.source_of(event.type, event.event_id)
    entries = [meaning.withdrawal(who, channel, purpose, at, source) for purpose in sorted(purposes)]
    journal.append(session, entries, tick)


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
