"""People out of every file of the lake; and whole months, once they are too old to be kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.contracts import CUSTOMER_SCHEMA, EVENT_SCHEMA
from features.files import clear_drafts, write_parquet
from features.lake.buckets import bucket_folder, bucket_of
from features.lake.manifest import customers_folder, households_folder
from features.lake.placing import DIRECTORY_SCHEMA
from features.readings import readings
from features.whose import about, without

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date
    from pathlib import Path

    from features.lake.manifest import Draft, Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How many rows an erasure took out of the lake, by what they were."""

    events: int
    customers: int
    quarantined: int


def erase(draft: Draft, customer_ids: Collection[str], *, buckets: int) -> tuple[int, int]:
    """Take customers out of ``draft``; return how many events, and how many rows about who they are, went.

    Each one's household's bucket is read from the directory; the other members of the household stay. A folder is
    read and written once, however many of its people go.
    """
    own = {bucket_of(each, buckets) for each in customer_ids}
    at_home = _households(draft, customer_ids, own)
    homes = {bucket_of(at_home.get(each) or each, buckets) for each in customer_ids}
    people = sum(_without(draft, households_folder(each), DIRECTORY_SCHEMA, customer_ids) for each in own)
    people += sum(_without(draft, customers_folder(each), CUSTOMER_SCHEMA, customer_ids) for each in homes)
    folders = [folder for home in homes for folder in draft.manifest.under("events", bucket_folder(home))]
    return sum(_without(draft, each, EVENT_SCHEMA, customer_ids) for each in folders), people


def _households(draft: Draft, customer_ids: Collection[str], buckets: Collection[int]) -> dict[str, str]:
    """Return the household of each customer who lies in another bucket than the own id's."""
    directory = pa.concat_tables(draft.read(households_folder(each), DIRECTORY_SCHEMA) for each in buckets)
    found = directory.filter(about(directory["customer_id"], customer_ids))
    return dict(zip(found["customer_id"].to_pylist(), found["household_id"].to_pylist(), strict=True))


def _without(draft: Draft, folder: str, schema: pa.Schema, customer_ids: Collection[str]) -> int:
    before = draft.read(folder, schema)
    after = without(before, customer_ids)
    if after.num_rows < before.num_rows:
        draft.replace(folder, after)
    return int(before.num_rows - after.num_rows)


def erase_quarantined(folder: Path, customer_ids: Collection[str]) -> int:
    """Take the refused rows of customers out of the quarantine files in ``folder``; return how many.

    A row that says nowhere whose it is goes if an id occurs anywhere in it, in whatever escapes: better one
    refused row too many. So does one whose id has blanks around.
    """
    clear_drafts(folder)
    gone = 0
    for path in sorted(folder.glob("*.parquet")):
        before = pq.ParquetFile(path).read()
        after = before.filter(pc.invert(_refused_of(before, customer_ids)))
        gone += before.num_rows - after.num_rows
        if not after.num_rows:
            path.unlink()
        elif after.num_rows < before.num_rows:
            write_parquet(after, path)
    return gone


def _refused_of(rows: pa.Table, customer_ids: Collection[str]) -> Any:
    named, trimmed = rows["customer_id"], pc.utf8_trim_whitespace(rows["customer_id"])
    found = pc.or_(about(named, customer_ids), about(trimmed, customer_ids))
    unclear = pc.is_null(named).to_pylist()
    texts = zip(unclear, rows["row"].to_pylist(), strict=True)
    within = [is_unclear and _occurs(row, customer_ids) for is_unclear, row in texts]
    return pc.or_(found, pa.array(within, pa.bool_()))


def _occurs(row: str, customer_ids: Collection[str]) -> bool:
    return any(each in text for text in readings(row) for each in customer_ids)


def old_months(manifest: Manifest, before: date) -> list[str]:
    """Return the folders of events whose month ended before ``before``."""
    first_kept = before.strftime("%Y-%m")
    return [folder for folder in manifest.under("events") if folder.rpartition("month=")[2] < first_kept]


def drop_months(draft: Draft, before: date) -> None:
    """Take whole months of events out of ``draft`` that ended before ``before``."""
    for folder in old_months(draft.manifest, before):
        draft.replace(folder, EVENT_SCHEMA.empty_table())
