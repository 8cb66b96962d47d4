"""Everything that is SQLite's own.

Writers take the lock at the start (``BEGIN IMMEDIATE``): a transaction that reads first and then wants to write
could find the world changed under it. The write lock is the per-customer lock here, and stricter than one.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError

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

    from sqlalchemy import Connection

    from decisions.ledger.storage.dialect import Synchronous

BUSY_SECONDS = 10.0
"""How long a writer waits. The slowest wait measured with four writers was 3 s."""

_BEGIN_WRITING = "BEGIN IMMEDIATE"

_OWNER_ONLY = 0o600
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_TAKEN = (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE)
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Sqlite:
    """A file. Threads wait for a lock that wakes them at once, processes for the file's write lock.

    SQLite's own wait polls with growing pauses; between threads of one process that would waste most of the time.
    """

    failures: tuple[type[Exception], ...] = (sqlite3.Error,)

    def __init__(self, url: URL, *, synchronous: Synchronous) -> None:
        self.engine = _engine(url, synchronous=synchronous)
        self._threads = threading.Lock()

    @contextmanager
    def locked(self, cursor: Any, customer_ids: Collection[str], shared: Collection[str]) -> Iterator[None]:
        """Begin a write transaction in which nobody else writes anything."""
        del customer_ids, shared  # one lock for all
        if not self._threads.acquire(timeout=BUSY_SECONDS):
            raise LedgerBusy(f"another thread held the ledger for over {BUSY_SECONDS:g} s; try again")
        try:
            cursor.execute(_BEGIN_WRITING)
            yield
        finally:
            self._threads.release()

    def begin_reading(self, cursor: Any) -> None:
        """Begin a transaction that sees one state of the ledger throughout."""
        cursor.execute("BEGIN")

    def begin_migrating(self, connection: Connection) -> None:
        """Begin a transaction that alone may write, and so alone changes the schema."""
        connection.exec_driver_sql(_BEGIN_WRITING)

    def scrub(self) -> None:
        """Rewrite the whole file, and cut its write-ahead log to nothing; writers wait meanwhile."""
        # The driver's own connection: SQLAlchemy's autocommit would leave it in another mode than the pool's.
        with contextlib.closing(self.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            held = cursor.fetchall()[0][0]
            cursor.close()
        if held:
            raise LedgerBusy("a reader held the ledger's old pages while they were to be rewritten; try again")

    def translate(self, error: Exception) -> LedgerError:
        """Return the driver's error as one of ours. The text of the statement, and so its values, stays out."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _BUSY:
            return LedgerBusy(f"the ledger stayed locked for over {BUSY_SECONDS:g} s ({error}); try again")
        if code == sqlite3.SQLITE_CONSTRAINT:
            return _of_constraint(error)
        if code in _BROKEN:
            return LedgerCorrupt(f"the ledger's file is damaged ({error}); restore it from a backup")
        return LedgerUnavailable(f"the ledger cannot be read or written ({error}); check its path and the disk")


def _engine(url: URL, *, synchronous: Synchronous) -> Engine:
    """Return an engine on a file, with the folder made and every connection set up alike."""
    if not url.database or url.database == ":memory:":
        raise LedgerUnavailable(
            f"ledger url {url.render_as_string()!r} names no file; write sqlite:///path/ledger.db"
        )
    file = Path(url.database)
    _make_folder(file)
    _make_private(file)
    made = create_engine(
        url,
        paramstyle="named",
        pool_size=8,
        max_overflow=32,
        pool_reset_on_return=None,  # our own transactions always end in commit or rollback
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
    )

    @event.listens_for(made, "connect")
    def _set_up(connection: sqlite3.Connection, record: Any) -> None:
        record.info["file"] = _identity(file)
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        _into_wal(connection)

    _keep_to_the_file(made, file)
    return made


def _keep_to_the_file(made: Engine, file: Path) -> None:
    """Let every connection be one to the file that lies at the path now, made when the ledger was opened.

    SQLite would make an empty file where one was moved away, and go on writing to one that lies elsewhere by now.
    """

    @event.listens_for(made, "do_connect")
    def _make_no_other(*_: object) -> None:
        if _identity(file) is None:
            raise sqlite3.OperationalError("the file is gone")

    @event.listens_for(made, "checkout")
    def _follow(_connection: object, record: Any, _proxy: object) -> None:
        if record.info["file"] != _identity(file):
            raise DisconnectionError  # the pool closes it and connects anew


def _identity(file: Path) -> tuple[int, int] | None:
    """Return what tells files of one name apart; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _make_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerUnavailable(f"folder {file.parent.name!r} for the ledger cannot be made: {error}") from error


def _make_private(file: Path) -> None:
    """Make a new file readable by its owner only; SQLite gives the files beside it the same mode."""
    with contextlib.suppress(OSError):  # there already, or nowhere: connecting will say which
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, _OWNER_ONLY))


def _into_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL once. SQLite does not wait for this lock by itself when several processes open a new file."""
    deadline = time.monotonic() + BUSY_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = wal").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in _BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _of_constraint(error: Exception) -> LedgerError:
    if getattr(error, "sqlite_errorcode", 0) in _TAKEN:
        return DuplicateDecision(f"the ledger already holds a row with this identity ({error})")
    return ImpossibleRow(f"the row lacks what the schema demands ({error}); nothing was written")
