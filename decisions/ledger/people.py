"""Customers, their consent journal and their own wishes, and how all of it is forgotten."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import BindParameter, Select, bindparam, delete, literal_column, select
from sqlalchemy.dialects import postgresql

from decisions.ledger import contacts, places, schema
from decisions.ledger.codec import micros, moment, text
from decisions.ledger.session import Among, listed
from decisions.ledger.state import customer_of
from decisions.ledger.transaction import last_audit
from features.contracts import Consent, Customer, Preference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from decisions.ledger.session import Session

_customer, _consent = schema.customer.c, schema.consent.c
_WHO: BindParameter[Any] = bindparam("who")

_stored = postgresql.insert(schema.customer).values(
    {name: bindparam(name) for name in ("customer_id", "body", "contacts")}
)
_STORE = _stored.on_conflict_do_update(
    index_elements=[_customer.customer_id],
    set_={"body": _stored.excluded.body, "contacts": _stored.excluded.contacts},
)
_LEARN = _stored.on_conflict_do_update(
    index_elements=[_customer.customer_id], set_={"contacts": _stored.excluded.contacts}
)
_wished = postgresql.insert(schema.customer).values({c.name: bindparam(c.name) for c in _customer})
_WISH = _wished.on_conflict_do_update(
    index_elements=[_customer.customer_id], set_={"preference": _wished.excluded.preference}
)
_CUSTOMER = select(_customer.customer_id, _customer.body, _customer.contacts, _customer.preference).where(
    _customer.customer_id == _WHO
)
_CONTACTS = select(_customer.customer_id, _customer.contacts).where(Among(_customer.customer_id, "ids"))
_IDS = (
    select(_customer.customer_id).where(_customer.customer_id > bindparam("after")).order_by(_customer.customer_id)
)
_ENTRY = (
    postgresql.insert(schema.consent)
    .values({c.name: bindparam(c.name) for c in _consent if c.name != "consent_id"})
    .on_conflict_do_nothing()
)
_JOURNAL = (
    select(_consent.channel, _consent.purpose, _consent.status, _consent.at, _consent.source, _consent.evidence)
    .where(_consent.customer_id == _WHO)
    .order_by(_consent.at, _consent.status)
)
_CHANNELS = select(_consent.channel).distinct().where(_consent.customer_id == _WHO).order_by(_consent.channel)
_RECORDS = delete(schema.record).where(
    schema.record.c.decision_id.in_(
        select(schema.decision.c.decision_id).where(schema.decision.c.customer_id == _WHO)
    )
)
_OF_A_CUSTOMER = (
    schema.decision,
    schema.pressure,
    schema.consent,
    schema.customer,
    schema.exposure,
    schema.inbox,
    schema.outbox,
    schema.audit,
)
_FORGET = (_RECORDS, *(delete(table).where(table.c.customer_id == _WHO) for table in _OF_A_CUSTOMER))
_BURY = postgresql.insert(schema.tombstone).on_conflict_do_nothing()
_BURIED = select(schema.tombstone.c.digest).where(Among(schema.tombstone.c.digest, "digests"))
_ANY_BURIED: Select[Any] = select(literal_column("1")).select_from(schema.tombstone).limit(literal_column("1"))


def store(session: Session, customers: Sequence[Customer]) -> None:
    """Write customers, the latest statement winning; what bounces taught of a channel stays (see contacts)."""
    ids = listed([each.customer_id for each in customers])
    known = {row[0]: orjson.loads(row[1]) for row in session.rows(_CONTACTS, ids=ids)}
    session.many(_STORE, [_customer_row(each, known.get(each.customer_id, {})) for each in customers])


def _customer_row(customer: Customer, known: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "customer_id": customer.customer_id,
        "body": customer.model_dump_json(exclude={"contacts"}, exclude_defaults=True),
        "contacts": text(contacts.declare(known, customer.contacts)),
    }


def contacts_of(session: Session, customer_id: str) -> contacts.Contacts:
    """Return what is declared and learned of the customer's channels."""
    rows = session.rows(_CONTACTS, ids=listed([customer_id]))
    found: contacts.Contacts = orjson.loads(rows[0][1]) if rows else {}
    return found


