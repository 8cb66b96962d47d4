"""People out of one materialization: Feast writes whole tables, but knows no way to take a row out."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from features.store.repository import hushed
from features.tables.moments import CUSTOMER

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_VERSION = 3
"""``entity_key_serialization_version`` of ``feature_store.yaml``."""

_TABLES = (
    "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c"
    " WHERE m.type = 'table' AND c.name = 'entity_key' ORDER BY m.name"
)
_BUSY_SECONDS = 30.0


def erase_online(store: Path, customer_ids: Collection[str]) -> int:
    """Take customers out of the SQLite file ``store``, freed pages included; return how many rows went."""
    keys = [(_entity_key(each),) for each in customer_ids]
    with closing(sqlite3.connect(store, timeout=_BUSY_SECONDS)) as connection:
        gone = sum(_delete(connection, name, keys) for (name,) in connection.execute(_TABLES).fetchall())
        connection.commit()
        connection.execute("VACUUM")  # a deleted row's bytes stay in their page until it is rewritten
    return gone


def _delete(connection: sqlite3.Connection, table: str, keys: list[tuple[bytes]]) -> int:
    quoted = table.replace('"', '""')
    return connection.executemany(f'DELETE FROM "{quoted}" WHERE entity_key = ?', keys).rowcount  # noqa: S608  # a name from the file's own catalogue, quoted


def _entity_key(customer_id: str) -> bytes:
    """Return the customer as Feast spells the key of a row."""
    with hushed():
        from feast.infra.key_encoding_utils import serialize_entity_key  # noqa: PLC0415 - imports Feast: seconds
        from feast.protos.feast.types.EntityKey_pb2 import EntityKey  # noqa: PLC0415 - as above
        from feast.protos.feast.types.Value_pb2 import Value  # noqa: PLC0415 - as above

    key = EntityKey(join_keys=[CUSTOMER], entity_values=[Value(string_val=customer_id)])
    return bytes(serialize_entity_key(key, entity_key_serialization_version=_VERSION))
