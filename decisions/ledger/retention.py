"""How the ledger forgets what is too old to be kept, a block at a time, and never what it still decides by.

What belongs together goes together: a decision leaves with its record, its place, its line in the outbox and its
entries in the audit, so that what stays is whole. Not ended yet, or within the time that caps look back over, it
stays, whatever a retention says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, Table, and_, bindparam, delete, func, literal_column, not_, or_, select
from sqlalchemy.sql import exists

from decisions.ledger.events.effects import EFFECTIVE
from decisions.ledger.events.open_events import NAMED, REACTIONS
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.sql.base import Executable

    from decisions.ledger.places.state import Reading
    from decisions.ledger.storage.session import Database, Row, Session

BLOCK = 500
"""Rows in one transaction, so that nobody waits long for the lock."""

_decision, _pressure, _inbox, _audit = schema.decision.c, schema.pressure.c, schema.inbox.c, schema.audit.c
_alias, _open = schema.alias.c, schema.open_event.c
_exposure, _outbox, _reaction, _lease = schema.exposure.c, schema.outbox.c, schema.reaction.c, schema.lease.c
_withheld = schema.withheld.c

_BEFORE: Any = bindparam("before")
_SEEN_FROM: Any = bindparam("seen_from")
"""Where the time begins that the state of a customer looks back over."""


def _word(text: str) -> ColumnElement[Any]:
    return literal_column(f"'{text}'")


def _decided(action: str) -> ColumnElement[bool]:
    """Decisions whose end is long over, and whose message, if one went, is beyond the time looked back over."""
    counts = exists().where(_pressure.decision_id == _decision.decision_id, _pressure.at >= _SEEN_FROM)
    return and_(
        _decision.action == _word(action),
        _decision.state != _word("reserved"),
        _decision.decided_at < _BEFORE,
        func.coalesce(_decision.expires_at, literal_column("0")) < _BEFORE,
        not_(counts),
    )


# A second arrival of what bears on decisions must stay known for as long as the first one's effect is looked at.
_FORGETTABLE = or_(_inbox.occurred_at < _SEEN_FROM, _inbox.type.not_in([_word(each) for each in EFFECTIVE]))
_OF_A_DECISION = exists().where(_decision.decision_id == _audit.decision_id)


@dataclass(frozen=True, slots=True)
class Rule:
    """Which rows of a table may go: ``key`` finds them, ``owner`` is whom to lock (None: shared by all)."""

    table: Table
    key: Any
    old: ColumnElement[bool]
    owner: Any = None


RULES: Mapping[str, Rule] = {
    "holds": Rule(schema.decision, _decision.decision_id, _decided("hold"), _decision.customer_id),
    "sends": Rule(schema.decision, _decision.decision_id, _decided("send"), _decision.customer_id),
    "foreign_pressure": Rule(
        schema.pressure,
        _pressure.pressure_id,
        and_(_pressure.at < _BEFORE, _pressure.at < _SEEN_FROM, _pressure.decision_id.is_(None)),
        _pressure.customer_id,
    ),
    "inbox": Rule(
        schema.inbox,
        _inbox.event_id,
        and_(_inbox.received_at < _BEFORE, _inbox.drained == literal_column("1"), _FORGETTABLE),
        _inbox.customer_id,
    ),
    "exposures": Rule(
        schema.exposure,
        _exposure.customer_id,
        and_(
            func.coalesce(_exposure.last_converted, literal_column("0")) < _BEFORE,
            func.coalesce(_exposure.last_converted, literal_column("0")) < _SEEN_FROM,  # cooldowns look at it
            func.coalesce(_exposure.held_back_until, literal_column("0")) < _BEFORE,
        ),
        _exposure.customer_id,
    ),
    # Not with its decision, which may go before: the interval's clock still looks at the moment.
    "withheld": Rule(
        schema.withheld,
        _withheld.decision_id,
        and_(_withheld.at < _BEFORE, _withheld.at <= bindparam("withheld_from")),
        _withheld.customer_id,
    ),
    "outbox": Rule(schema.outbox, _outbox.decision_id, _outbox.expires_at < _BEFORE, _outbox.customer_id),
    "reactions": Rule(schema.reaction, _reaction.customer_id, _reaction.at < _BEFORE, _reaction.customer_id),
    "guesses": Rule(
        schema.open_event,
        _open.event_id,
        and_(
            _open.at < _BEFORE,
            _open.occurred_at < _SEEN_FROM,
            _open.type.in_([_word(each) for each in sorted(REACTIONS)]),
            _open.body.not_like(literal_column(f"'{NAMED}%'")),
        ),
        _open.customer_id,
    ),
    "audit": Rule(schema.audit, _audit.seq, and_(_audit.at < _BEFORE, not_(_OF_A_DECISION)), _audit.customer_id),
    "leases": Rule(schema.lease, _lease.lease_id, _lease.until < _BEFORE),
    "allowances": Rule(schema.allowance, schema.allowance.c.day, schema.allowance.c.day < bindparam("before_day")),
}
"""What a retention can be named for. Consents, customers, tombstones, versions and keys are not among them."""

_WITH_A_DECISION = (schema.record, schema.pressure, schema.outbox, schema.audit, schema.decision)
"""What leaves with a decision, the decision last."""


class _Statements(NamedTuple):
    counted: Select[Any]
    block: Select[Any]
    deletes: tuple[Executable, ...]


_UNNAMED = delete(schema.alias).where(_alias.customer_id == bindparam("who"))
_DELETES: Mapping[Table, tuple[Executable, ...]] = {
    schema.pressure: (_UNNAMED.where(_alias.pressure_id == bindparam("key")),),
    schema.decision: (
        _UNNAMED.where(
            _alias.pressure_id.in_(select(_pressure.pressure_id).where(_pressure.decision_id == bindparam("key")))
        ),
    ),
}
"""What goes before: the names of a message that is forgotten."""


def _write(rule: Rule) -> _Statements:
    owner = _word("") if rule.owner is None else rule.owner
    block = select(rule.key, owner).where(rule.old, rule.key > bindparam("after")).order_by(rule.key).distinct()
    return _Statements(
        counted=select(func.count()).select_from(rule.table).where(rule.old),
        block=block.limit(bindparam("at_most")),
        deletes=_DELETES.get(rule.table, ())
        + (_of_decisions() if rule.table is schema.decision else (_of(rule),)),
    )


def _of(rule: Rule) -> Executable:
    return delete(rule.table).where(rule.old, rule.key == bindparam("key"))


def _of_decisions() -> tuple[Executable, ...]:
    """Return the deletes of one decision. The audit is indexed by customer, so it is asked for both."""
    return tuple(_of_decision(table, of_customer=table is schema.audit) for table in _WITH_A_DECISION)


def _of_decision(table: Table, *, of_customer: bool) -> Executable:
    found = delete(table).where(table.c.decision_id == bindparam("key"))
    return found.where(table.c.customer_id == bindparam("who")) if of_customer else found


_STATEMENTS = {name: _write(rule) for name, rule in RULES.items()}


class Retaining:
    """Forgets what is old, by the names of :data:`RULES`."""

    def __init__(self, database: Database, *, reading: Reading) -> None:
        self._database = database
        self._reading = reading

    def count(self, name: str, before: datetime, now: datetime) -> int:
        """Return how many rows :meth:`forget` would find."""
        with self._database.reading() as session:
            row = session.row(_STATEMENTS[name].counted, **self._bounds(before, now))
        return int(row[0]) if row else 0

    def forget(self, name: str, before: datetime, now: datetime) -> int:
        """Delete the rows called ``name`` that are over since ``before``, a block in each transaction.

        Returns:
            How many rows went; what leaves along with a decision is not counted.
        """
        bounds, gone = self._bounds(before, now), 0
        after: str | int = -1 if RULES[name].key.type.python_type is int else ""
        while block := self._old(name, after=after, **bounds):
            with self._database.writing({owner for _, owner in block if owner}) as session:
                gone += _delete(session, name, block, after=after, **bounds)
            after = block[-1][0]
        return gone

    def _old(self, name: str, **values: object) -> list[Row]:
        with self._database.reading() as session:
            return session.rows(_STATEMENTS[name].block, at_most=BLOCK, **values)

    def _bounds(self, before: datetime, now: datetime) -> dict[str, object]:
        return {
            "before": micros(before),
            "before_day": before.date().isoformat(),
            "seen_from": micros(now - self._reading.look_back),
            "withheld_from": micros(now - self._reading.withheld),
        }


def _delete(session: Session, name: str, locked: Sequence[Row], **values: object) -> int:
    """Delete what of the locked block is still old: between finding and locking it, it may have changed."""
    known, still = set(locked), session.rows(_STATEMENTS[name].block, at_most=BLOCK, **values)
    rows = [{**values, "key": key, "who": who} for key, who in still if (key, who) in known]
    return [session.many(statement, rows) for statement in _STATEMENTS[name].deletes][-1]
