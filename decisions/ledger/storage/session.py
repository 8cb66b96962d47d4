"""Statements on the driver's cursor: SQLAlchemy writes each text once, the driver runs it every time after.

Executing Core constructs costs thirty times the statement itself (measured: 0.03 of the raw driver). Compiling
each construct once to text and handing the text to the cursor keeps the dialects and loses the cost.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BigInteger, Engine, String, bindparam
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.types import Boolean

from decisions.ledger.storage.codec import text
from decisions.ledger.storage.dialect import dialect_of
from decisions.ledger.storage.errors import ImpossibleRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sqlalchemy import Connection
    from sqlalchemy.sql.base import Executable

    from decisions.ledger.storage.dialect import Synchronous

Row = tuple[Any, ...]


class Among(ColumnElement[bool]):
    """``column IN (…)`` for a list of any length that travels as one parameter: JSON text."""

    inherit_cache = True
    type = Boolean()

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        self.column = column
        self.values = bindparam(name, type_=String)

    def self_group(self, against: Any = None) -> Among:
        """Stand in a WHERE as it is: ``(column IN …) = 1``, as booleans are written for SQLite, uses no index."""
        del against
        return self


@compiles(Among, "sqlite")
def _among_in_sqlite(element: Among, compiler: Any, **options: Any) -> str:
    column, values = compiler.process(element.column, **options), compiler.process(element.values, **options)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  # names only: the values stay parameters


@compiles(Among, "postgresql")
def _among_in_postgresql(element: Among, compiler: Any, **options: Any) -> str:
    """Write the list as one array: an index is searched for each of its values, however many rows a table has."""
    column, values = compiler.process(element.column, **options), compiler.process(element.values, **options)
    kind = "bigint" if isinstance(element.column.type, BigInteger) else "text"
    return f"{column} = ANY (ARRAY(SELECT CAST(json_array_elements_text(CAST({values} AS json)) AS {kind})))"


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


def listed(ids: Collection[str] | Collection[int]) -> str:
    """Return ids as the one parameter that :class:`Among` takes."""
    return text(list(ids))


class Database:
    """The engine, its statements' texts and its locks: everything a transaction is made of."""

    def __init__(self, url: str, *, synchronous: Synchronous) -> None:
        self._dialect = dialect_of(url, synchronous=synchronous)
        self.engine = self._dialect.engine
        self._texts = Texts(self.engine)

    @contextmanager
    def writing(self, customer_ids: Collection[str], *, shared: Collection[str] = ()) -> Iterator[Session]:
        """Serialise with every other writer of these customers; commit at the end, or leave no trace.

        Args:
            customer_ids: Whose rows are read and written.
            shared: Names of what belongs to no customer (``outbox``, ``inbox`` …): one writer of each at a time.
        """
        with self._connection() as connection:
            cursor = connection.cursor()
            with self._dialect.locked(cursor, customer_ids, shared):
                try:
                    yield Session(cursor, self._texts)
                    connection.commit()
                except BaseException:
                    self._undo(connection)
                    raise

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Read one state of the ledger, however many statements it takes."""
        with self._connection() as connection:
            cursor = connection.cursor()
            self._dialect.begin_reading(cursor)
            try:
                yield Session(cursor, self._texts)
            finally:
                self._undo(connection)

    def _undo(self, connection: Any) -> None:
        """Roll back. A connection that cannot is gone, and its transaction with it: the first error matters."""
        try:
            connection.rollback()
        except self._dialect.failures:
            connection.invalidate()

    @contextmanager
    def connecting(self) -> Iterator[Connection]:
        """Lend a plain SQLAlchemy connection, for looking at the schema."""
        with self._translating(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def exporting(self) -> Iterator[Connection]:
        """Lend a SQLAlchemy connection that sees one state of the ledger."""
        with self.connecting() as connection:
            self._dialect.begin_reading(connection.connection.cursor())
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Lend a SQLAlchemy connection that alone may change the schema, in one transaction."""
        with self.connecting() as connection:
            self._dialect.begin_migrating(connection)
            yield connection
            connection.commit()

    def scrub(self) -> None:
        """Rid the store of the remains of deleted rows: on SQLite at once, on PostgreSQL as it reuses the space.

        Raises:
            LedgerBusy: where a reader or writer of SQLite held on to the old pages; nothing is lost, try again.
        """
        with self._translating():
            self._dialect.scrub()

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
        """Drivers show the values of rows in what they raise: only our own words go on, to callers and logs."""
        try:
            yield
        except self._dialect.failures as error:
            raise self._dialect.translate(error) from None
        except SQLAlchemyError as error:  # the pool's: connecting failed, or no connection came free
            raise self._dialect.translate(getattr(error, "orig", None) or error) from None
        except UnicodeEncodeError:
            raise ImpossibleRow("a text holds half a surrogate pair, which no store can keep") from None

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
