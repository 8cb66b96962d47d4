"""Read what the ledger knows of customers: five statements, for one customer or for a block of thousands."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import orjson
from sqlalchemy import ColumnClause, Select, bindparam, func, literal_column, or_, select

from decisions.ledger.people.contacts import is_proxied, states_of
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros, moment, moment_or_none
from decisions.ledger.storage.session import Among, Row, Session, listed
from decisions.records import CustomerState, Exposure, Pressure
from features.contracts import Consent, Customer, Preference
from features.contracts.words import LOOK_BACK_DAYS, STORED
from features.vocabulary import PRESSURE_HALF_LIFE_DAYS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from features.contracts import Purpose

_customer, _consent, _pressure, _exposure, _withheld = (
    schema.customer.c,
    schema.consent.c,
    schema.pressure.c,
    schema.exposure.c,
    schema.withheld.c,
)
RESERVED: ColumnClause[Any] = literal_column("'reserved'")

_CUSTOMERS = select(_customer.customer_id, _customer.body, _customer.contacts, _customer.preference)
# Of two entries at the same moment the withdrawal counts: 'withdrawn' sorts after 'granted'.
_CONSENTS = select(
    _consent.customer_id, _consent.channel, _consent.purpose, _consent.status, _consent.at, _consent.source
).order_by(_consent.at, _consent.status, _consent.channel, _consent.purpose, _consent.source)
_PRESSURE = (
    select(
        _pressure.customer_id,
        _pressure.at,
        _pressure.channel,
        _pressure.purpose,
        _pressure.category,
        _pressure.offer_id,
        _pressure.campaign_id,
        _pressure.decision_id,
        func.coalesce(_pressure.guessed, _pressure.responded),
        _pressure.state,
        _pressure.expires_at,
        _pressure.value,
    )
    .where(or_(_pressure.at > bindparam("since"), _pressure.state == RESERVED))
    # Of one moment too, the order is that of what they are, not of when they were told.
    .order_by(
        _pressure.at,
        *(func.coalesce(each, literal_column("''")) for each in (_pressure.decision_id, _pressure.told_by)),
    )
)
_EXPOSURES = select(_exposure.customer_id, _exposure.offer_id, _exposure.last_converted, _exposure.held_back_until)
_WITHHELD = (
    select(_withheld.customer_id, _withheld.at)
    .where(_withheld.at > bindparam("since"))
    .order_by(_withheld.at, _withheld.decision_id)
)
_READS: tuple[tuple[Select[Any], Any], ...] = (
    (_CUSTOMERS, _customer.customer_id),
    (_CONSENTS, _consent.customer_id),
    (_PRESSURE, _pressure.customer_id),
    (_EXPOSURES, _exposure.customer_id),
    (_WITHHELD, _withheld.customer_id),
)
CONSENTS_OF_ONE = _CONSENTS.where(_consent.customer_id == bindparam("who"))
"""The journal of a customer in its order, as :func:`current_consents` and :func:`consent_of` read it."""
_ONE = tuple(read.where(column == bindparam("customer_id")) for read, column in _READS)
_MANY = tuple(read.where(Among(column, "customer_ids")) for read, column in _READS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How far the state looks back.

    It holds pressure of ``look_back``, and moments withheld of ``withheld`` (thirteen half-lives of pressure). A
    message known to have arrived counts as unanswered after ``answer_after``, unless a proxy opens this customer's
    mail on that channel.
    """

    look_back: timedelta = timedelta(days=LOOK_BACK_DAYS)
    answer_after: timedelta = timedelta(days=7)
    withheld: timedelta = timedelta(days=13 * PRESSURE_HALF_LIFE_DAYS)


@dataclass(slots=True)
class Facts:
    """The rows of one customer, as they were read."""

    customer: Row | None = None
    consents: list[Row] = field(default_factory=list)
    pressure: list[Row] = field(default_factory=list)
    exposures: list[Row] = field(default_factory=list)
    withheld: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Known:
    """A customer's state, and the decisions whose place has lapsed by now but is not yet freed."""

    state: CustomerState
    lapsed: tuple[str, ...]


def read_one(
    session: Session, customer_id: str, now: datetime, reading: Reading, *, without: str | None = None
) -> Known:
    """Return what is known of one customer; ``without`` names a decision whose message is left out."""
    since, not_before = micros(now - reading.look_back), micros(now - reading.withheld)
    customers, consents, pressure, exposures, withheld = _ONE
    facts = Facts(
        next(iter(session.rows(customers, customer_id=customer_id)), None),
        session.rows(consents, customer_id=customer_id),
        [row for row in session.rows(pressure, customer_id=customer_id, since=since) if _is_another(row, without)],
        session.rows(exposures, customer_id=customer_id),
        session.rows(withheld, customer_id=customer_id, since=not_before),
    )
    return _assemble(customer_id, facts, now, reading)


