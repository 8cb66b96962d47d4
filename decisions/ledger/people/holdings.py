"""Everything the ledger holds of one customer, as plain rows: what an export is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import BigInteger, BindParameter, Table, bindparam, func, select

from decisions.ledger.people.erasure import OF_A_CUSTOMER
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import moment_or_none

if TYPE_CHECKING:
    from decisions.ledger.storage.session import Row, Session

Plain = dict[str, Any]

_WHO: BindParameter[Any] = bindparam("who")
_COUNTERS = frozenset({"seq", "after_audit", "pressure_id", "consent_id", "digest"})
"""Whole numbers that are not moments."""
_JSON = frozenset({"contacts", "body", "preference", "experiments", "about"})

_AS_ROWS = (
    schema.customer,
    schema.pressure,
    schema.alias,
    schema.exposure,
    schema.withheld,
    schema.outbox,
    schema.reaction,
    schema.open_event,
    schema.inbox,
)
_ROWS = {table.name: (table, select(table).where(table.c.customer_id == _WHO)) for table in _AS_ROWS}
_AUDIT = select(schema.audit).where(schema.audit.c.customer_id == _WHO).order_by(schema.audit.c.seq)
_DECISIONS = (
    select(
        schema.decision.c.state,
        schema.decision.c.confirmed_at,
        schema.decision.c.ended_at,
        schema.record.c.body,
        schema.record.c.frozen,
    )
    .join_from(schema.decision, schema.record, schema.decision.c.decision_id == schema.record.c.decision_id)
    .where(schema.decision.c.customer_id == _WHO)
    .order_by(schema.decision.c.decided_at, schema.decision.c.decision_id)
)
_COUNTS = {
    table.name: select(func.count()).select_from(table).where(table.c.customer_id == _WHO)
    for table in OF_A_CUSTOMER
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What the ledger holds of one customer.

    ``rows`` are the tables ``customer``, ``pressure``, ``alias``, ``exposure``, ``withheld``, ``outbox``,
    ``reaction``, ``open_event``, ``inbox`` and ``audit``; ``decisions`` the decisions as they were recorded, in
    their present state, each with the ``inputs`` it was made from, still frozen; ``counts`` how many rows each
    table has, the consent journal included. Moments are aware, in UTC.
    """

    rows: Mapping[str, tuple[Plain, ...]]
    decisions: tuple[Plain, ...]
    counts: Mapping[str, int]


def read(session: Session, customer_id: str) -> Holdings:
    """Read all of it in one state of the ledger."""
    rows = {
        name: tuple(_plain(table, row) for row in session.rows(statement, who=customer_id))
        for name, (table, statement) in _ROWS.items()
    }
    rows["audit"] = tuple(_plain(schema.audit, row) for row in session.rows(_AUDIT, who=customer_id))
    return Holdings(
        rows=rows,
        decisions=tuple(_decision(row) for row in session.rows(_DECISIONS, who=customer_id)),
        counts={name: _count(session.row(counted, who=customer_id)) for name, counted in _COUNTS.items()},
    )


def _plain(table: Table, row: Row) -> Plain:
    return {column.name: _value(column, value) for column, value in zip(table.c, row, strict=True)}


def _value(column: Any, value: Any) -> Any:
    if column.name in _JSON and value is not None:
        return orjson.loads(value)
    if isinstance(column.type, BigInteger) and column.name not in _COUNTERS:
        return moment_or_none(value)
    return value


def _decision(row: Row) -> Plain:
    state, confirmed_at, ended_at, body, frozen = row
    ends = {"confirmed_at": moment_or_none(confirmed_at), "ended_at": moment_or_none(ended_at)}
    return {**orjson.loads(body), "state": state, **ends, "inputs": bytes(frozen)}


def _count(row: Row | None) -> int:
    return int(row[0]) if row else 0
