"""Which messages an event is about: those it names by decision or message id, and what its decision says of it.

A name is a message's own, or one it got when a ``sent`` named two at once. An event that names a message is about
that one alone, also while it is not known yet; one that names none is left open (see ``open_events``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sqlalchemy import BindParameter, bindparam, select, union_all

from decisions.ledger.storage import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from decisions.ledger.storage.session import Session
    from features.contracts import Event

DECISION, MESSAGE = "decision:", "message:"
"""What a name begins with: a provider may number its messages as we do our decisions."""

_pressure, _alias, _decision = schema.pressure.c, schema.alias.c, schema.decision.c
_KEY: BindParameter[Any] = bindparam("key")
_WHO: BindParameter[Any] = bindparam("who")

_FOUND = select(
    _pressure.pressure_id,
    _pressure.state,
    _pressure.decision_id,
    _pressure.message_id,
    _pressure.responded,
    _pressure.at,
    _pressure.told_at,
    _pressure.told_by,
    _pressure.channel,
    _pressure.purpose,
    _pressure.category,
    _pressure.offer_id,
    _pressure.campaign_id,
)
_BY_ALIAS = _FOUND.join_from(schema.alias, schema.pressure, _pressure.pressure_id == _alias.pressure_id).where(
    _alias.customer_id == _WHO, _alias.name == bindparam("name"), _pressure.customer_id == _WHO
)
_OWN = {DECISION: _pressure.decision_id, MESSAGE: _pressure.message_id}
_BY_NAME = {
    kind: union_all(_FOUND.where(_pressure.customer_id == _WHO, own == _KEY), _BY_ALIAS)
    for kind, own in _OWN.items()
}
_DECIDED = select(
    _decision.decision_id,
    _decision.channel,
    _decision.purpose,
    _decision.category,
    _decision.offer_id,
    _decision.campaign_id,
    _decision.decided_at,
).where(_decision.decision_id == _KEY, _decision.customer_id == _WHO, _decision.channel.is_not(None))


class Message(NamedTuple):
    """One row of pressure an event is about."""

    pressure_id: int
    state: str
    decision_id: str | None
    message_id: str | None
    responded: int | None
    at: int
    told_at: int | None
    told_by: str | None
    channel: str
    purpose: str
    category: str | None
    offer_id: str | None
    campaign_id: str | None


class Decided(NamedTuple):
    """What was decided of a message, whether or not its place still stands."""

    decision_id: str
    channel: str
    purpose: str
    category: str | None
    offer_id: str | None
    campaign_id: str | None
    decided_at: int


class BearsNames(Protocol):
    """What bears names: an event, or a row of pressure."""

    @property
    def decision_id(self) -> str | None:
        """The decision it is of."""
        ...

    @property
    def message_id(self) -> str | None:
        """The provider's message."""
        ...


def names_of(told: BearsNames) -> list[str]:
    """Return the names that ``told`` itself bears, as ``decision:…`` and ``message:…``."""
    keys = ((DECISION, told.decision_id), (MESSAGE, told.message_id))
    return [f"{kind}{key}" for kind, key in keys if key]


def each_named(session: Session, event: Event) -> Iterator[tuple[str, list[Message]]]:
    """Yield what the event names, decision first, and the messages known by that name.

    There are several where one message was told of two decisions. Two names may be of one message, or of two rows
    of which nobody has said yet that they are one.
    """
    for name in names_of(event):
        yield name, called(session, event.customer_id, name)


def called(session: Session, customer_id: str, name: str) -> list[Message]:
    """Return the messages of a customer known by a name."""
    kind = DECISION if name.startswith(DECISION) else MESSAGE
    key = name.removeprefix(kind)
    return [Message(*row) for row in session.rows(_BY_NAME[kind], who=customer_id, key=key, name=name)]


def named(session: Session, event: Event) -> list[Message]:
    """Return every message the event names, once."""
    found = {each.pressure_id: each for _, messages in each_named(session, event) for each in messages}
    return list(found.values())


def decided(session: Session, event: Event) -> Decided | None:
    """Return the customer's decision that the event names; None for one that is not known or is no message."""
    if event.decision_id is None:
        return None
    row = session.row(_DECIDED, key=event.decision_id, who=event.customer_id)
    return Decided(*row) if row else None
