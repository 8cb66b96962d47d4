"""A lake put right: rows into their folders, each id once, nobody who was erased; what is right is not touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from features.contracts import CUSTOMER_SCHEMA, EVENT_SCHEMA
from features.lake.appending import add_events
from features.lake.manifest import customers_folder, events_folder, households_folder
from features.lake.placing import DIRECTORY_SCHEMA, fetch, show

if TYPE_CHECKING:
    from features.lake.checking import Look
    from features.lake.manifest import Draft

_TO_GO = """
CREATE OR REPLACE TEMP TABLE to_go AS
SELECT filename, file_row_number FROM astray UNION SELECT * FROM doubled
UNION SELECT filename, file_row_number FROM events SEMI JOIN gone USING (customer_id)
"""

_GOING = """
CREATE OR REPLACE TEMP TABLE going AS
SELECT events.* EXCLUDE (filename, file_row_number, bucket, month, part), belongs AS bucket, belongs_in AS month
FROM events JOIN astray USING (filename, file_row_number)
ANTI JOIN doubled USING (filename, file_row_number)
ANTI JOIN gone ON events.customer_id = gone.customer_id
"""

_LEFT = "SELECT DISTINCT bucket, month FROM events SEMI JOIN to_go USING (filename, file_row_number) ORDER BY ALL"

_STAY = """
SELECT events.* FROM events ANTI JOIN to_go USING (filename, file_row_number)
WHERE bucket = $bucket AND month = $month ORDER BY customer_id, occurred_at, event_id
"""

_TARGETS = "SELECT DISTINCT bucket FROM going ORDER BY bucket"
_COME = "SELECT * FROM going WHERE bucket = $bucket ORDER BY month, customer_id, occurred_at, event_id"

_TOUCHED = """
SELECT DISTINCT unnest([bucket, home, own]) AS bucket FROM (
  SELECT bucket, home, own FROM customers JOIN homes USING (customer_id)
  UNION ALL SELECT bucket, bucket, bucket FROM households
) ORDER BY bucket
"""
_CUSTOMERS = """
SELECT customers.* FROM customers JOIN homes USING (customer_id)
ANTI JOIN gone USING (customer_id)
WHERE home = $bucket
QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY part DESC, file_row_number DESC) = 1
ORDER BY customer_id
"""
_HOUSEHOLDS = """
SELECT customer_id, household_id FROM homes ANTI JOIN gone USING (customer_id)
WHERE own = $bucket AND home <> own ORDER BY customer_id
"""


class BrokenFilesError(ValueError):
    """Files of the lake cannot be read, so that it cannot be put right around them."""

    def __init__(self, files: tuple[str, ...]) -> None:
        super().__init__(
            f"{', '.join(files)} cannot be read as what they should hold: put them back from a backup, "
            "or remove them and import again"
        )


def repair(connection: Any, draft: Draft, seen: Look) -> None:
    """Put right in ``draft`` what ``seen`` found on this ``connection``.

    Of equal event ids the first to come stays, of a customer's rows the latest. What a missing file held is lost:
    the manifest no longer names it. Memory is bounded by a bucket.

    Raises:
        BrokenFilesError: where files cannot be read. Nothing is changed: nobody knows what they hold.
    """
    if seen.findings.broken:
        raise BrokenFilesError(seen.findings.broken)
    show(connection, gone=pa.table({"customer_id": pa.array(sorted(seen.gone), pa.string())}))
    connection.execute(_TO_GO)
    connection.execute(_GOING)
    for missing in seen.findings.missing:
        draft.forget(missing)
    _file_events(connection, draft)
    for bucket in fetch(connection, _TOUCHED)["bucket"].to_pylist():
        _put(draft, customers_folder(bucket), fetch(connection, _CUSTOMERS, bucket=bucket), CUSTOMER_SCHEMA)
        _put(draft, households_folder(bucket), fetch(connection, _HOUSEHOLDS, bucket=bucket), DIRECTORY_SCHEMA)


def _file_events(connection: Any, draft: Draft) -> None:
    for left in fetch(connection, _LEFT).to_pylist():
        stay = fetch(connection, _STAY, **left)
        _put(draft, events_folder(left["bucket"], left["month"]), stay, EVENT_SCHEMA)
    for bucket in fetch(connection, _TARGETS)["bucket"].to_pylist():
        add_events(draft, fetch(connection, _COME, bucket=bucket))


def _put(draft: Draft, folder: str, rows: pa.Table, schema: pa.Schema) -> None:
    """Let ``rows`` stand in the folder, unless the same stand there already."""
    wanted = rows.select(schema.names).cast(schema)
    if not wanted.equals(draft.read(folder, schema)):
        draft.replace(folder, wanted)
