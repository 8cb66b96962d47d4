"""Point-in-time joins: what was known of each customer at each moment of a spine, a group of buckets at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from features.layout import Group, Layout, Manifest
from features.store.repository import bounded, hushed, open_repository, register
from features.store.services import TRAINING
from features.store.spine import by_group, in_order
from features.views import views
from features.vocabulary import Vocabulary

_PACKED = pa.list_(pa.float64())
_CUSTOMERS_AT_ONCE = 20_000
"""The daily snapshots of so many customers are read in one go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offline:
    """The built files of one vocabulary, and the bounds of work on them."""

    layout: Layout
    vocabulary: Vocabulary
    ttl: timedelta
    memory_limit: str
    threads: int

    def packed(self, rows: pa.Table, manifest: Manifest) -> dict[str, pa.Array]:
        """Return the packed array of every daily view at each row of a numbered spine, null where unknown."""
        found = self._joined(rows, manifest)
        daily = (view.name for view in views(self.vocabulary) if view.daily)
        return {name: in_order(found, len(rows), name, _PACKED) for name in daily}

    def _joined(self, rows: pa.Table, manifest: Manifest) -> list[pa.Table]:
        spill = self.layout.spill
        with (
            bounded(memory_limit=self.memory_limit, threads=self.threads, spill=spill) as connection,
            TemporaryDirectory(dir=spill, prefix="feast-") as folder,
        ):
            repository = open_repository(Path(folder))
            groups = manifest.groups(customers=_CUSTOMERS_AT_ONCE)
            parts = by_group(rows, groups, self.layout.root / "contact", connection)
            return [self._join(repository, group, part) for group, part in parts]

    def _join(self, repository: Any, group: Group, part: pa.Table) -> pa.Table:
        register(repository, self.vocabulary, self.layout.root, ttl=self.ttl, files=group.glob)
        with hushed():
            return repository.get_historical_features(
                part.to_pandas(),
                features=repository.get_feature_service(TRAINING),
                # Without it a late backfill, stamped with the past, would leak into the past.
                filter_by_created_timestamp=True,
            ).to_arrow()
