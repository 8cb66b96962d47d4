"""Everything the lake holds of one customer, read past all engines: what an export is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from features.contracts import CUSTOMER_SCHEMA, EVENT_SCHEMA
from features.lake.buckets import bucket_folder, bucket_of
from features.lake.manifest import Manifest, customers_folder, households_folder
from features.lake.placing import DIRECTORY_SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

_TRIES = 3
"""A compaction may remove files under a reader; the new manifest then names others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The ``events`` (``EVENT_SCHEMA``, by time) and the ``customers`` row, if any, of one customer."""

    events: pa.Table
    customers: pa.Table


def known(root: Path, customer_id: str, *, buckets: int) -> Known:
    """Return what the lake at ``root`` holds of ``customer_id``.

    Raises:
        FileNotFoundError: where files were removed under the reader again and again.
    """
    for _ in range(_TRIES - 1):
        try:
            return _read(root, Manifest.load(root), customer_id, buckets)
        except FileNotFoundError:
            continue
    return _read(root, Manifest.load(root), customer_id, buckets)


def _read(root: Path, manifest: Manifest, customer_id: str, buckets: int) -> Known:
    own = bucket_of(customer_id, buckets)
    directory = _rows(root, manifest.files(households_folder(own)), customer_id, DIRECTORY_SCHEMA)
    household = directory["household_id"][0].as_py() if len(directory) else None
    home = bucket_of(household or customer_id, buckets)
    events = _rows(root, manifest.files("events", bucket_folder(home)), customer_id, EVENT_SCHEMA)
    return Known(
        events=events.sort_by([("occurred_at", "ascending"), ("event_id", "ascending")]),
        customers=_rows(root, manifest.files(customers_folder(home)), customer_id, CUSTOMER_SCHEMA),
    )


def _rows(root: Path, files: list[str], customer_id: str, schema: pa.Schema) -> pa.Table:
    theirs = [("customer_id", "==", customer_id)]
    parts = [pq.read_table(root / file, filters=theirs, partitioning=None).cast(schema) for file in files]
    return pa.concat_tables([schema.empty_table(), *parts])
