"""Where rows belong: the bucket of a customer's household, or of the customer where none is known.

A customer whose household lies in another bucket than the customer's own id would is entered in a small
directory, kept under the bucket of the own id. So a batch of events is placed by looking only into the
directories of the buckets it touches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from features.lake.manifest import households_folder

if TYPE_CHECKING:
    from features.lake.manifest import Draft

DIRECTORY_SCHEMA = pa.schema([pa.field("customer_id", pa.string()), pa.field("household_id", pa.string())])

_OWN = "SELECT DISTINCT bucket_of(customer_id, $buckets) AS bucket FROM arriving ORDER BY bucket"

_PLACED = """
SELECT arriving.*, bucket_of(coalesce(directory.household_id, customer_id), $buckets) AS bucket
FROM arriving LEFT JOIN directory USING (customer_id)
"""


def numbered(table: pa.Table) -> pa.Table:
    """Return ``table`` with a column ``arrival``: which row came first is a fact SQL would otherwise lose."""
    return table.append_column("arrival", pa.array(np.arange(table.num_rows, dtype=np.int64)))


def show(connection: Any, **tables: pa.Table) -> None:
    """Let SQL on ``connection`` see Arrow tables by name."""
    for name, table in tables.items():
        connection.register(name, table)


def fetch(connection: Any, query: str, **values: object) -> pa.Table:
    """Run ``query`` with bound values and return Arrow."""
    return connection.execute(query, values or None).to_arrow_table()


def place(connection: Any, draft: Draft, *, buckets: int) -> None:
    """Create the table ``placed``: the rows of ``arriving`` (with ``customer_id``) and the ``bucket`` of each.

    Where a customer's row is known, it is the bucket that row names.
    """
    own = fetch(connection, _OWN, buckets=buckets)["bucket"].to_pylist()
    directory = [draft.read(households_folder(bucket), DIRECTORY_SCHEMA) for bucket in own]
    show(connection, directory=pa.concat_tables([DIRECTORY_SCHEMA.empty_table(), *directory]))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE placed AS {_PLACED}", {"buckets": buckets})
