"""The send protocol: confirm is permission, given once, right before sending; release gives a place back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from sqlalchemy import bindparam, select

from decisions.ledger.people.contacts import states_of
from decisions.ledger.places import lifecycle
from decisions.ledger.places.state import Reading, read_one
from decisions.ledger.reading import decision as recorded
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros
from decisions.ledger.verdicts import Guard, Refusal, Verdict
from features.contracts import Preference
from features.contracts.words import STORED

if TYPE_CHECKING:
    from datetime import datetime

    from decisions.ledger.storage.session import Session
    from decisions.records import DecisionState

_decision, _customer = schema.decision.c, schema.customer.c
_TICKET = select(
    _decision.decision_id,
    _decision.customer_id,
    _decision.action,
    _decision.state,
    _decision.purpose,
    _decision.channel,
    _decision.send_at,
    _decision.expires_at,
).where(_decision.decision_id == bindparam("key"))
_PERSON = select(_customer.contacts, _customer.preference).where(_customer.customer_id == bindparam("who"))

_GONE = {
    "confirmed": ("already_confirmed", "permission was given before; it is given once"),
    "released": ("released", "the place was released"),
    "expired": ("expired", "the time to send it is over; ask for a new decision"),
    "displaced": ("displaced", "a better message took its place"),
    "withdrawn": ("withdrawn", "consent, contact or the customer's own wish ended it before it was sent"),
    "held": ("held", "the decision was to send nothing"),
}


class Ticket(NamedTuple):
    """What confirm needs of a decision."""

    decision_id: str
    customer_id: str
    action: str
    state: DecisionState
    purpose: str
    channel: str
    send_at: int
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What permission is given on: how early it may be asked for, how far back is looked, and who is asked."""

    early: timedelta
    reading: Reading
    guard: Guard | None


def confirm(session: Session, decision_id: str, now: datetime, *, terms: Terms) -> Verdict:
    """Give permission to send, once, if nothing has come between; the place is then spent for good."""
    ticket, tick = _ticket(session, decision_id), micros(now)
    if ticket is None:
        return unknown(decision_id)
    if ticket.state != "reserved":
        return _gone(ticket)
    refusal = _window(ticket, now, terms.early) or _person(session, ticket, tick)
    refusal = refusal or _guarded(session, ticket, now, terms)
    if refusal:
        return _refuse(session, ticket, refusal, tick)
    lifecycle.confirm(session, ticket.customer_id, decision_id, tick, at=max(tick, ticket.send_at))
    return Verdict(
        decision_id=decision_id, status="confirmed", code="confirmed", message="send it now", state="confirmed"
    )


def release(session: Session, decision_id: str, now: datetime, *, reason: str) -> Verdict:
    """Give an unconfirmed place back. Releasing twice is one release."""
    ticket = _ticket(session, decision_id)
    if ticket is None:
        return unknown(decision_id)
    if ticket.state not in {"reserved", "released"}:
        return _gone(ticket)
    lifecycle.end(session, ticket.customer_id, decision_id, "released", micros(now), why=reason)
    return Verdict(
        decision_id=decision_id,
        status="released",
        code="released" if ticket.state == "reserved" else "already_released",
        message="the place is free",
        state="released",
    )


def _ticket(session: Session, decision_id: str) -> Ticket | None:
    row = session.row(_TICKET, key=decision_id)
    return Ticket(*row) if row else None


def _window(ticket: Ticket, now: datetime, early: timedelta) -> Refusal | None:
    if micros(now) >= ticket.expires_at:
        return Refusal(*_GONE["expired"], "expired")
    if micros(now + early) < ticket.send_at:
        return Refusal("too_early", "the decision is for later; confirm right before sending", None)
    return None


def _person(session: Session, ticket: Ticket, tick: int) -> Refusal | None:
    if lifecycle.is_withdrawn(session, ticket.customer_id, ticket.channel, ticket.purpose, tick):
        return Refusal("consent_withdrawn", "the customer withdrew consent", "withdrawn")
    row = session.row(_PERSON, who=ticket.customer_id)
    contacts: dict[str, Any] = orjson.loads(row[0]) if row else {}
    if states_of(contacts).get(ticket.channel) == "hard_bounced":
        return Refusal("hard_bounced", "the address is dead", "withdrawn")
    return _wish(ticket, row[1] if row else None, tick)


def _wish(ticket: Ticket, stored: str | None, tick: int) -> Refusal | None:
    """A channel that is switched off stops every message; a pause lets transactional ones pass."""
    if stored is None:
        return None
    wish = Preference.model_validate_json(stored, context=STORED)
    if ticket.channel in wish.channels_off:
        return Refusal("channel_off", "the customer switched the channel off", "withdrawn")
    if ticket.purpose != "transactional" and wish.pause_until and tick < micros(wish.pause_until):
        return Refusal("paused", "the customer paused messages", "withdrawn")
    return None


def _guarded(session: Session, ticket: Ticket, now: datetime, terms: Terms) -> Refusal | None:
    """Ask the guard, under the customer's lock, with everything known by now but this very reservation."""
    if terms.guard is None:
        return None
    who, key = ticket.customer_id, ticket.decision_id
    known = read_one(session, who, now, terms.reading, without=key)
    lifecycle.end_all(session, who, known.lapsed, "expired", micros(now))
    return terms.guard(recorded(session, key), known.state, now)


def _refuse(session: Session, ticket: Ticket, refusal: Refusal, tick: int) -> Verdict:
    if refusal.ends:
        lifecycle.end(session, ticket.customer_id, ticket.decision_id, refusal.ends, tick, why=refusal.code)
    return Verdict(
        decision_id=ticket.decision_id,
        status="refused",
        code=refusal.code,
        message=refusal.message,
        state=refusal.ends or ticket.state,
    )


def _gone(ticket: Ticket) -> Verdict:
    code, message = _GONE[ticket.state]
    return Verdict(
        decision_id=ticket.decision_id,
        status="refused",
        code=code,
        message=message,
        state=ticket.state,
    )


def unknown(decision_id: str) -> Verdict:
    """Return the verdict on a decision that the ledger does not hold."""
    return Verdict(
        decision_id=decision_id,
        status="refused",
        code="unknown_decision",
        message="no such decision; it was never made, or was erased",
        state=None,
    )
