"""What the open events of a customer mean, by all that is known now: see ``open_events`` for the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from sqlalchemy import bindparam, literal_column, select, update

from decisions.ledger.events import open_events
from decisions.ledger.events.matching import names_of
from decisions.ledger.events.sends import UNKNOWN
from decisions.ledger.people import contacts, customers, journal
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import moment
from features.contracts import Consent
from features.contracts.withdrawing import LEAVING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from decisions.ledger.events.open_events import Open
    from decisions.ledger.storage.session import Session
    from features.contracts import Purpose

_pressure, _alias = schema.pressure.c, schema.alias.c
_MESSAGES = select(
    _pressure.pressure_id,
    _pressure.at,
    _pressure.channel,
    _pressure.purpose,
    _pressure.campaign_id,
    _pressure.decision_id,
    _pressure.message_id,
    _pressure.told_by,
    _pressure.guessed,
).where(_pressure.customer_id == bindparam("who"), _pressure.state != literal_column("'reserved'"))
_ALIASES = select(_alias.name, _alias.pressure_id).where(_alias.customer_id == bindparam("who"))
_GUESS = update(schema.pressure).where(_pressure.pressure_id == bindparam("key")).values(guessed=bindparam("word"))


class _Message(NamedTuple):
    pressure_id: int
    at: int
    channel: str
    purpose: str
    campaign_id: str | None
    decision_id: str | None
    message_id: str | None
    told_by: str | None
    guessed: int | None

    @property
    def order(self) -> tuple[int, str, str, str]:
        """Of two messages of one moment the later is so in whatever order they were told."""
        return self.at, self.decision_id or "", self.message_id or "", self.told_by or ""


def draw(session: Session, customer_ids: Collection[str], tick: int) -> None:
    """Draw what the open events of these customers mean, and keep it in place of what they meant before."""
    for customer_id, events in open_events.of_customers(session, customer_ids).items():
        messages = [_Message(*row) for row in session.rows(_MESSAGES, who=customer_id)]
        _guess(session, events, messages)
        found = _found(session, customer_id, events, messages)
        known = customers.learn_by_messages(session, customer_id, _learned(found))
        _leave(session, customer_id, [each for each in found if each.type in LEAVING], known, tick)


def _guess(session: Session, events: Iterable[Open], messages: Sequence[_Message]) -> None:
    meant = {
        message.pressure_id
        for each in events
        if not each.names and each.type not in LEAVING and (message := _latest_before(each, messages))
    }
    changed = [each for each in messages if (each.pressure_id in meant) != bool(each.guessed)]
    session.many(
        _GUESS,
        [{"key": each.pressure_id, "word": 1 if each.pressure_id in meant else None} for each in changed],
    )


def _latest_before(event: Open, messages: Iterable[_Message]) -> _Message | None:
    fitting = (
        each
        for each in messages
        if each.campaign_id == event.campaign_id and each.at <= event.at and event.channel in {None, each.channel}
    )
    return max(fitting, key=lambda each: each.order, default=None)


def _found(session: Session, customer_id: str, events: Iterable[Open], messages: Iterable[_Message]) -> list[Open]:
    """Return the events with the messages they name. What was found before stays where nothing is found now."""
    by_name = _by_name(session, customer_id, messages)
    found = []
    for each in events:
        named = {(message.channel, message.purpose) for name in each.names for message in by_name.get(name, ())}
        found.append(each._replace(about=tuple(sorted(named))) if named else each)
    open_events.remember(
        session, customer_id, [new for new, old in zip(found, events, strict=True) if new.about != old.about]
    )
    return found


def _by_name(session: Session, customer_id: str, messages: Iterable[_Message]) -> dict[str, list[_Message]]:
    by_name: dict[str, list[_Message]] = {}
    by_id = {each.pressure_id: each for each in messages}
    for each in by_id.values():
        for name in names_of(each):
            by_name.setdefault(name, []).append(each)
    for name, pressure_id in session.rows(_ALIASES, who=customer_id):
        if pressure_id in by_id:
            by_name.setdefault(name, []).append(by_id[pressure_id])
    return by_name


def _learned(events: Iterable[Open]) -> dict[str, contacts.Learned]:
    learned: dict[str, contacts.Learned] = {}
    for each in events:
        if each.names and each.channel is None and each.learned:
            for channel in _channels(each):
                learned[channel] = contacts.joined(learned.get(channel, {}), each.learned)
    return learned


def _channels(event: Open) -> set[str]:
    """Return the channel the event states, or those of the messages it is about."""
    return {event.channel} if event.channel else {channel for channel, _ in event.about if channel != UNKNOWN}


def _leave(
    session: Session, customer_id: str, events: Sequence[Open], known: Mapping[str, object], tick: int
) -> None:
    if not events:
        return
    written = journal.by_source(session, customer_id)
    sources = {source_of(each.type, each.event_id): each for each in events}
    theirs = {channel for each in events for channel in _channels(each)}
    others = {entry[0] for source, entries in written.items() if source not in sources for entry in entries}
    everywhere = {*known, *others, *theirs}
    for source, each in sources.items():
        channels = _channels(each) or everywhere
        meant = {(channel, purpose) for channel in channels for purpose in _purposes(each)}
        gone = written.get(source, set()) - meant
        journal.strike(session, customer_id, source, gone, tick)
        new = sorted(meant - written.get(source, set()))
        journal.append(session, [withdrawal(customer_id, *entry, each.at, source) for entry in new], tick)


def _purposes(event: Open) -> set[str]:
    return left_purposes(event.purpose, {purpose for _, purpose in event.about})


def left_purposes(stated: str | None, of_messages: set[str]) -> set[str]:
    """Return what leaving ends: the purpose it states, or else marketing and the purposes of its messages.

    Transactional messages go on: they are no subscription.
    """
    return {stated} if stated else {"marketing", *of_messages} - {"transactional"}


def withdrawal(customer_id: str, channel: str, purpose: str, at: int, source: str) -> Consent:
    """Return the entry that leaving makes in the journal; its proof is the event itself."""
    return Consent.model_construct(
        customer_id=customer_id,
        channel=channel,
        purpose=cast("Purpose", purpose),
        status="withdrawn",
        at=moment(at),
        source=source,
        evidence=None,
    )


def source_of(kind: str, event_id: str) -> str:
    """Return what an entry drawn from an event calls its source."""
    return f"event:{kind}:{event_id}"
