"""One serialised transaction: the state is read, the decision made and its place reserved under one lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, insert, literal_column, select
from sqlalchemy.dialects import postgresql

from decisions.ledger.people.erasure import buried
from decisions.ledger.places import budgets, lifecycle, rows
from decisions.ledger.places.state import Known, Reading, read_many, read_one
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import decision_from_json, micros
from decisions.ledger.storage.errors import LeaseLost, RequestConflict, UnlockedCustomer
from decisions.ledger.storage.session import Among, Session, listed
from decisions.ledger.verdicts import Recording

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from decisions.ledger.places.budgets import Lease
    from decisions.records import CustomerState, Decision

_decision, _record = schema.decision, schema.record
_REQUESTS = select(_decision.c.request_id, _record.c.body, _decision.c.state, _decision.c.body_hash).join_from(
    _decision, _record, _decision.c.decision_id == _record.c.decision_id
)
_ONE_REQUEST = _REQUESTS.where(_decision.c.request_id == bindparam("request_id"))
_SOME_REQUESTS = _REQUESTS.where(Among(_decision.c.request_id, "request_ids"))

# `postgresql.insert` writes ON CONFLICT as SQLite reads it too; its SQLite twin compiles for SQLite alone.
_DECIDE = postgresql.insert(_decision).on_conflict_do_nothing(index_elements=[_decision.c.request_id])
_DECIDE = _DECIDE.values(
    {c.name: bindparam(c.name) for c in _decision.c if c.name not in {"confirmed_at", "ended_at"}}
)
_KEEP = insert(_record)
_RESERVE = insert(schema.pressure).values(
    {
        c.name: bindparam(c.name)
        for c in schema.pressure.c
        if c.name not in {"pressure_id", "message_id", "responded", "guessed", "told_at", "told_by"}
    }
)
_OFFER = insert(schema.outbox)
_WITHHOLD = insert(schema.withheld)
_AUDIT = insert(schema.audit).values({c.name: bindparam(c.name) for c in schema.audit.c if c.name != "seq"})
_hold_back = postgresql.insert(schema.exposure).values(
    {name: bindparam(name) for name in ("customer_id", "offer_id", "held_back_until")}
)
_HOLD_BACK = _hold_back.on_conflict_do_update(
    index_elements=[schema.exposure.c.customer_id, schema.exposure.c.offer_id],
    set_={"held_back_until": _hold_back.excluded.held_back_until},
)
_LAST_AUDIT = select(func.coalesce(func.max(schema.audit.c.seq), literal_column("0")))


class Transaction:
    """What may be done under the lock of the customers it was opened for."""

    __slots__ = ("_customer_ids", "_key", "_reading", "_session")

    def __init__(
        self, session: Session, customer_ids: Collection[str], reading: Reading, *, key: bytes | None = None
    ) -> None:
        self._session = session
        self._customer_ids = frozenset(customer_ids)
        self._reading = reading
        self._key = key

    def erased(self, customer_ids: Collection[str]) -> set[str]:
        """Return those of the customers who were erased: nothing may be decided about them."""
        return buried(self._session, self._key, customer_ids)

    def state(self, customer_id: str, now: datetime) -> CustomerState:
        """Return what bears on a decision, after freeing the places that lapsed by ``now``."""
        return self._without_lapsed(read_one(self._session, customer_id, now, self._reading), now)

    def states(self, customer_ids: Collection[str], now: datetime) -> dict[str, CustomerState]:
        """Return :meth:`state` of many customers in one read."""
        known = read_many(self._session, customer_ids, now, self._reading)
        return {each: self._without_lapsed(found, now) for each, found in known.items()}

    def _without_lapsed(self, known: Known, now: datetime) -> CustomerState:
        if known.lapsed:
            customer_id = known.state.customer.customer_id
            lifecycle.end_all(self._session, customer_id, known.lapsed, "expired", micros(now))
        return known.state

    def find_request(self, request_id: str) -> tuple[Decision, str] | None:
        """Return the decision a request was answered with, in its present state, and the hash of its body."""
        row = self._session.row(_ONE_REQUEST, request_id=request_id)
        return (decision_from_json(row[1], row[2]), row[3]) if row else None

    def find_requests(self, request_ids: Collection[str]) -> dict[str, tuple[Decision, str]]:
        """Return :meth:`find_request` of every request that was answered before."""
        found = self._session.rows(_SOME_REQUESTS, request_ids=listed(request_ids))
        return {row[0]: (decision_from_json(row[1], row[2]), row[3]) for row in found}

    def spend(self, lease: Lease, places: int, now: datetime) -> None:
        """Spend places of a shared budget together with what else this transaction writes.

        Raises:
            LeaseLost: where the lease has run out or has too few left. The transaction must then be left.
        """
        if not budgets.spend(self._session, lease.lease_id, places, micros(now)):
            raise LeaseLost(lease.channel)

    def record(self, decision: Decision, *, body_hash: str, frozen: bytes) -> Decision:
        """Write the decision, its record, its place or what it withheld, its line in the outbox and in the audit.

        Returns:
            The decision that stands: this one, or, where the same request was answered before, that one.

        Raises:
            RequestConflict: where the request id was answered for another body.
            DuplicateDecision: where the decision id is taken.
            PlaceGone: where it displaces a decision that holds no reserved place. Leave the transaction then.
            UnlockedCustomer: where the transaction was opened for somebody else.
        """
        self._refuse_strangers([decision])
        recording = Recording(decision=decision, body_hash=body_hash, frozen=frozen)
        if self._session.run(_DECIDE, **rows.decision_row(recording)):
            self._write_around(recording)
            return decision
        found = self.find_request(decision.request_id)
        if found is None or found[1] != body_hash:
            raise RequestConflict(decision.request_id)
        return found[0]

    def _write_around(self, recording: Recording) -> None:
        decision, run = recording.decision, self._session.run
        lifecycle.displace(self._session, decision)
        run(_KEEP, **rows.record_row(recording))
        if decision.action == "send":
            run(_RESERVE, **rows.place_row(decision))
            run(_OFFER, **rows.outbox_row(decision))
        elif held_back := rows.holdback_row(decision):
            run(_HOLD_BACK, **held_back)
        if withheld := rows.withheld_row(decision):
            run(_WITHHOLD, **withheld)
        run(_AUDIT, **rows.audit_row(decision))

    def record_many(self, recordings: Sequence[Recording]) -> None:
        """Write a block of new decisions, one statement per table.

        Raises:
            RequestConflict: where a request id of the block is taken; look them up with :meth:`find_requests`
                first. The whole transaction must then be left: leaving it with the error undoes it.
            PlaceGone: as :meth:`record`.
        """
        decisions = [each.decision for each in recordings]
        self._refuse_strangers(decisions)
        sends = [each for each in decisions if each.action == "send"]
        held_back = [row for row in map(rows.holdback_row, decisions) if row]
        withheld = [row for row in map(rows.withheld_row, decisions) if row]
        if self._session.many(_DECIDE, [rows.decision_row(each) for each in recordings]) != len(recordings):
            raise RequestConflict(self._first_taken(recordings))
        for each in decisions:
            lifecycle.displace(self._session, each)
        self._session.many(_KEEP, [rows.record_row(each) for each in recordings])
        self._session.many(_RESERVE, [rows.place_row(each) for each in sends])
        self._session.many(_OFFER, [rows.outbox_row(each) for each in sends])
        self._session.many(_HOLD_BACK, held_back)
        self._session.many(_WITHHOLD, withheld)
        self._session.many(_AUDIT, [rows.audit_row(each) for each in decisions])

    def _refuse_strangers(self, decisions: Iterable[Decision]) -> None:
        for each in decisions:
            if each.customer_id not in self._customer_ids:
                raise UnlockedCustomer(each.decision_id)

    def _first_taken(self, recordings: Sequence[Recording]) -> str:
        """Name a request of the block that another decision answers (or the first, if the block repeats one)."""
        ours = {each.decision.request_id: each.decision.decision_id for each in recordings}
        found = self.find_requests(list(ours))
        taken = (name for name, (other, _) in found.items() if other.decision_id != ours[name])
        return next(taken, recordings[0].decision.request_id)


def last_audit(session: Session) -> int:
    """Return the number of the last entry: whatever is written now was known to all that follows it.

    Numbers order what happened to one customer, and nothing else is asked of them. Under the customer's lock all
    earlier entries of theirs are committed, and so not above this number; all later ones are drawn after it from a
    sequence that only rises, and so above it. Other customers' numbers may be drawn and not yet visible.
    """
    row = session.row(_LAST_AUDIT)
    return int(row[0]) if row else 0
