"""Which message an event is about: the one it names by decision or message id, else its campaign's latest.

An event that names a message is about that one alone, also while it is not known yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BindParameter, bindparam, literal_column, or_, select

from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros

if TYPE_CHECKING:
    from collections.abc import Iterator

    from decisions.ledger.storage.session import Row, Session
    from features.contracts import Event

DECISION, MESSAGE = "decision:", "message:"
"""What a name begins with: a provider may number its messages as we do our decisions."""

_pressure = schema.pressure.c
_KEY: BindParameter[Any] = bindparam("key")
_WHO: BindParameter[Any] = bindparam("who")

_FOUND = select(
    _pressure.pressure_id,
    _pressure.channel,
    _pressure.purpose,
    _pressure.state,
    _pressure.decision_id,
    _pressure.message_id,
)
_OF_CUSTOMER = _FOUND.where(_pressure.customer_id == _WHO)
_BY_DECISION = _OF_CUSTOMER.where(_pressure.decision_id == _KEY)
_BY_MESSAGE = _OF_CUSTOMER.where(_pressure.message_id == _KEY)
_BY_CAMPAIGN = (
    _OF_CUSTOMER.where(
        _pressure.campaign_id == _KEY,
        _pressure.at <= bindparam("tick"),
        or_(bindparam("on_channel") == literal_column("''"), _pressure.channel == bindparam("on_channel")),
    )
    .order_by(_pressure.at.desc())
    .limit(literal_column("1"))
)


class Message(NamedTuple):
    """One row of pressure an event is about."""

    pressure_id: int
    channel: str
    purpose: str
    state: str
    decision_id: str | None
    message_id: str | None


def each_named(session: Session, event: Event) -> Iterator[tuple[str, Message | None]]:
    """Yield what the event names, decision first, as ``decision:…`` and ``message:…``, and the message if known.

    Two names may be of one message, or of two rows of which nobody has said yet that they are one.
    """
    names = ((DECISION, _BY_DECISION, event.decision_id), (MESSAGE, _BY_MESSAGE, event.message_id))
    for kind, statement, key in names:
        if key:
            yield f"{kind}{key}", _message(session.row(statement, who=event.customer_id, key=key))


def named(session: Session, event: Event) -> Message | None:
    """Return the message the event names by decision or message id."""
    return next((message for _, message in each_named(session, event) if message), None)


def _message(row: Row | None) -> Message | None:
    return Message(*row) if row else None


def latest_of_campaign(session: Session, event: Event) -> Message | None:
    """Return the latest message of the event's campaign and channel before it: what a nameless event is about."""
    if event.campaign_id is None:
        return None
    row = session.row(
        _BY_CAMPAIGN,
        who=event.customer_id,
        key=event.campaign_id,
        tick=micros(event.occurred_at),
        on_channel=event.channel or "",
    )
    return _message(row)
