"""One person out of every file of the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.contracts import CUSTOMER_SCHEMA, EVENT_SCHEMA
from features.files import write_parquet
from features.lake.buckets import bucket_folder, bucket_of
from features.lake.manifest import customers_folder, households_folder
from features.lake.placing import DIRECTORY_SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

    from features.lake.manifest import Draft


def erase(draft: Draft, customer_id: str, *, buckets: int) -> int:
    """Take ``customer_id`` out of ``draft`` and return how many rows went.

    Their household's bucket is read from the directory; the other members of the household stay.
    """
    own = bucket_of(customer_id, buckets)
    directory = draft.read(households_folder(own), DIRECTORY_SCHEMA)
    households = directory.filter(pc.equal(directory["customer_id"], customer_id))["household_id"].to_pylist()
    bucket = bucket_of(households[0], buckets) if households else own
    gone = _without(draft, households_folder(own), DIRECTORY_SCHEMA, customer_id)
    gone += _without(draft, customers_folder(bucket), CUSTOMER_SCHEMA, customer_id)
    for folder in draft.manifest.under("events", bucket_folder(bucket)):
        gone += _without(draft, folder, EVENT_SCHEMA, customer_id)
    return gone


def _without(draft: Draft, folder: str, schema: pa.Schema, customer_id: str) -> int:
    before = draft.read(folder, schema)
    after = before.filter(pc.not_equal(before["customer_id"], customer_id))
    if after.num_rows < before.num_rows:
        draft.replace(folder, after)
    return int(before.num_rows - after.num_rows)


def erase_quarantined(folder: Path, customer_id: str) -> int:
    """Take the refused rows of ``customer_id`` out of the quarantine files in ``folder``; return how many.

    A row that says nowhere whose it is goes if the id occurs anywhere in it: better one refused row too many.
    """
    gone = 0
    for path in sorted(folder.glob("*.parquet")):
        before = pq.ParquetFile(path).read()
        after = before.filter(pc.invert(_about(before, customer_id)))
        gone += before.num_rows - after.num_rows
        if not after.num_rows:
            path.unlink()
        elif after.num_rows < before.num_rows:
            write_parquet(after, path)
    return gone


def _about(rows: pa.Table, customer_id: str) -> Any:
    theirs = pc.fill_null(pc.equal(rows["customer_id"], customer_id), fill_value=False)
    unclear = pc.and_(pc.is_null(rows["customer_id"]), pc.match_substring(rows["row"], customer_id))
    return pc.or_(theirs, unclear)
