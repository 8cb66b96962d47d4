"""A reserved place and how it ends: confirmed for good, or released, expired, withdrawn or displaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, literal_column, null, select, update

from decisions.ledger.actor import actor
from decisions.ledger.places.state import CONSENTS_OF_ONE, RESERVED, current_consents
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros
from decisions.ledger.storage.errors import PlaceGone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from decisions.ledger.storage.session import Session
    from decisions.records import Decision, DecisionState

_decision, _pressure, _outbox, _consent = (
    schema.decision.c,
    schema.pressure.c,
    schema.outbox.c,
    schema.consent.c,
)

_END = (
    update(schema.decision)
    .where(_decision.decision_id == bindparam("key"), _decision.state == RESERVED)
    .values(state=bindparam("new_state"), ended_at=bindparam("tick"))
)
_FREE = delete(schema.pressure).where(_pressure.decision_id == bindparam("key"))
_RECALL = delete(schema.outbox).where(_outbox.decision_id == bindparam("key"))
_AUDIT = insert(schema.audit).values(
    customer_id=bindparam("who"),
    decision_id=bindparam("key"),
    what=bindparam("change"),
    at=bindparam("tick"),
    detail=bindparam("why"),
    actor=bindparam("by"),
)
_CONFIRM = (
    update(schema.decision)
    .where(_decision.decision_id == bindparam("key"), _decision.state == RESERVED)
    .values(state=literal_column("'confirmed'"), confirmed_at=bindparam("tick"))
)
_SPEND = (
    update(schema.pressure)
    .where(_pressure.decision_id == bindparam("key"), _pressure.state == RESERVED)
    .values(state=literal_column("'confirmed'"), expires_at=null(), at=bindparam("went_at"))
)
_HELD = select(_pressure.decision_id).where(
    _pressure.decision_id == bindparam("key"),
    _pressure.customer_id == bindparam("who"),
    _pressure.state == RESERVED,
)
_UNCONFIRMED = select(_pressure.decision_id).where(
    _pressure.customer_id == bindparam("who"),
    _pressure.channel == bindparam("on_channel"),
    _pressure.purpose == bindparam("for_purpose"),
    _pressure.state == RESERVED,
)
_JOURNAL = CONSENTS_OF_ONE.where(
    _consent.channel == bindparam("on_channel"), _consent.purpose == bindparam("for_purpose")
)
_LAPSED = (
    select(_pressure.customer_id, _pressure.decision_id)
    .where(_pressure.state == RESERVED, _pressure.expires_at <= bindparam("tick"))
    .order_by(_pressure.expires_at)
    .limit(bindparam("at_most"))
)


def audit(
    session: Session, customer_id: str, what: str, tick: int, *, decision_id: str | None = None, why: str = ""
) -> None:
    """Add one entry to the order of what happened."""
    session.run(_AUDIT, who=customer_id, key=decision_id, change=what, tick=tick, why=why or None, by=actor())


def end(
    session: Session, customer_id: str, decision_id: str, state: DecisionState, tick: int, *, why: str = ""
) -> bool:
    """Free an unconfirmed place for good; return False (and change nothing) where it is no longer reserved."""
    if not session.run(_END, key=decision_id, new_state=state, tick=tick):
        return False
    session.run(_FREE, key=decision_id)
    session.run(_RECALL, key=decision_id)
    audit(session, customer_id, state, tick, decision_id=decision_id, why=why)
    return True


def recall(session: Session, decision_id: str) -> None:
    """Take a message out of the outbox: it has gone, and no sender is to be given it."""
    session.run(_RECALL, key=decision_id)


def end_all(
    session: Session,
    customer_id: str,
    decision_ids: Iterable[str],
    state: DecisionState,
    tick: int,
    *,
    why: str = "",
) -> int:
    """Free several places of one customer; return how many were still reserved."""
    return sum(end(session, customer_id, each, state, tick, why=why) for each in decision_ids)


def displace(session: Session, decision: Decision) -> None:
    """Free the place that ``decision`` takes, before its own is reserved.

    Raises:
        PlaceGone: where that place is not one of this customer's reserved ones (any more).
    """
    who, key = decision.customer_id, decision.displaces
    if key is None:
        return
    held = session.row(_HELD, who=who, key=key)
    if not held or not end(session, who, key, "displaced", micros(decision.now), why=decision.decision_id):
        raise PlaceGone(decision.decision_id, key)


def confirm(
    session: Session, customer_id: str, decision_id: str, tick: int, *, at: int, change: str = "confirmed"
) -> bool:
    """Spend a place for good, for a message that goes at ``at``; return False where it is no longer reserved."""
    if not session.run(_CONFIRM, key=decision_id, tick=tick):
        return False
    session.run(_SPEND, key=decision_id, went_at=at)
    audit(session, customer_id, change, tick, decision_id=decision_id)
    return True


def is_withdrawn(session: Session, customer_id: str, channel: str, purpose: str, tick: int) -> bool:
    """Return whether the journal's current word on channel and purpose is a withdrawal."""
    rows = session.rows(_JOURNAL, who=customer_id, on_channel=channel, for_purpose=purpose)
    return any(entry.status == "withdrawn" for entry in current_consents(customer_id, rows, tick))


def withdraw(session: Session, customer_id: str, channel: str, purpose: str, tick: int) -> int:
    """Stop everything not yet confirmed on a channel and purpose, if consent to it is gone (P2)."""
    if not is_withdrawn(session, customer_id, channel, purpose, tick):
        return 0
    rows = session.rows(_UNCONFIRMED, who=customer_id, on_channel=channel, for_purpose=purpose)
    return end_all(session, customer_id, [row[0] for row in rows], "withdrawn", tick, why="consent withdrawn")


def lapsed(session: Session, tick: int, *, limit: int) -> list[tuple[str, str]]:
    """Return customer and decision of reserved places whose time is over, the longest over first."""
    return [(row[0], row[1]) for row in session.rows(_LAPSED, tick=tick, at_most=limit)]