def read_many(
    session: Session, customer_ids: Collection[str], now: datetime, reading: Reading
) -> dict[str, Known]:
    """Return what is known of each customer, in the order asked."""
    ids, since = listed(customer_ids), micros(now - reading.look_back)
    customers, consents, pressure, exposures, withheld = _MANY
    facts: defaultdict[str, Facts] = defaultdict(Facts)
    for row in session.rows(customers, customer_ids=ids):
        facts[row[0]].customer = row
    for row in session.rows(consents, customer_ids=ids):
        facts[row[0]].consents.append(row)
    for row in session.rows(pressure, customer_ids=ids, since=since):
        facts[row[0]].pressure.append(row)
    for row in session.rows(exposures, customer_ids=ids):
        facts[row[0]].exposures.append(row)
    for row in session.rows(withheld, customer_ids=ids, since=micros(now - reading.withheld)):
        facts[row[0]].withheld.append(row)
    return {each: _assemble(each, facts[each], now, reading) for each in customer_ids}


def _assemble(customer_id: str, facts: Facts, now: datetime, reading: Reading) -> Known:
    tick = micros(now)
    contacts = orjson.loads(facts.customer[2]) if facts.customer else {}
    lapsed = tuple(row[7] for row in facts.pressure if _has_lapsed(row, tick))
    standing = [row for row in facts.pressure if not _has_lapsed(row, tick)] if lapsed else facts.pressure
    ripe = micros(now - reading.answer_after)
    state = CustomerState(
        customer=customer_of(customer_id, facts.customer, contacts),
        known=facts.customer is not None or bool(facts.consents),
        consents=current_consents(customer_id, facts.consents, tick),
        preference=_preference_of(facts.customer),
        pressure=tuple(_pressure_of(row, contacts, ripe) for row in standing),
        exposures=_exposures_of(facts.exposures, standing),
        held_back={row[1]: moment(row[3]) for row in facts.exposures if row[3] and row[3] > tick},
        withheld=tuple(moment(row[1]) for row in facts.withheld),
    )
    return Known(state, lapsed)


def _is_another(row: Row, decision_id: str | None) -> bool:
    return decision_id is None or row[7] != decision_id


def _has_lapsed(row: Row, tick: int) -> bool:
    return bool(row[9] == "reserved" and row[10] <= tick)


def customer_of(customer_id: str, row: Row | None, contacts: Mapping[str, Any]) -> Customer:
    """Return the contract of a stored row, or of a customer of whom nothing is known."""
    if row is None:
        return Customer.model_construct(customer_id=customer_id)
    return Customer.model_validate({**orjson.loads(row[1]), "contacts": states_of(contacts)}, context=STORED)


def current_consents(customer_id: str, rows: Iterable[Row], tick: int) -> tuple[Consent, ...]:
    """Return the latest entry per channel and purpose of rows in journal order.

    A grant dated in the future does not count yet; a withdrawal counts as soon as it is known. Evidence stays
    in the journal: it may be personal, and no decision needs it.
    """
    latest: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row[3] == "withdrawn" or row[4] <= tick:
            latest[row[1], row[2]] = row
    return tuple(consent_of(customer_id, row) for row in latest.values())


def consent_of(customer_id: str, row: Row) -> Consent:
    """Return a row of the journal as an entry without its evidence."""
    return Consent.model_construct(
        customer_id=customer_id,
        channel=row[1],
        purpose=cast("Purpose", row[2]),
        status=row[3],
        at=moment(row[4]),
        source=row[5],
        evidence=None,
    )


def _preference_of(row: Row | None) -> Preference | None:
    return Preference.model_validate_json(row[3], context=STORED) if row and row[3] else None


def _pressure_of(row: Row, contacts: Mapping[str, Any], ripe: int) -> Pressure:
    reserved = row[9] == "reserved"
    return Pressure(
        at=moment(row[1]),
        channel=row[2],
        purpose=row[3],
        category=row[4],
        offer_id=row[5],
        campaign_id=row[6],
        decision_id=row[7],
        responded=_responded(row, contacts, ripe),
        until=moment(row[10]) if reserved else None,
        value=row[11] if reserved else None,
    )


def _responded(row: Row, contacts: Mapping[str, Any], ripe: int) -> bool | None:
    """Silence is an answer only where a reaction could have been seen: the message arrived, by ``ripe``."""
    if row[8] is None or row[8] == 1:
        return True if row[8] else None
    return False if row[1] <= ripe and not is_proxied(contacts, row[2]) else None


def _exposures_of(rows: Sequence[Row], standing: Sequence[Row]) -> tuple[Exposure, ...]:
    sent = {row[5]: row[1] for row in standing if row[5]}  # in order of time: the last one stays
    converted = {row[1]: row[2] for row in rows if row[2]}
    return tuple(
        Exposure(
            offer_id=offer,
            last_sent=moment_or_none(sent.get(offer)),
            last_converted=moment_or_none(converted.get(offer)),
        )
        for offer in sorted(sent.keys() | converted.keys())
    )
