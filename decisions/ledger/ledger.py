"""The ledger: one object in front of the store, one method for each thing that may be done with it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from sqlalchemy.dialects import postgresql

from decisions.blocks import blocks
from decisions.ledger import reading
from decisions.ledger.events import inbox, incoming, loading, meaning, recent
from decisions.ledger.keys import Keyring
from decisions.ledger.people import customers, erasure, journal
from decisions.ledger.people.evidence import Evidence, Seal
from decisions.ledger.people.privacy import Privacy
from decisions.ledger.people.wishes import Wishes
from decisions.ledger.places import lifecycle, protocol
from decisions.ledger.places.budgets import Budgets
from decisions.ledger.places.outbox import Outbox
from decisions.ledger.places.state import Reading, read_many
from decisions.ledger.places.transaction import Transaction
from decisions.ledger.retention import Retaining
from decisions.ledger.storage import migrate, schema
from decisions.ledger.storage.codec import EPOCH, micros
from decisions.ledger.storage.errors import CustomerErased
from decisions.ledger.storage.session import Database
from decisions.ledger.trail import INSTALLATION, Trail, tick_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    import pyarrow as pa

    from decisions.ledger.storage.dialect import Synchronous
    from decisions.ledger.storage.session import Session
    from decisions.ledger.verdicts import EventVerdict, Guard, Leased, Loaded, Moment, Verdict
    from decisions.records import CustomerState, Decision
    from decisions.worth.told import Told
    from features.contracts import Consent, Customer, Event, Preference

BLOCK = 500
"""Items of a bulk call in one transaction, so that no caller holds the write lock for long."""

_KEEP = postgresql.insert(schema.version).on_conflict_do_nothing()
_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


class Ledger:
    """Decisions, places, pressure, consents and events of all customers, in one SQL store.

    Safe to share between threads; any number of processes may open the same ledger. Every method is one
    transaction (bulk methods: one per block) and either happens as a whole or leaves no trace. Moments are
    aware datetimes; the ledger itself reads no clock.
    """

    def __init__(
        self,
        database: Database,
        *,
        reading: Reading,
        early: timedelta,
        key: bytes | None,
        guard: Guard | None,
        seal: Seal,
    ) -> None:
        self._database = database
        self._reading = reading
        self._terms = protocol.Terms(early=early, reading=reading, guard=guard)
        self._key = key
        self._seal = seal
        self.budgets = Budgets(database)
        self.keys = Keyring(database)
        self.trail = Trail(database)
        self.outbox = Outbox(database, self._permit)
        self.wishes = Wishes(database, seal, key)
        self.evidence = Evidence(database, seal)
        self.privacy = Privacy(database, key=key)
        self.retaining = Retaining(database, reading=reading)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        synchronous: Synchronous = "full",
        reading: Reading | None = None,
        early: timedelta = timedelta(minutes=1),
        key: bytes | None = None,
        guard: Guard | None = None,
        seal: Seal | None = None,
    ) -> Self:
        """Open the ledger at ``url``, making its folder and bringing its schema to this version where needed.

        Args:
            url: ``sqlite:///path/ledger.db`` or ``postgresql://user@host/database`` (see docs/ledger.md).
            synchronous: ``full`` waits for the disk at every commit, so that an acknowledged decision survives
                a power cut as well. ``normal`` is about five times faster and survives the death of every
                process, but a power cut may take the last moments with it.
            reading: How far back the state looks.
            early: How long before ``send_at`` a confirm is not yet too early: clocks differ.
            key: Secret for the tombstones of erased customers. Without one, or with another than before, a late
                event is taken as a new customer's.
            guard: Asked by every confirm, under the customer's lock, whether the policy of now lets the message
                go (``runtime.guard``). Without one, consent, contact, wishes and the window are looked at alone.
            seal: Keys of the consents' evidence. Without them evidence is refused, and what is sealed stays so.

        Raises:
            LedgerUnavailable: where the store cannot be opened, or the url names none that can keep a ledger.
        """
        database = Database(url, synchronous=synchronous)
        try:
            migrate.to_head(database)
        except BaseException:
            database.close()
            raise
        return cls(
            database,
            reading=reading or Reading(),
            early=early,
            key=key,
            guard=guard,
            seal=seal or Seal(),
        )

    def close(self) -> None:
        """Close every connection. What was committed stays."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Deciding

    @contextmanager
    def transaction(self, customer_id: str) -> Iterator[Transaction]:
        """Lend a serialised write transaction on one customer: it commits at the end, or leaves no trace."""
        with self.transaction_many((customer_id,)) as transaction:
            yield transaction

    @contextmanager
    def transaction_many(self, customer_ids: Collection[str]) -> Iterator[Transaction]:
        """Lend one on many customers, for deciding a block. Keep blocks short: other writers wait."""
        with self._database.writing(customer_ids) as session:
            yield Transaction(session, customer_ids, self._reading, key=self._key)

    def states(self, customer_ids: Collection[str], now: datetime) -> dict[str, CustomerState]:
        """Return the state of many customers without locking them: for looking, not for deciding."""
        with self._database.reading() as session:
            known = read_many(session, customer_ids, now, self._reading)
        return {each: found.state for each, found in known.items()}

    def keep(self, kind: str, version: str, content: bytes, *, now: datetime | None = None) -> None:
        """Keep what a version of a policy or catalogue says; keeping it again changes nothing.

        ``now`` is for the audit; by default the moment of the entry before.
        """
        with self._database.writing(()) as session:
            if session.run(_KEEP, kind=kind, version=version, content=content):
                lifecycle.audit(session, INSTALLATION, f"{kind}_kept", tick_of(session, now), why=version)

    def content(self, kind: str, version: str) -> bytes | None:
        """Return what a version said, or None for one that was never kept."""
        with self._database.reading() as session:
            return reading.content(session, kind, version)

    def newest(self, kind: str) -> str | None:
        """Return the last version of its kind, by name, or None where none was ever kept."""
        with self._database.reading() as session:
            return reading.newest(session, kind)

    # The send protocol

    def confirm(self, decision_id: str, now: datetime) -> Verdict:
        """Give permission to send, asked right before sending; it is given at most once.

        Consent, hard bounce, the customer's pause and channels, displacement and the window
        ``send_at ≤ now < expires_at`` are looked at again, and everything the guard looks at: caps, gaps, quiet
        hours. A refusal never raises: its ``code`` says why. One that names a later moment leaves the decision
        reserved; one that leaves no moment before it expires ends it.
        """
        return self.confirm_many((decision_id,), now)[0]

    def confirm_many(self, decision_ids: Sequence[str], now: datetime) -> list[Verdict]:
        """Return the verdict of each confirm, in order; a decision named twice is confirmed once."""
        return self._each(decision_ids, lambda session, key: self._permit(session, key, now))

    def _permit(self, session: Session, decision_id: str, now: datetime) -> Verdict:
        return protocol.confirm(session, decision_id, now, terms=self._terms)

    def release(self, decision_id: str, now: datetime, *, reason: str = "") -> Verdict:
        """Give an unconfirmed place back. Releasing it again is no error and changes nothing."""
        return self.release_many((decision_id,), now, reason=reason)[0]

    def release_many(self, decision_ids: Sequence[str], now: datetime, *, reason: str = "") -> list[Verdict]:
        """Return the verdict of each release, in order."""
        return self._each(decision_ids, lambda session, key: protocol.release(session, key, now, reason=reason))

    def _each(self, decision_ids: Sequence[str], act: Callable[[Session, str], Verdict]) -> list[Verdict]:
        verdicts: list[Verdict] = []
        for block in blocks(decision_ids, BLOCK):
            owners = self._owners(block)
            with self._database.writing(set(owners.values())) as session:
                verdicts += [act(session, each) if each in owners else protocol.unknown(each) for each in block]
        return verdicts

    def _owners(self, decision_ids: Collection[str]) -> dict[str, str]:
        """Whom to lock. Whose a decision is never changes, so it may be read before locking.

        A decision made since then has an owner who is not locked: it is not there yet for this call.
        """
        with self._database.reading() as session:
            return reading.owners(session, decision_ids)

    def expire(self, now: datetime) -> int:
        """Free every place that lapsed by ``now``; return how many."""
        freed = 0
        while lapsed := self._lapsed(now):
            with self._database.writing({customer for customer, _ in lapsed}) as session:
                ended = [lifecycle.end(session, who, key, "expired", micros(now)) for who, key in lapsed]
            freed += sum(ended)
        return freed

    def _lapsed(self, now: datetime) -> list[tuple[str, str]]:
        with self._database.reading() as session:
            return lifecycle.lapsed(session, micros(now), limit=BLOCK)

    def lease(self, limit: int, now: datetime, ttl: timedelta) -> list[Leased]:
        """Lend decisions that are due, to be confirmed one by one; see :meth:`Outbox.lend`."""
        return list(self.outbox.lend(limit, now, ttl).leased)

    def ack(self, decision_ids: Collection[str]) -> int:
        """Take decisions out of the outbox for good; return how many were still there."""
        return sum(each.status == "acknowledged" for each in self.outbox.acknowledge(decision_ids))

    # Events

    def take_events(self, batch: Sequence[Event], now: datetime) -> list[EventVerdict]:
        """Take events as they happen; the next decision sees what bears on it. Verdicts in the order given."""
        verdicts: list[EventVerdict] = []
        for block in blocks(batch, BLOCK):
            with self._database.writing({each.customer_id for each in block}) as session:
                verdicts += incoming.take(session, block, micros(now), key=self._key)
        return verdicts

    def load_events(self, table: pa.Table, now: datetime) -> Loaded:
        """Take imported history (``EVENT_SCHEMA``), which the lake has already. Twice changes nothing."""
        return loading.load(self._database.writing, table, micros(now), key=self._key)

    def told(self, customer_ids: Collection[str], *, since: datetime, now: datetime) -> list[Told]:
        """Return what of these customers' messages happened in ``since ≤ occurred < now`` and was told by ``now``.

        Sorted by customer, moment and event id.
        """
        with self._database.reading() as session:
            return recent.told(session, customer_ids, micros(since), micros(now))

    def drain_inbox(self, limit: int) -> pa.Table:
        """Return up to ``limit`` events the lake does not have yet (``EVENT_SCHEMA``), first come first."""
        with self._database.reading() as session:
            return inbox.waiting(session, limit)

    def mark_drained(self, event_ids: Collection[str]) -> int:
        """Say that the lake has these events now; return how many were waiting or known."""
        with self._database.writing((), shared=("inbox",)) as session:
            return inbox.mark_drained(session, event_ids)

    # People

    def put_customers(self, people: pa.Table | Iterable[Customer], *, now: datetime | None = None) -> int:
        """Write customers, the latest statement winning; return how many. Who was erased is left out.

        A table has the contract's fields as columns, ``attributes`` and ``contacts`` as JSON objects. A bounced
        channel stays bounced until something *new* is declared of it. The audit has one entry for the batch, not
        one a customer: a company states all of them anew each night. It comes with the first block, with ``now``
        or else the moment of the entry before.
        """
        count = 0
        for block in blocks(incoming.customers_of(people), BLOCK):
            with self._database.writing({each.customer_id for each in block}) as session:
                tick = tick_of(session, now)
                if not count:
                    lifecycle.audit(session, INSTALLATION, "customers_put", tick)
                standing = incoming.without_erased(session, block, key=self._key)
                customers.store(session, standing, tick)
                meaning.draw(session, {each.customer_id for each in standing}, tick)
            count += len(standing)
        return count

    def append_consents(self, entries: pa.Table | Iterable[Consent], now: datetime) -> int:
        """Append to the journal, identical entries once; a withdrawal stops everything unconfirmed at once.

        Returns:
            How many entries were new; those of erased customers are left out.

        Raises:
            EvidenceLocked: for an entry with evidence, where the ledger was opened without a seal.
        """
        new = 0
        for block in blocks(incoming.consents_of(entries), BLOCK):
            with self._database.writing({each.customer_id for each in block}) as session:
                standing = incoming.without_erased(session, block, key=self._key)
                sealed = self._seal.sealed(standing)
                fresh = journal.append(session, sealed, micros(now))
                if fresh < len(sealed):
                    journal.prove(session, sealed, self._seal)
                new += fresh
                meaning.draw(session, {each.customer_id for each in standing}, micros(now))
        return new

    def put_preference(self, preference: Preference, *, now: datetime | None = None) -> None:
        """Write the customer's own limits, in place of those before. ``now`` is for the audit, as above.

        :meth:`Wishes.prefer` stops at once, too.

        Raises:
            CustomerErased: for a customer who was erased.
        """
        with self._database.writing((preference.customer_id,)) as session:
            if erasure.is_buried(session, self._key, preference.customer_id):
                raise CustomerErased
            customers.wish(session, preference)
            lifecycle.audit(session, preference.customer_id, "preference_put", tick_of(session, now))

    def customer(self, customer_id: str) -> Customer | None:
        """Return the customer with the contact states that count, or None for one never heard of."""
        with self._database.reading() as session:
            return customers.customer(session, customer_id)

    def preference(self, customer_id: str) -> Preference | None:
        """Return the customer's own limits, or None."""
        with self._database.reading() as session:
            return customers.preference(session, customer_id)

    def consents(self, customer_id: str) -> list[Consent]:
        """Return the whole journal of a customer, evidence opened, in its order.

        Raises:
            EvidenceLocked: where evidence was sealed with a key that is not given.
        """
        with self._database.reading() as session:
            return self._seal.opened(journal.entries(session, customer_id))

    def customer_ids(self, *, after: str = "") -> list[str]:
        """Return every customer's id that sorts after ``after``, sorted."""
        with self._database.reading() as session:
            return customers.ids(session, after)

    def erase(self, customer_id: str, now: datetime) -> int:
        """Delete every row of a customer and leave a tombstone; return how many rows there were.

        The ledger forgets at once; :attr:`privacy` knows what the slower stores still have to forget.
        """
        return sum(self.privacy.erase(customer_id, now).values())

    # Looking back

    def decision(self, decision_id: str) -> Decision:
        """Return a decision in its present state.

        Raises:
            UnknownDecision: where there is none.
        """
        with self._database.reading() as session:
            return reading.decision(session, decision_id)

    def record(self, decision_id: str) -> bytes:
        """Return the frozen inputs of a decision, byte for byte: all that a replay needs.

        Raises:
            UnknownDecision: where there is none.
        """
        with self._database.reading() as session:
            return reading.frozen(session, decision_id)

    def timeline(self, customer_id: str) -> tuple[Moment, ...]:
        """Return everything that happened with a customer, oldest first."""
        with self._database.reading() as session:
            return reading.timeline(session, customer_id)

    def decisions_table(self, since: datetime | None = None, until: datetime | None = None) -> pa.Table:
        """Return decisions made in ``since ≤ decided_at < until``; ``experiments`` is JSON, id to arm."""
        first, last = micros(since or EPOCH), micros(until or _END_OF_TIME)
        with self._database.reading() as session:
            return reading.decisions_table(session, first, last)
