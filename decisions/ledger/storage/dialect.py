"""What a database must give the ledger, and which module gives it for which URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from decisions.ledger.storage.errors import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AbstractContextManager

    from sqlalchemy import URL, Connection, Engine

    from decisions.ledger.storage.errors import LedgerError

Synchronous = Literal["full", "normal"]

WAYS_OUT = "write sqlite:///path/ledger.db or postgresql://user@host/database"


class Dialect(Protocol):
    """One database's own ways. All else is SQL that both read."""

    engine: Engine
    failures: tuple[type[Exception], ...]
    """What the driver raises; :meth:`translate` gives it a name of ours."""

    def locked(
        self, cursor: Any, customer_ids: Collection[str], shared: Collection[str]
    ) -> AbstractContextManager[None]:
        """Begin a write transaction in which nobody else changes these customers, nor what ``shared`` names."""
        ...

    def begin_reading(self, cursor: Any) -> None:
        """Begin a transaction that sees one state of the ledger throughout."""
        ...

    def begin_migrating(self, connection: Connection) -> None:
        """Begin a transaction that alone changes the schema."""
        ...

    def scrub(self) -> None:
        """Rid the store of the remains of deleted rows, which linger in the pages they lay on.

        Raises:
            LedgerBusy: where a reader or writer held on to the old pages; nothing is lost, try again.
        """
        ...

    def translate(self, error: Exception) -> LedgerError:
        """Return the driver's error as one of ours, with no value of a row in its message."""
        ...


def dialect_of(url: str, *, synchronous: Synchronous) -> Dialect:
    """Return the dialect of the database that ``url`` names.

    Raises:
        LedgerUnavailable: for a URL that cannot be read or names a database Kairos does not speak.
    """
    parsed = _parsed(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        from decisions.ledger.storage.sqlite import Sqlite  # noqa: PLC0415  # only the one that is named is loaded

        return Sqlite(parsed, synchronous=synchronous)
    if backend in {"postgresql", "postgres"}:
        from decisions.ledger.storage.postgresql import Postgresql  # noqa: PLC0415  # as above

        return Postgresql(parsed, synchronous=synchronous)
    raise LedgerUnavailable(f"ledger url names {backend!r}, which cannot keep a ledger; {WAYS_OUT}")


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):  # their messages may repeat the url, and with it the password
        raise LedgerUnavailable(f"the ledger url cannot be read; {WAYS_OUT}") from None
