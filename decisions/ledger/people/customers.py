"""Customers and their own wishes: what the company declares, what bounces taught, what they asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.dialects import postgresql

from decisions.canonical import canonical
from decisions.ledger.people import contacts
from decisions.ledger.places.state import customer_of
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import text
from decisions.ledger.storage.session import Among, listed
from features.contracts import Customer, Preference
from features.contracts.words import STORED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from decisions.ledger.storage.session import Session

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


def store(session: Session, customers: Sequence[Customer], tick: int) -> None:
    """Write customers, the latest statement winning; what bounces taught of a channel stays (see contacts)."""
    known = _known(session, [each.customer_id for each in customers])
    rows: dict[str, dict[str, Any]] = {}
    for each in customers:
        rows[each.customer_id] = _customer_row(each, known.get(each.customer_id, {}), tick)
        known[each.customer_id] = orjson.loads(rows[each.customer_id]["contacts"])
    session.many(_STORE, list(rows.values()))


def _customer_row(customer: Customer, known: Mapping[str, Any], tick: int) -> dict[str, Any]:
    return {
        "customer_id": customer.customer_id,
        "body": customer.model_dump_json(exclude={"contacts"}, exclude_defaults=True),
        "contacts": canonical(contacts.declare(known, customer.contacts, tick)).decode(),
    }


def _known(session: Session, customer_ids: Collection[str]) -> dict[str, contacts.Contacts]:
    rows = session.rows(_CONTACTS, ids=listed(customer_ids))
    return {row[0]: orjson.loads(row[1]) for row in rows}


def contacts_of(session: Session, customer_id: str) -> contacts.Contacts:
    """Return what is declared and learned of the customer's channels."""
    return _known(session, [customer_id]).get(customer_id, {})


def learn(session: Session, lessons: Mapping[str, Mapping[str, contacts.Learned]]) -> None:
    """Keep what events taught of channels, by customer and channel."""
    known = _known(session, lessons)
    _keep(session, known, {who: contacts.learn(known.get(who, {}), lessons[who]) for who in lessons})


def learn_by_messages(
    session: Session, customer_id: str, lessons: Mapping[str, contacts.Learned]
) -> contacts.Contacts:
    """Keep what was learned by way of messages in place of what was before; return all that is known now."""
    known = {customer_id: contacts_of(session, customer_id)}
    made = contacts.learn_by_messages(known[customer_id], lessons)
    _keep(session, known, {customer_id: made})
    return made


def _keep(session: Session, known: Mapping[str, contacts.Contacts], made: Mapping[str, contacts.Contacts]) -> None:
    session.many(
        _LEARN,
        [
            {"customer_id": who, "body": _bare(who), "contacts": canonical(new).decode()}
            for who, new in made.items()
            if new != known.get(who, {})
        ],
    )


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


def customer(session: Session, customer_id: str) -> Customer | None:
    """Return the customer with the contact states that count, or None for one never heard of."""
    row = session.row(_CUSTOMER, who=customer_id)
    return customer_of(customer_id, row, orjson.loads(row[2])) if row else None


def preference(session: Session, customer_id: str) -> Preference | None:
    """Return the customer's own limits, or None where there are none."""
    row = session.row(_CUSTOMER, who=customer_id)
    return Preference.model_validate_json(row[3], context=STORED) if row and row[3] else None


def ids(session: Session, after: str) -> list[str]:
    """Return the customers whose id sorts after ``after``."""
    return [row[0] for row in session.rows(_IDS, after=after)]
