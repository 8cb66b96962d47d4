"""Statements on the driver's cursor: SQLAlchemy writes each text once, the driver runs it every time after.

Executing Core constructs costs thirty times the statement itself (measured: 0.03 of the raw driver). Compiling
each construct once to text and handing the text to the cursor keeps the dialects and loses the cost.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Engine, String, bindparam, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.types import Boolean

from decisions.ledger.storage import sqlite
from decisions.ledger.storage.codec import text
from decisions.ledger.storage.errors import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sqlalchemy import Connection
    from sqlalchemy.sql.base import Executable

Row = tuple[Any, ...]


class Among(ColumnElement[bool]):
    """``column IN (…)`` for a list of any length that travels as one parameter: JSON text."""

    inherit_cache = True
    type = Boolean()

    def __init__(self, column: ColumnElement[str], name: str) -> None:
        self.column = column
        self.values = bindparam(name, type_=String)


@compiles(Among, "sqlite")
def _among_in_sqlite(element: Among, compiler: Any, **options: Any) -> str:
    column, values = compiler.process(element.column, **options), compiler.process(element.values, **options)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  # names only: the values stay parameters


class Text(NamedTuple):
    """A statement as the driver takes it, and the constants the compiler turned into parameters."""

    sql: str
    constants: dict[str, Any]


class Texts:
    """The text of each statement in one dialect, written on first use."""

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect
        self._texts: dict[Executable, Text] = {}

    def of(self, statement: Executable) -> Text:
        """Return the statement's text; its own parameters keep their names and are not filled in."""
        found = self._texts.get(statement)
        if found is None:
            found = self._texts[statement] = self._write(statement)
        return found

    def _write(self, statement: Executable) -> Text:
        compiled = statement.compile(dialect=self._dialect)  # type: ignore[attr-defined]  # all we pass can
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        return Text(str(compiled), constants)


class Session:
    """One transaction's cursor."""

    __slots__ = ("_cursor", "_texts")

    def __init__(self, cursor: Any, texts: Texts) -> None:
        self._cursor = cursor
        self._texts = texts

    def rows(self, statement: Executable, **values: object) -> list[Row]:
        """Return all rows."""
        found: list[Row] = self._execute(statement, values).fetchall()
        return found

    def row(self, statement: Executable, **values: object) -> Row | None:
        """Return the first row, or None."""
        found: Row | None = self._execute(statement, values).fetchone()
        return found

    def run(self, statement: Executable, **values: object) -> int:
        """Run a change; return the number of rows it touched."""
        return int(self._execute(statement, values).rowcount)

    def _execute(self, statement: Executable, values: dict[str, object]) -> Any:
        sql, constants = self._texts.of(statement)
        return self._cursor.execute(sql, constants | values if constants else values)

    def many(self, statement: Executable, rows: Sequence[dict[str, Any]]) -> int:
        """Run a change once for each row; return the number of rows touched in all."""
        if not rows:
            return 0
        sql, constants = self._texts.of(statement)
        self._cursor.executemany(sql, [constants | row for row in rows] if constants else rows)
        return int(self._cursor.rowcount)


def listed(ids: Collection[str]) -> str:
    """Return ids as the one parameter that :class:`Among` takes."""
    return text(list(ids))


class Database:
    """The engine, its statements' texts and its locks: everything a transaction is made of."""

    def __init__(self, url: str, *, synchronous: sqlite.Synchronous) -> None:
        self.engine = sqlite.engine(_sqlite_url(url), synchronous=synchronous)
        self._texts = Texts(self.engine)
        self._lock = sqlite.Lock()

    @contextmanager
    def writing(self, customer_ids: Collection[str]) -> Iterator[Session]:
        """Serialise with every other writer of these customers; commit at the end, or leave no trace."""
        with self._connection() as connection:
            cursor = connection.cursor()
            with self._lock.held(cursor, customer_ids):
                try:
                    yield Session(cursor, self._texts)
                    connection.commit()
                except BaseException:
                    connection.rollback()
                    raise

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Read one state of the ledger, however many statements it takes."""
        with self._connection() as connection:
            cursor = connection.cursor()
            sqlite.begin_reading(cursor)
            try:
                yield Session(cursor, self._texts)
            finally:
                connection.rollback()

    @contextmanager
    def connecting(self) -> Iterator[Connection]:
        """Lend a plain SQLAlchemy connection, for looking at the schema."""
        with self._translating(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Lend a SQLAlchemy connection that alone may write, in one transaction."""
        with self.connecting() as connection:
            connection.exec_driver_sql(sqlite.BEGIN_WRITING)
            yield connection
            connection.commit()

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        with self._translating():
            connection = self.engine.raw_connection()
            try:
                yield connection
            finally:
                connection.close()

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except sqlite.FAILURES as error:
            raise sqlite.translate(error) from error
        except SQLAlchemyError as error:  # the pool's: connecting failed, or no connection came free
            raise sqlite.translate(getattr(error, "orig", None) or error) from error

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _sqlite_url(url: str) -> Any:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise LedgerUnavailable("the ledger url cannot be read; write sqlite:///path/ledger.db") from error
    if parsed.get_backend_name() != "sqlite":
        raise LedgerUnavailable(
            f"ledger url names {parsed.get_backend_name()!r}; this version keeps its ledger in SQLite: "
            "write sqlite:///path/ledger.db"
        )
    return parsed
