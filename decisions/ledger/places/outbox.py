"""The outbox: what is due waits for the sender, is lent, and comes again until it is acknowledged.

A customer's messages go in order: while one is lent and neither acknowledged nor over, the next one waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BindParameter, Select, and_, bindparam, delete, exists, literal_column, or_, select, update

from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import decision_from_json, micros, moment
from decisions.ledger.storage.session import Among, listed
from decisions.ledger.verdicts import Acknowledged, Leased, Lent, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime, timedelta

    from decisions.ledger.storage.session import Database, Session
    from decisions.records import DecisionState

    Permit = Callable[[Session, str, datetime], Verdict]

BLOCK = 200
"""Confirms in one transaction: each is a handful of statements, and other writers wait meanwhile."""
SHARED = ("outbox",)
"""What senders that lease at the same moment must not do together, whosever messages they are."""

_outbox, _decision, _record = schema.outbox.c, schema.decision.c, schema.record.c
_before = schema.outbox.alias("before")
_theirs = schema.decision.alias("theirs")
_TICK: BindParameter[Any] = bindparam("tick")

_IS_THE_CUSTOMERS_EARLIER = (
    _before.c.customer_id == _outbox.customer_id,
    _before.c.due_at <= _outbox.due_at,
    or_(_before.c.due_at < _outbox.due_at, _before.c.decision_id < _outbox.decision_id),
)
_IS_LENT_BEFORE = exists(
    select(literal_column("1")).where(
        *_IS_THE_CUSTOMERS_EARLIER,
        _before.c.leased_until > _TICK,
        _before.c.expires_at > _TICK,
    )
)
# A confirmed one comes again only where it was lent: the answer that carried it may have been lost. Where the
# permission was given to somebody who never leased it, that sender has it, and a second must not.
_IS_OPEN = or_(
    _decision.state == literal_column("'reserved'"),
    and_(_decision.state == literal_column("'confirmed'"), _outbox.leased_until > literal_column("0")),
)


def _due(*columns: Any) -> Select[Any]:
    return (
        select(_outbox.due_at, _outbox.decision_id, *columns)
        .select_from(schema.outbox)
        .join(schema.decision, _decision.decision_id == _outbox.decision_id)
        .where(
            _outbox.due_at <= _TICK,
            _outbox.expires_at > _TICK,
            _outbox.leased_until <= _TICK,
            _IS_OPEN,
            ~_IS_LENT_BEFORE,
        )
        .order_by(_outbox.due_at, _outbox.decision_id)
    )


_LINES = _due(_record.body, _decision.state).join(schema.record, _record.decision_id == _outbox.decision_id)
# Where rows have locks: what a customer's writer is just changing is left for the next round, not waited for: two
# that wait for each other's rows would never end. Customers who are locked themselves have no other writer.
DUE = _LINES.limit(bindparam("at_most")).with_for_update(of=schema.outbox, skip_locked=True)
# An earlier message of the customer that came free only after the page it would have stood on was read.
_IS_PASSED_OVER = exists(
    select(literal_column("1"))
    .select_from(_before)
    .join(_theirs, _theirs.c.decision_id == _before.c.decision_id)
    .where(
        *_IS_THE_CUSTOMERS_EARLIER,
        _before.c.leased_until <= _TICK,
        _before.c.expires_at > _TICK,
        _theirs.c.state == literal_column("'reserved'"),
        ~Among(_before.c.decision_id, "settled"),
    )
)
_STILL_DUE = _LINES.where(Among(_outbox.decision_id, "ids"), ~_IS_PASSED_OVER)
CANDIDATES = (
    _due(_outbox.customer_id)
    .where(
        _outbox.due_at >= bindparam("last_due"),
        or_(_outbox.due_at > bindparam("last_due"), _outbox.decision_id > bindparam("last_id")),
    )
    .limit(bindparam("at_most"))
)
_LEASE = update(schema.outbox).where(Among(_outbox.decision_id, "ids")).values(leased_until=bindparam("until"))
_OVER = delete(schema.outbox).where(
    _outbox.decision_id.in_(
        select(_outbox.decision_id)
        .where(_outbox.due_at <= _TICK, _outbox.expires_at <= _TICK)
        .with_for_update(skip_locked=True)
    )
)
_WAITING = select(_outbox.decision_id).where(Among(_outbox.decision_id, "ids"))
_MADE = select(_decision.decision_id, _decision.customer_id).where(Among(_decision.decision_id, "ids"))
_ACKNOWLEDGE = delete(schema.outbox).where(Among(_outbox.decision_id, "ids"))


class _Line(NamedTuple):
    """A message that is due, as it was recorded, and the state it is in."""

    due_at: int
    decision_id: str
    body: bytes
    state: DecisionState


class _Candidate(NamedTuple):
    """A message that looked due before anybody was locked."""

    due_at: int
    decision_id: str
    customer_id: str


class Outbox:
    """Messages that are due, for senders that ask for work."""

    def __init__(self, database: Database, permit: Permit) -> None:
        self._database = database
        self._permit = permit

    def lend(self, limit: int, now: datetime, ttl: timedelta, *, confirm: bool = False) -> Lent:
        """Lend at most ``limit`` messages that are due to one sender until ``now + ttl``, oldest first.

        At least once: what is not acknowledged comes again after ``ttl``; ``decision_id`` is the sender's
        idempotency key. What was released, withdrawn or has expired is no longer lent. With ``confirm`` each is
        confirmed in the transaction that lends it: for a sender that sends at once. A refused one is not lent.
        """
        until = moment(micros(now + ttl))
        if confirm:
            return self._lend_permitted(limit, now, until)
        with self._database.writing((), shared=SHARED) as session:
            session.run(_OVER, tick=micros(now))
            lines = [_Line(*row) for row in session.rows(DUE, tick=micros(now), at_most=limit)]
            return Lent(leased=_lease(session, lines, until))

    def _lend_permitted(self, limit: int, now: datetime, until: datetime) -> Lent:
        lent, last = Lent(), _Candidate(0, "", "")
        while (missing := limit - len(lent.leased)) > 0:
            found = self._candidates(now, min(missing, BLOCK), last)
            if not found:
                break
            # What an earlier page could not have, since another sender did, may have come free: not settled.
            settled = {each.decision_id for each in found} | {each.decision_id for each in lent.refused}
            lent, last = lent + self._lend_block(found, now, until, settled), found[-1]
        return lent

    def _candidates(self, now: datetime, limit: int, last: _Candidate) -> list[_Candidate]:
        """Whom to lock for what looks due; under the lock it is looked at again."""
        with self._database.reading() as session:
            rows = session.rows(
                CANDIDATES, tick=micros(now), at_most=limit, last_due=last.due_at, last_id=last.decision_id
            )
        return [_Candidate(*row) for row in rows]

    def _lend_block(
        self, found: Sequence[_Candidate], now: datetime, until: datetime, settled: Collection[str]
    ) -> Lent:
        ids = listed([each.decision_id for each in found])
        with self._database.writing({each.customer_id for each in found}, shared=SHARED) as session:
            session.run(_OVER, tick=micros(now))
            due = session.rows(_STILL_DUE, tick=micros(now), ids=ids, settled=listed(settled))
            lines = [_Line(*row) for row in due]
            asked = [self._permit(session, each.decision_id, now) for each in lines if each.state == "reserved"]
            refused = {each.decision_id: each for each in asked if each.status == "refused"}
            going = [each._replace(state="confirmed") for each in lines if each.decision_id not in refused]
            return Lent(leased=_lease(session, going, until), refused=tuple(refused.values()))

    def acknowledge(self, decision_ids: Collection[str]) -> list[Acknowledged]:
        """Take messages out of the outbox for good; what was taken out before is no error."""
        ids = listed(decision_ids)
        with self._database.reading() as session:
            made: dict[str, str] = {row[0]: row[1] for row in session.rows(_MADE, ids=ids)}
        with self._database.writing(set(made.values()), shared=SHARED) as session:
            waiting = {row[0] for row in session.rows(_WAITING, ids=ids)}
            session.run(_ACKNOWLEDGE, ids=ids)
        return [_acknowledged(each, waiting, made) for each in decision_ids]


def _lease(session: Session, lines: Iterable[_Line], until: datetime) -> tuple[Leased, ...]:
    leased = tuple(
        Leased(decision=decision_from_json(each.body, each.state), leased_until=until) for each in lines
    )
    session.run(_LEASE, ids=listed([each.decision.decision_id for each in leased]), until=micros(until))
    return leased


def _acknowledged(decision_id: str, waiting: Collection[str], made: Collection[str]) -> Acknowledged:
    if decision_id in waiting:
        return Acknowledged(decision_id=decision_id, status="acknowledged")
    return Acknowledged(
        decision_id=decision_id, status="not_waiting" if decision_id in made else "unknown_decision"
    )
