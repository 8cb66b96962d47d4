"""Customers into the lake, the latest wins; their events move along when a household becomes known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from features.contracts import CUSTOMER_SCHEMA, EVENT_SCHEMA
from features.lake.appending import add_events
from features.lake.buckets import bucket_folder
from features.lake.manifest import customers_folder, households_folder
from features.lake.placing import DIRECTORY_SCHEMA, fetch, numbered, place, show

if TYPE_CHECKING:
    import pyarrow as pa

    from features.lake.manifest import Draft

_LATEST = """
CREATE OR REPLACE TEMP TABLE latest AS
SELECT *,
  bucket_of(customer_id, $buckets) AS own,
  bucket AS before,
  bucket_of(coalesce(household_id, customer_id), $buckets) AS after
FROM placed QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY arrival DESC) = 1
"""

_TOUCHED = "SELECT before AS bucket FROM latest UNION SELECT after FROM latest ORDER BY bucket"

_CUSTOMERS = """
SELECT * FROM kept ANTI JOIN latest USING (customer_id)
UNION ALL BY NAME
SELECT * EXCLUDE (arrival, bucket, own, before, after) FROM latest WHERE after = $bucket
ORDER BY customer_id
"""

_OWN = "SELECT DISTINCT own AS bucket FROM latest ORDER BY bucket"

_DIRECTORY = """
SELECT * FROM kept ANTI JOIN latest USING (customer_id)
UNION ALL
SELECT customer_id, household_id FROM latest WHERE own = $bucket AND after <> own
ORDER BY customer_id
"""

_LEFT = "SELECT DISTINCT before AS bucket FROM latest WHERE before <> after ORDER BY bucket"

_STAY = """
SELECT * FROM kept
ANTI JOIN (FROM latest WHERE before = $bucket AND after <> before) USING (customer_id)
"""

_NOBODY_GOES = "CREATE OR REPLACE TEMP TABLE going AS SELECT *, 0 AS bucket FROM kept LIMIT 0"

_GO = """
INSERT INTO going
SELECT kept.*, after FROM kept JOIN latest USING (customer_id) WHERE before = $bucket AND after <> before
"""

_GOING = """
SELECT *, strftime(occurred_at, '%Y-%m') AS month FROM going
ORDER BY bucket, month, customer_id, occurred_at, event_id
"""


def put_customers(connection: Any, draft: Draft, customers: pa.Table, *, buckets: int) -> None:
    """Let ``customers`` stand in ``draft`` instead of what was known of them; the later of two rows wins.

    A row replaces the whole of the earlier one. Where it names another household, the customer's events
    move to that household's bucket.
    """
    show(connection, arriving=numbered(customers.cast(CUSTOMER_SCHEMA)))
    place(connection, draft, buckets=buckets)
    connection.execute(_LATEST, {"buckets": buckets})
    _move_events(connection, draft)
    for bucket in _buckets(connection, _TOUCHED):
        _update(connection, draft, customers_folder(bucket), query=_CUSTOMERS, bucket=bucket)
    for bucket in _buckets(connection, _OWN):
        _update(connection, draft, households_folder(bucket), query=_DIRECTORY, bucket=bucket)


def _buckets(connection: Any, query: str) -> list[int]:
    return [int(bucket) for bucket in fetch(connection, query)["bucket"].to_pylist()]


def _update(connection: Any, draft: Draft, folder: str, *, query: str, bucket: int) -> None:
    schema = DIRECTORY_SCHEMA if query is _DIRECTORY else CUSTOMER_SCHEMA
    kept = draft.read(folder, schema)
    show(connection, kept=kept)
    updated = fetch(connection, query, bucket=bucket).cast(schema)
    if not updated.equals(kept):
        draft.replace(folder, updated)


def _move_events(connection: Any, draft: Draft) -> None:
    show(connection, kept=EVENT_SCHEMA.empty_table())
    connection.execute(_NOBODY_GOES)
    for bucket in _buckets(connection, _LEFT):
        for folder in draft.manifest.under("events", bucket_folder(bucket)):
            _take_out(connection, draft, folder, bucket=bucket)
    add_events(draft, fetch(connection, _GOING))


def _take_out(connection: Any, draft: Draft, folder: str, *, bucket: int) -> None:
    kept = draft.read(folder, EVENT_SCHEMA)
    show(connection, kept=kept)
    stay = fetch(connection, _STAY, bucket=bucket).cast(EVENT_SCHEMA)
    if stay.num_rows < kept.num_rows:
        connection.execute(_GO, {"bucket": bucket})
        draft.replace(folder, stay)
