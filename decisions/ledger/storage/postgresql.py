"""Everything that is PostgreSQL's own, through psycopg 3.

Writers take a lock for each customer before they read anything, and read at READ COMMITTED: every statement after
the lock sees what its last holder committed, for a transaction's locks are freed after its changes are visible.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import create_engine, event
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from decisions.ledger.storage.errors import (
    DuplicateDecision,
    ImpossibleRow,
    LedgerBusy,
    LedgerCorrupt,
    LedgerError,
    LedgerUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy import URL, Connection, Engine

    from decisions.ledger.storage.dialect import Synchronous

BUSY_SECONDS = 10.0
"""How long a writer waits for a lock, and anybody for a connection."""

MANY = 1_000
"""Customers beyond which a block locks the whole ledger: the server keeps some 6,400 locks for all sessions."""

_IDLE_SECONDS = 60
"""A process that stops in mid-transaction loses its session, and with it its locks, after this long."""

_BEGIN_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED"
_BEGIN_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

# The rows of an array come in its order, and so the locks are taken in it. Sorted keys cannot deadlock.
_LOCK = "SELECT pg_advisory_xact_lock(key) FROM unnest(%(keys)s::bigint[]) AS key"
_LOCK_BESIDE_OTHERS = (
    "SELECT CASE WHEN place = 1 THEN pg_advisory_xact_lock_shared(key) ELSE pg_advisory_xact_lock(key) END"
    " FROM unnest(%(keys)s::bigint[]) WITH ORDINALITY AS locks (key, place)"
)

# What stays with the operator's own settings: only `off` is too weak for what `full` promises.
_DURABLE = {
    "full": "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') = 'off'",
    "normal": "SET synchronous_commit = off",
}

# A server that is gone without a word is noticed within a minute.
_CONNECTION = {
    "autocommit": True,  # our own transactions say how they begin
    "client_encoding": "utf8",
    "application_name": "kairos",
    "connect_timeout": int(BUSY_SECONDS),
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}

_BUSY = frozenset(
    {
        "55P03",  # lock_not_available: lock_timeout
        "57014",  # query_canceled: statement_timeout, where the operator set one
        "40P01",  # deadlock_detected
        "40001",  # serialization_failure
        "53200",  # out_of_memory, of the table of locks too
        "53300",  # too_many_connections
    }
)
_TAKEN = "23505"
_REFUSED = ("22", "23")  # data exception, integrity constraint: something is wrong with a value
_DAMAGED = frozenset({"XX001", "XX002"})


class Postgresql:
    """A database of a PostgreSQL server."""

    failures: tuple[type[Exception], ...] = (psycopg.Error,)

    def __init__(self, url: URL, *, synchronous: Synchronous) -> None:
        self.engine = _engine(url, synchronous)

    @contextmanager
    def locked(self, cursor: Any, customer_ids: Collection[str], shared: Collection[str]) -> Iterator[None]:
        """Begin a write transaction behind the locks of these customers and shared names.

        The order is the same for everybody (ledger, customers, shared names), so two blocks cannot deadlock.
        The commit or rollback frees the locks, and so does the end of the session.
        """
        cursor.execute(_BEGIN_WRITING)
        if len(customer_ids) > MANY:
            cursor.execute(_LOCK, {"keys": [_WHOLE, *_shared_keys(shared)]})
        elif customer_ids or shared:
            keys = [_WHOLE, *sorted(set(map(_key, customer_ids))), *_shared_keys(shared)]
            cursor.execute(_LOCK_BESIDE_OTHERS, {"keys": keys})
        yield

    def begin_reading(self, cursor: Any) -> None:
        """Begin a transaction that sees one state of the ledger throughout."""
        cursor.execute(_BEGIN_READING)

    def begin_migrating(self, connection: Connection) -> None:
        """Begin a transaction that alone changes the schema: PostgreSQL's changes of schema are transactional."""
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding != "UTF8":
            raise LedgerUnavailable(f"the database is encoded in {encoding}; make one with ENCODING 'UTF8'")
        connection.exec_driver_sql(_BEGIN_WRITING)
        connection.exec_driver_sql(_LOCK, {"keys": _shared_keys(["schema"])})

    def scrub(self) -> None:
        """Free the dead rows of every table and let others work; bytes are overwritten as space is used again."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM")

    def translate(self, error: Exception) -> LedgerError:
        """Return the driver's error as one of ours.

        PostgreSQL's own text may show the values of a row, and its DETAIL does: neither is repeated.
        """
        state = getattr(error, "sqlstate", None) or ""
        if isinstance(error, PoolTimeoutError) or state in _BUSY:
            return LedgerBusy(f"the ledger stayed locked or crowded ({_name(error)}); try again")
        if state == _TAKEN:
            return DuplicateDecision(f"the ledger already holds a row with this identity ({_name(error)})")
        if state[:2] in _REFUSED or isinstance(error, psycopg.DataError):
            return ImpossibleRow(f"the row holds what the schema refuses ({_name(error)}); nothing was written")
        if state in _DAMAGED:
            return LedgerCorrupt(f"the ledger's database is damaged ({_name(error)}); restore it from a backup")
        return LedgerUnavailable(
            f"the ledger cannot be read or written ({_said(error)}); check its url and server"
        )


def _engine(url: URL, synchronous: Synchronous) -> Engine:
    given = {name: value for name, value in _CONNECTION.items() if name not in url.query}
    made = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=8,
        max_overflow=8,
        pool_timeout=BUSY_SECONDS,
        pool_pre_ping=True,  # a server that was away is found again by itself
        use_native_hstore=False,
        connect_args=given,
    )

    @event.listens_for(made, "connect")
    def _set_up(connection: Any, _record: object) -> None:
        connection.execute(f"SET lock_timeout = {BUSY_SECONDS * 1_000:.0f}")
        connection.execute(f"SET idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s'")
        connection.execute(_DURABLE[synchronous])

    return made


@lru_cache(maxsize=10_000)
def _key(name: str) -> int:
    """Return a lock's number: the same in every process and version. Two names that share one only wait longer."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)


# No id holds a control character: names of ours are nobody's.
_WHOLE = _key("\x00ledger")


def _shared_keys(names: Collection[str]) -> list[int]:
    return sorted(_key(f"\x00{name}") for name in set(names))


def _name(error: Exception) -> str:
    """Name what went wrong, and the constraint or column that saw it: identifiers of ours, no values."""
    found = getattr(error, "diag", None)
    named = found and (found.constraint_name or found.column_name)
    return f"{type(error).__name__}: {named}" if named else type(error).__name__


def _said(error: Exception) -> str:
    """Return the server's or driver's first line: about connections, disks and tables, never about rows."""
    found = getattr(error, "diag", None)
    said = (found and found.message_primary) or str(error)
    return said.strip().partition("\n")[0] or type(error).__name__
