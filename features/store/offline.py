"""Point-in-time joins: what was known of each customer at each moment of a spine, a bucket at a time.

Two engines give the same answer (an agreement test holds them together): Feast's own join, and DuckDB's ASOF join,
which takes a fraction of the time because it is not an inequality join with a window on top.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pyarrow as pa

from features.layout import Layout
from features.store.repository import bounded, hushed, open_repository, register
from features.store.spine import MOMENT, by_bucket, in_order
from features.tables.moments import CUSTOMER
from features.views import View, views
from features.vocabulary import Vocabulary

JoinEngine = Literal["feast", "asof"]

_PACKED = pa.list_(pa.float64())


@dataclass(frozen=True, slots=True, kw_only=True)
class Offline:
    """The built files of one vocabulary, and the bounds of work on them."""

    layout: Layout
    vocabulary: Vocabulary
    ttl: timedelta
    memory_limit: str
    threads: int

    def packed(self, rows: pa.Table, *, engine: JoinEngine) -> dict[str, pa.Array]:
        """Return the packed array of every daily view at each row of a numbered spine, null where unknown."""
        daily = [view for view in views(self.vocabulary) if view.daily]
        found = self._joined(rows, daily, engine)
        return {view.name: in_order(found, len(rows), view.name, _PACKED) for view in daily}

    def _joined(self, rows: pa.Table, daily: Sequence[View], engine: JoinEngine) -> list[pa.Table]:
        spill = self.layout.spill
        with (
            bounded(memory_limit=self.memory_limit, threads=self.threads, spill=spill) as connection,
            TemporaryDirectory(dir=spill, prefix="feast-") as folder,
        ):
            join = self._feast(Path(folder)) if engine == "feast" else self._asof(connection, daily)
            parts = by_bucket(rows, self.layout.files("contact"), connection)
            return [join(bucket, part) for bucket, part in parts]

    def _feast(self, folder: Path) -> Callable[[int, pa.Table], pa.Table]:
        repository = open_repository(folder)

        def join(bucket: int, part: pa.Table) -> pa.Table:
            files = self.layout.file("", bucket).name
            register(repository, self.vocabulary, self.layout.root, ttl=self.ttl, files=files)
            with hushed():
                return repository.get_historical_features(
                    part.to_pandas(),
                    features=repository.get_feature_service("training"),
                    # Without it a late backfill, stamped with the past, would leak into the past.
                    filter_by_created_timestamp=True,
                ).to_arrow()

        return join

    def _asof(self, connection: Any, daily: Sequence[View]) -> Callable[[int, pa.Table], pa.Table]:
        def join(bucket: int, part: pa.Table) -> pa.Table:
            connection.create_table("part", part, temp=True, overwrite=True)
            rows = connection.table("part")
            for view in daily:
                rows = self._latest(connection, rows, view, bucket)
            return connection.to_pyarrow(rows)

        return join

    def _latest(self, connection: Any, rows: Any, view: View, bucket: int) -> Any:
        held = connection.read_parquet(str(self.layout.file(view.name, bucket)))
        held = held.select(CUSTOMER, view.name, known_from=held[MOMENT])
        joined = rows.asof_join(
            held, on=rows[MOMENT] >= held.known_from, predicates=rows[CUSTOMER] == held[CUSTOMER]
        )
        fresh = joined.known_from + self.ttl >= joined[MOMENT]
        return joined.mutate(**{view.name: fresh.ifelse(joined[view.name], None)}).drop(
            f"{CUSTOMER}_right", "known_from"
        )


