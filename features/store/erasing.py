"""People out of one materialization: Feast writes whole tables, but knows no way to take a row out."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from features.quoting import sql_name
from features.store.rows import entity_key

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_TABLES = (
    "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c"
    " WHERE m.type = 'table' AND c.name = 'entity_key' ORDER BY m.name"
)
_BUSY_SECONDS = 30.0


def erase_online(store: Path, customer_ids: Collection[str]) -> int:
    """Take customers out of the SQLite file ``store``, freed pages included; return how many rows went."""
    keys = [(entity_key(each),) for each in customer_ids]
    with closing(sqlite3.connect(store, timeout=_BUSY_SECONDS)) as connection:
        gone = sum(_delete(connection, name, keys) for (name,) in connection.execute(_TABLES).fetchall())
        connection.commit()
        connection.execute("VACUUM")  # a deleted row's bytes stay in their page until it is rewritten
    return gone


def _delete(connection: sqlite3.Connection, table: str, keys: list[tuple[bytes]]) -> int:
    return connection.executemany(f"DELETE FROM {sql_name(table)} WHERE entity_key = ?", keys).rowcount  # noqa: S608  # a name from the file's own catalogue, quoted
