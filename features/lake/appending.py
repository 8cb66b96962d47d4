"""Events into the lake, each once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow.compute as pc

from features.contracts import EVENT_SCHEMA
from features.lake.manifest import events_folder
from features.lake.placing import fetch, numbered, place, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from features.lake.manifest import Draft

_COLUMNS = ", ".join(EVENT_SCHEMA.names)
_PLAIN = [name for name in EVENT_SCHEMA.names if name not in {"event_id", "properties"}]
_DIFFERS = f"({' OR '.join(f'placed.{name} IS DISTINCT FROM standing.{name}' for name in _PLAIN)})"

# The batch is the side a hash table is built on, so that the lake's ids stream past it.
_KNOWN = "CREATE TEMP TABLE known AS SELECT event_id FROM lying SEMI JOIN placed USING (event_id)"

_FIRST = """
CREATE TEMP TABLE first AS
SELECT * FROM placed SEMI JOIN (SELECT min(arrival) AS arrival FROM placed GROUP BY event_id) USING (arrival)
"""

_FRESH = """
SELECT * EXCLUDE (arrival), strftime(occurred_at, '%Y-%m') AS month
FROM first ANTI JOIN known USING (event_id)
ORDER BY bucket, month, customer_id, occurred_at, event_id
"""

# What stands under an id that came again: in the lake, or earlier in the batch.
_STANDING = f"""
CREATE TEMP TABLE standing AS
SELECT {_COLUMNS} FROM lying SEMI JOIN known USING (event_id)
UNION ALL SELECT {_COLUMNS} FROM first ANTI JOIN known USING (event_id)
"""  # noqa: S608 - the contract's own names

_OTHERWISE = f"""
SELECT {_DIFFERS} AS differs, placed.properties AS new, standing.properties AS old
FROM placed JOIN standing USING (event_id) WHERE {_DIFFERS} OR placed.properties <> standing.properties
"""  # noqa: S608 - as above


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append did: events that were ``new``, and ``duplicates`` that changed nothing.

    ``conflicts`` are those of the duplicates that say something else than what stands under their id.
    """

    new: int
    duplicates: int
    conflicts: int = 0


def append(connection: Any, draft: Draft, events: pa.Table, *, buckets: int) -> Appended:
    """Add to ``draft`` those of ``events`` whose ``event_id`` is new.

    An id is known wherever in the lake it lies, in whichever month and bucket. Of two equal ids in
    ``events`` the first counts.
    """
    show(connection, arriving=numbered(events.cast(EVENT_SCHEMA)))
    place(connection, draft, buckets=buckets)
    _show_lake(connection, draft)
    connection.execute(_KNOWN)
    connection.execute(_FIRST)
    fresh = fetch(connection, _FRESH)
    add_events(draft, fresh)
    duplicates = events.num_rows - fresh.num_rows
    conflicts = _conflicts(connection) if duplicates else 0
    return Appended(new=fresh.num_rows, duplicates=duplicates, conflicts=conflicts)


def _show_lake(connection: Any, draft: Draft) -> None:
    files = [str(draft.root / file) for file in draft.manifest.files("events")]
    if files:
        connection.read_parquet(files, hive_partitioning=False).create_view("lying")
    else:
        show(connection, lying=EVENT_SCHEMA.empty_table())


def _conflicts(connection: Any) -> int:
    """Count the events that came under a known id with another content; JSON is compared by what it says."""
    connection.execute(_STANDING)
    rows = fetch(connection, _OTHERWISE).to_pylist()
    return sum(row["differs"] or _said(row["new"]) != _said(row["old"]) for row in rows)


def _said(properties: str) -> dict[str, Any]:
    """Return what a JSON object says: a member that is null says no more than one that is not there."""
    return {name: value for name, value in orjson.loads(properties).items() if value is not None}


def add_events(draft: Draft, events: pa.Table) -> None:
    """Put ``events`` into the folders that their columns ``bucket`` and ``month`` name.

    Any order is right. Each run of equal folders becomes a file, so sorted rows give the fewest.
    """
    for start, end in _runs(events):
        rows = events.slice(start, end - start)
        folder = events_folder(rows["bucket"][0].as_py(), rows["month"][0].as_py())
        draft.add(folder, rows.select(EVENT_SCHEMA.names).cast(EVENT_SCHEMA))


def _runs(events: pa.Table) -> Iterator[tuple[int, int]]:
    """Yield where each run of one bucket and month begins and ends, read off the rows themselves.

    A grouping would name the runs in an order of its own: pyarrow's is not that of first appearance where groups
    are many and small (docs/decisions-log.md).
    """
    if not events.num_rows:
        return
    codes = [pc.dictionary_encode(events[name].combine_chunks()).indices for name in ("bucket", "month")]
    bucket, month = (np.asarray(each) for each in codes)
    changes = np.flatnonzero((np.diff(bucket) != 0) | (np.diff(month) != 0)) + 1
    yield from pairwise([0, *changes.tolist(), events.num_rows])
