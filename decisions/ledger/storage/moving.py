"""Copy a ledger into PostgreSQL: how an installation outgrows SQLite, or changes servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, text

from decisions.ledger.storage import migrate, schema
from decisions.ledger.storage.errors import LedgerUnavailable
from decisions.ledger.storage.session import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

BLOCK = 5_000
"""Rows in memory at a time."""

_NUMBERED = tuple(
    (table, column)
    for table in schema.metadata.sorted_tables
    for column in table.c
    if column.type is schema.Serial
)


def copy(source: str, target: str) -> dict[str, int]:
    """Copy every row of the ledger at ``source`` into the empty PostgreSQL database at ``target``, or none.

    Stop what writes to the source first: what comes meanwhile may be left behind.

    Returns:
        How many rows of each table there are now.

    Raises:
        LedgerUnavailable: where the target is no PostgreSQL database or holds a row already, or where one of the
            two cannot be reached.
    """
    old, new = (Database(url, synchronous="full") for url in (source, target))
    if new.engine.dialect.name != "postgresql":
        raise LedgerUnavailable("a ledger moves into PostgreSQL; name a target postgresql://user@host/database")
    try:
        migrate.to_head(old)
        migrate.to_head(new)
        with old.exporting() as reading, new.migrating() as writing:
            _refuse_rows(writing)
            copied = {each.name: _copy(each, reading, writing) for each in schema.metadata.sorted_tables}
            _continue_numbers(writing)
    finally:
        old.close()
        new.close()
    return copied


def _refuse_rows(connection: Connection) -> None:
    for table in schema.metadata.sorted_tables:
        if connection.execute(select(table).limit(1)).first() is not None:
            raise LedgerUnavailable(f"the target holds rows of {table.name!r} already; name an empty database")


def _copy(table: Table, reading: Connection, writing: Connection) -> int:
    rows = reading.execution_options(yield_per=BLOCK).execute(select(table)).mappings()
    count = 0
    for block in rows.partitions(BLOCK):
        writing.execute(insert(table), [dict(row) for row in block])
        count += len(block)
    return count


def _continue_numbers(connection: Connection) -> None:
    """Let the server count on from the highest number.

    ``after_audit`` may name an entry that was erased since: what is written next must come after that one too.
    """
    named = [table.c.after_audit for table in (schema.pressure, schema.consent)]
    for table, column in _NUMBERED:
        seen = [column, *named] if table is schema.audit else [column]
        last = max(connection.execute(select(func.coalesce(func.max(each), 0))).scalar_one() for each in seen)
        values = {"table": table.name, "column": column.name, "next": last + 1}
        connection.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :next, false)"), values)
