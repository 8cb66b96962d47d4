"""What a ``sent`` changes: a message is one row of pressure, whoever sent it and however often it is told.

Reports come in any order, and name the decision, the provider's message, or both. Whatever the order, the same row
is left: the earliest report says when it went and, where nobody here decided it, what it was (of two at one moment
the one whose event id sorts first; one that names its channel goes before one that does not), and what was heard
under any of its names counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import (
    BindParameter,
    and_,
    bindparam,
    case,
    delete,
    exists,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql

from decisions.ledger.events.matching import DECISION, MESSAGE, called, decided, named, names_of
from decisions.ledger.places import lifecycle
from decisions.ledger.places.transaction import last_audit
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros
from decisions.ledger.storage.session import Among, listed
from features.contracts import PURPOSES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from decisions.ledger.events.matching import Decided, Message
    from decisions.ledger.storage.session import Session
    from features.contracts import Event, Purpose

UNKNOWN = "unknown"
"""The channel of a message of which no report names one."""

_pressure, _decision, _audit, _alias = schema.pressure.c, schema.decision.c, schema.audit.c, schema.alias.c
_KEY: BindParameter[Any] = bindparam("key")
_WHO: BindParameter[Any] = bindparam("who")

_FACTS = ("told_at", "told_by", "channel", "purpose", "category", "offer_id", "campaign_id")
"""What one report says of a message that nobody here decided."""

_UNASKED = "sent_unconfirmed"


def _unasked(customer_id: Any, decision_id: Any) -> Any:
    return exists(
        select(literal_column("1")).where(
            _audit.customer_id == customer_id,
            _audit.decision_id == decision_id,
            _audit.what == literal_column(f"'{_UNASKED}'"),
        )
    )


# Permission came first: a sender's slow clock does not make the message older than its permission.
_NOT_BEFORE = select(
    case(
        (
            or_(_decision.confirmed_at.is_(None), _unasked(_decision.customer_id, _decision.decision_id)),
            _decision.decided_at,
        ),
        (_decision.confirmed_at < _decision.send_at, _decision.send_at),
        else_=_decision.confirmed_at,
    )
).where(_decision.decision_id == _KEY)
_MARK_SENT = (
    update(schema.pressure)
    .where(_pressure.pressure_id == _KEY)
    .values(
        state=literal_column("'sent'"),
        expires_at=null(),
        **{name: bindparam(name) for name in ("at", "told_at", "responded")},
    )
)
# Without permission a place is spent at the earliest sign that it went, until its ``sent`` says when.
_WENT_EARLIER = (
    update(schema.pressure)
    .where(
        _pressure.pressure_id == _KEY,
        _pressure.at > bindparam("seen_at"),
        _unasked(_pressure.customer_id, _pressure.decision_id),
    )
    .values(at=bindparam("seen_at"))
)
_STATE = (
    update(schema.pressure)
    .where(_pressure.pressure_id == _KEY)
    .values({name: bindparam(name) for name in ("at", "responded", *_FACTS)})
)
_DROP = delete(schema.pressure).where(_pressure.pressure_id == _KEY)
_NAME = update(schema.pressure).where(_pressure.pressure_id == _KEY).values(message_id=bindparam("name"))
_ALIASES = select(_alias.name).where(_alias.customer_id == _WHO, _alias.pressure_id == _KEY)
_UNALIAS = delete(schema.alias).where(_alias.customer_id == _WHO, _alias.pressure_id == _KEY)
_ALIAS = (
    postgresql.insert(schema.alias).values({c.name: bindparam(c.name) for c in _alias}).on_conflict_do_nothing()
)
_insert = postgresql.insert(schema.pressure).values(
    {
        c.name: bindparam(c.name)
        for c in schema.pressure.c
        if c.name not in {"pressure_id", "expires_at", "value", "guessed"}
    }
)
_new = _insert.excluded
_IS_EARLIER = or_(
    and_(_pressure.channel == literal_column(f"'{UNKNOWN}'"), _new.channel != literal_column(f"'{UNKNOWN}'")),
    and_(
        or_(_pressure.channel == literal_column(f"'{UNKNOWN}'"), _new.channel != literal_column(f"'{UNKNOWN}'")),
        or_(
            _new.told_at < _pressure.told_at,
            and_(_new.told_at == _pressure.told_at, _new.told_by < _pressure.told_by),
        ),
    ),
)
FOREIGN = _insert.on_conflict_do_update(
    index_elements=[_pressure.customer_id, _pressure.message_id],
    index_where=_pressure.message_id.is_not(None),
    set_={
        "at": case((_new.at < _pressure.at, _new.at), else_=_pressure.at),
        **{name: case((_IS_EARLIER, _new[name]), else_=_pressure[name]) for name in _FACTS},
    },
    where=_pressure.decision_id.is_(None),
)
"""Adds a message, or another report of one that goes by this message id alone."""
_ADDED = _insert.returning(_pressure.pressure_id)
_DECIDED_AT = select(_decision.decided_at).where(_decision.decision_id == _KEY)
_OF_SEVERAL = select(_alias.customer_id, _alias.name).where(Among(_alias.customer_id, "ids"))
_OF_DECISIONS = select(_pressure.customer_id, _pressure.message_id).where(
    Among(_pressure.customer_id, "ids"), _pressure.decision_id.is_not(None), _pressure.message_id.is_not(None)
)


def sent(session: Session, event: Event, tick: int) -> None:
    """Let a message that went count, once."""
    messages, own = named(session, event), decided(session, event)
    if own and not any(each.decision_id == own.decision_id for each in messages):
        messages.append(_without_place(session, event, own, tick))
    if messages:
        _unite(session, event, messages, tick)
    else:
        _add(session, event)


def _add(session: Session, event: Event) -> None:
    """Add a message; by a decision that is not known here it goes as by any other name."""
    row = session.row(_ADDED, **foreign_row(event, last_audit(session)))
    if row and event.decision_id:
        name = f"{DECISION}{event.decision_id}"
        session.run(_ALIAS, customer_id=event.customer_id, name=name, pressure_id=row[0])


def _without_place(session: Session, event: Event, own: Decided, tick: int) -> Message:
    """Add a message that was decided and went without its place, and say so in the audit."""
    facts = own._asdict()
    at = max(micros(event.occurred_at), facts.pop("decided_at"))
    row = foreign_row(event, last_audit(session)) | facts | {"at": at, "message_id": None, "told_by": None}
    lifecycle.audit(session, event.customer_id, "sent_without_place", tick, decision_id=own.decision_id)
    session.run(_insert, **row)
    return next(each for each in called(session, event.customer_id, f"{DECISION}{own.decision_id}"))


def _unite(session: Session, event: Event, messages: Sequence[Message], tick: int) -> None:
    """Make one of all that the report says is one: its decision's row, or one row for all that nobody decided.

    Where one message was told of two decisions, each has spent its place, and both know all that is told of
    either.
    """
    told = [each.told_at if each.decision_id else each.at for each in messages]
    told_at = min([micros(event.occurred_at), *(at for at in told if at is not None)])
    word = max((each.responded for each in messages if each.responded is not None), default=None)
    standing = sorted((each for each in messages if each.decision_id), key=lambda each: each.decision_id or "")
    for each in standing:
        spend(session, event, each, tick)
        at = max(told_at, _not_before(session, each.decision_id))
        session.run(_MARK_SENT, key=each.pressure_id, at=at, told_at=told_at, responded=word)
    if not standing:
        standing = [messages[0]]
        facts = min((_facts(event), *(_facts_of(each) for each in messages)), key=_order)
        session.run(_STATE, key=messages[0].pressure_id, at=told_at, responded=word, **facts)
    _name(session, event, messages, standing)


def _not_before(session: Session, decision_id: str | None) -> int:
    row = session.row(_NOT_BEFORE, key=decision_id)
    return int(row[0]) if row else 0


def _facts(event: Event) -> dict[str, Any]:
    row = foreign_row(event, 0)
    return {name: row[name] for name in _FACTS}


def _facts_of(message: Message) -> dict[str, Any]:
    return {name: getattr(message, name) for name in _FACTS}


def _order(facts: Mapping[str, Any]) -> tuple[bool, int, str]:
    return facts["channel"] == UNKNOWN, facts["told_at"], facts["told_by"]


def _name(session: Session, event: Event, messages: Sequence[Message], standing: Sequence[Message]) -> None:
    """Let what stands go by all the names there are, and what is one with it go.

    A row has a column for one message id, which is the first of them; the other names are aliases.
    """
    new, who = set(names_of(event)), event.customer_id
    if len(messages) == 1 and new.issubset(names_of(messages[0])):
        return
    names = new.union(*(_names(session, who, each) for each in messages))
    for each in messages:
        session.run(_UNALIAS, who=who, key=each.pressure_id)
        session.run(_NAME, key=each.pressure_id, name=None)
    session.many(_DROP, [{"key": each.pressure_id} for each in messages if each not in standing])
    message_id = (
        min((each for each in names if each.startswith(MESSAGE)), default="").removeprefix(MESSAGE) or None
    )
    session.run(_NAME, key=standing[0].pressure_id, name=message_id)
    for place, each in enumerate(standing):
        own = names_of(each._replace(message_id=None if place else message_id))
        rows = [
            {"customer_id": who, "name": name, "pressure_id": each.pressure_id}
            for name in sorted(names.difference(own))
        ]
        session.many(_ALIAS, rows)


def _names(session: Session, customer_id: str, message: Message) -> set[str]:
    rows = session.rows(_ALIASES, who=customer_id, key=message.pressure_id)
    return {*names_of(message), *(row[0] for row in rows)}


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
        lifecycle.confirm(session, who, key, tick, at=seen_at, change=_UNASKED)


def _after_deciding(session: Session, decision_id: str, event: Event) -> int:
    """Return when ``event`` was, but not before the decision it is about: no message goes before it is decided.

    A clock that says otherwise is wrong; believing it would date the message out of every cap and gap.
    """
    row = session.row(_DECIDED_AT, key=decision_id)
    return max(micros(event.occurred_at), row[0] if row else 0)


def foreign_row(event: Event, after_audit: int) -> dict[str, Any]:
    """Return the pressure of a message that another system sent. Of unknown purpose, it counts as marketing."""
    category, at = event.properties.get("category"), micros(event.occurred_at)
    return {
        "customer_id": event.customer_id,
        "at": at,
        "channel": event.channel or UNKNOWN,
        "purpose": purpose_of(event),
        "category": category if isinstance(category, str) else None,
        "offer_id": event.offer_id,
        "campaign_id": event.campaign_id,
        "decision_id": None,
        "message_id": event.message_id,
        "state": "sent",
        "responded": None,
        "after_audit": after_audit,
        "told_at": at,
        "told_by": event.event_id,
    }


def purpose_of(event: Event) -> Purpose:
    """Return the purpose an event names, else marketing."""
    given = event.properties.get("purpose")
    return cast("Purpose", given) if given in PURPOSES else "marketing"


def of_several_names(session: Session, customer_ids: Collection[str]) -> set[tuple[str, str]]:
    """Return customer and message name where more hangs on the name than one message that nobody here decided."""
    ids = listed(customer_ids)
    aliases = {(row[0], row[1]) for row in session.rows(_OF_SEVERAL, ids=ids)}
    return aliases | {(row[0], f"{MESSAGE}{row[1]}") for row in session.rows(_OF_DECISIONS, ids=ids)}