def learn(session: Session, customer_id: str, learned: contacts.Contacts | None) -> None:
    """Keep what an event taught of the customer's channels; None: nothing new."""
    if learned is not None:
        session.run(_LEARN, customer_id=customer_id, body=_bare(customer_id), contacts=text(learned))


def wish(session: Session, preference: Preference) -> None:
    """Write the customer's own limits, the latest winning."""
    session.run(
        _WISH,
        customer_id=preference.customer_id,
        body=_bare(preference.customer_id),
        contacts="{}",
        preference=preference.model_dump_json(),
    )


def _bare(customer_id: str) -> str:
    return text({"customer_id": customer_id})


def journal(session: Session, entries: Sequence[Consent], tick: int) -> int:
    """Append entries, identical ones once, and stop what a withdrawal reaches; return how many were new."""
    after = last_audit(session)
    new = session.many(_ENTRY, [_entry_row(each, after) for each in entries])
    withdrawn = {(each.customer_id, each.channel, each.purpose) for each in entries if each.status == "withdrawn"}
    for customer_id, channel, purpose in sorted(withdrawn):
        places.withdraw(session, customer_id, channel, purpose, tick)
    return new


def _entry_row(entry: Consent, after: int) -> dict[str, Any]:
    return {
        "customer_id": entry.customer_id,
        "channel": entry.channel,
        "purpose": entry.purpose,
        "status": entry.status,
        "at": micros(entry.at),
        "source": entry.source,
        "evidence": entry.evidence,
        "after_audit": after,
    }


def channels_consented(session: Session, customer_id: str) -> list[str]:
    """Return every channel the customer's journal speaks of."""
    return [row[0] for row in session.rows(_CHANNELS, who=customer_id)]


def customer(session: Session, customer_id: str) -> Customer | None:
    """Return the customer with the contact states that count, or None for one never heard of."""
    row = session.row(_CUSTOMER, who=customer_id)
    return customer_of(customer_id, row, orjson.loads(row[2])) if row else None


def preference(session: Session, customer_id: str) -> Preference | None:
    """Return the customer's own limits, or None where there are none."""
    row = session.row(_CUSTOMER, who=customer_id)
    return Preference.model_validate_json(row[3]) if row and row[3] else None


def entries(session: Session, customer_id: str) -> list[Consent]:
    """Return the whole journal of a customer in its order, evidence included."""
    return [
        Consent(
            customer_id=customer_id,
            channel=row[0],
            purpose=row[1],
            status=row[2],
            at=moment(row[3]),
            source=row[4],
            evidence=row[5],
        )
        for row in session.rows(_JOURNAL, who=customer_id)
    ]


def ids(session: Session, after: str) -> list[str]:
    """Return the customers whose id sorts after ``after``."""
    return [row[0] for row in session.rows(_IDS, after=after)]


def forget(session: Session, customer_id: str) -> int:
    """Delete every row of a customer; return how many there were."""
    return sum(session.run(statement, who=customer_id) for statement in _FORGET)


def digest(key: bytes, customer_id: str) -> str:
    """Return the name of a tombstone: nobody without the key can tell whose it is."""
    return hmac.new(key, customer_id.encode(), hashlib.sha256).hexdigest()


def bury(session: Session, key: bytes, customer_id: str, tick: int) -> None:
    """Leave a tombstone, so that a late event does not bring the customer back."""
    session.run(_BURY, digest=digest(key, customer_id), at=tick)


def buried(session: Session, key: bytes, customer_ids: Iterable[str]) -> set[str]:
    """Return those of the customers who were erased."""
    if session.row(_ANY_BURIED) is None:
        return set()
    named = {digest(key, each): each for each in customer_ids}
    return {named[row[0]] for row in session.rows(_BURIED, digests=listed(named))}
