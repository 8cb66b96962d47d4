"""Events into the lake, each once."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from features.contracts import EVENT_SCHEMA
from features.lake.manifest import events_folder
from features.lake.placing import fetch, numbered, place, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from features.lake.manifest import Draft

# The batch is the side a hash table is built on, so that the lake's ids stream past it.
_KNOWN = """
CREATE OR REPLACE TEMP TABLE known AS
SELECT event_id FROM read_parquet($files, hive_partitioning = false) SEMI JOIN placed USING (event_id)
"""

_NOTHING_KNOWN = "CREATE OR REPLACE TEMP TABLE known AS SELECT event_id FROM placed LIMIT 0"

_FRESH = """
SELECT * EXCLUDE (arrival), strftime(occurred_at, '%Y-%m') AS month
FROM placed
SEMI JOIN (SELECT min(arrival) AS arrival FROM placed GROUP BY event_id) USING (arrival)
ANTI JOIN known USING (event_id)
ORDER BY bucket, month, customer_id, occurred_at, event_id
"""


def append(connection: Any, draft: Draft, events: pa.Table, *, buckets: int) -> int:
    """Add to ``draft`` those of ``events`` whose ``event_id`` is new, and return how many were.

    An id is known wherever in the lake it lies, in whichever month and bucket. Of two equal ids in
    ``events`` the first counts.
    """
    show(connection, arriving=numbered(events.cast(EVENT_SCHEMA)))
    place(connection, draft, buckets=buckets)
    _look_up_known(connection, draft)
    fresh = fetch(connection, _FRESH)
    add_events(draft, fresh)
    return int(fresh.num_rows)


def _look_up_known(connection: Any, draft: Draft) -> None:
    files = [str(draft.root / file) for file in draft.manifest.files("events")]
    if files:
        connection.execute(_KNOWN, {"files": files})
    else:
        connection.execute(_NOTHING_KNOWN)


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
