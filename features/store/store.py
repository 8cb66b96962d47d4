"""The feature store: one object over the built files, used by jobs and, in process, by the service."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from features.build import last_snapshot
from features.engine import bounded_duckdb
from features.files import replacing
from features.layout import SIGNS, Group, Layout, Manifest
from features.progress import quiet
from features.rhythm import rhythm as rhythm_of
from features.store.errors import FeaturesUnavailable
from features.store.offline import Offline
from features.store.online import drafted, publish
from features.store.reading import FEATURES_AS_OF, TTL, OnlineStore, unavailable, valid
from features.store.repository import bounded, hushed, open_repository, register
from features.store.spine import ROW, by_group, check_rosters, in_order, numbered
from features.views import View, views

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from features.progress import Progress
    from features.vocabulary import Vocabulary

_CUSTOMERS_AT_ONCE = 50_000
_WEEK = pa.list_(pa.float64())


@dataclass(frozen=True, slots=True, kw_only=True)
class Materialized:
    """What a materialization put online."""

    as_of: date
    buckets: int
    seconds: float


class FeatureStore:
    """Training sets from the built files, and online reads of the last materialization.

    Methods raise :class:`FeaturesUnavailable` where there is nothing that can be read, and ``ValueError`` where
    the caller asked for something impossible.
    """

    def __init__(
        self,
        root: Path,
        vocabulary: Vocabulary,
        *,
        ttl: timedelta = TTL,
        memory_limit: str = "2GB",
        threads: int = 2,
    ) -> None:
        self._layout = Layout(Path(root).absolute())
        self._vocabulary = vocabulary
        self._ttl = ttl
        self._bounds: dict[str, Any] = {
            "memory_limit": memory_limit,
            "threads": threads,
            "spill": self._layout.spill,
        }
        self._offline = Offline(
            layout=self._layout, vocabulary=vocabulary, ttl=ttl, memory_limit=memory_limit, threads=threads
        )
        self._online = OnlineStore(root, vocabulary, ttl=ttl)

    def apply(self) -> Path:
        """Write Feast's registry over all buckets, for its own command and user interface; return its file."""
        self._layout.spill.mkdir(parents=True, exist_ok=True)
        target = self._layout.root / "registry.db"
        with TemporaryDirectory(dir=self._layout.spill) as folder:
            register(
                open_repository(Path(folder)),
                self._vocabulary,
                self._layout.root,
                ttl=self._ttl,
                files="*.parquet",
            )
            with replacing(target) as draft:
                shutil.copyfile(Path(folder) / "registry.db", draft)
        return target

    def materialize(self, until: date | datetime | None = None, *, progress: Progress = quiet) -> Materialized:
        """Put the last snapshots online, in place of what was there.

        ``until`` (by default the build's own day) says of when they must be: a build that ends more than ttl
        before it is refused, as is a past that the build has gone beyond.

        Raises:
            RowsDoubled: where customers lie in two buckets: one of their rows would stand for them by chance.
        """
        started = time.perf_counter()
        manifest = self._manifest()
        self._check_day(manifest, last_snapshot(until) if until else manifest.until)
        with unavailable("materializing"), drafted(self._layout) as folder:
            with bounded_duckdb(**self._bounds) as connection:
                check_rosters(self._layout.root / "contact", connection)
            self._fill(folder, manifest, progress)
            publish(self._layout, folder, manifest)
        return Materialized(as_of=manifest.until, buckets=manifest.buckets, seconds=time.perf_counter() - started)

    def _check_day(self, manifest: Manifest, day: date) -> None:
        if not manifest.until <= day <= manifest.until + self._ttl:
            raise ValueError(
                f"features are built until {manifest.until}, asked to materialize {day}; "
                f"run `kairos features build` until that day first"
            )

    def _fill(self, folder: Path, manifest: Manifest, progress: Progress) -> None:
        repository = open_repository(folder)
        end = datetime.combine(manifest.until, clock_time(), UTC)
        groups = manifest.groups(customers=_CUSTOMERS_AT_ONCE)
        for group in groups:
            progress("materialize", group.number, len(groups))
            self._register(repository, group.glob)
            with bounded(**self._bounds), hushed():
                # The snapshot of that moment alone: views are dense, and whoever has none has nothing new to say.
                repository.materialize(end, end)
        self._register(repository, "*.parquet")
        progress("materialize", len(groups), len(groups))

    def _register(self, repository: Any, files: str) -> None:
        register(repository, self._vocabulary, self._layout.root, ttl=self._ttl, files=files)

    def training_set(self, spine: pa.Table, *, rhythm: bool = False) -> pa.Table:
        """Return ``spine`` with what was known at each of its moments: every daily column, null where unknown.

        ``spine`` has ``customer_id``, ``event_timestamp`` (with a zone) and any further columns; its rows, their
        order and its columns are kept. A row gets the last snapshot not after its moment and not older than ttl.
        ``rhythm`` adds the 168 hours at each moment (:meth:`rhythm_at`).
        """
        self._check_columns(spine)
        manifest, rows = self._manifest(), numbered(spine)
        with unavailable("joining features"):
            packed = self._offline.packed(rows, manifest)
            known = valid(packed["activity"])
            for view in self._views(daily=True):
                spine = _with(spine, view.unpack(packed[view.name], known))
        return self._with_rhythm(spine, known) if rhythm else spine

    def rhythm_at(self, spine: pa.Table) -> pa.Array:
        """Return the rhythm (168 weighted counts, local hours) at each row of ``spine``, null for the unknown.

        Daily snapshots leave it out; this rebuilds it from the kept signs of life, to the moment.
        """
        manifest, rows = self._manifest(), numbered(spine)
        with unavailable("reading the rhythm"), bounded_duckdb(**self._bounds) as connection:
            groups = manifest.groups(customers=_CUSTOMERS_AT_ONCE)
            found = [
                part.append_column("rhythm", self._week(connection, group, part, manifest))
                for group, part in by_group(rows, groups, self._layout.root / "contact", connection)
            ]
            return in_order(found, len(rows), "rhythm", _WEEK)

    def _week(self, connection: Any, group: Group, part: pa.Table, manifest: Manifest) -> pa.Array:
        signs = connection.read_parquet(str(self._layout.root / SIGNS / group.glob))
        return rhythm_of(signs, part.drop_columns(ROW), connection, half_life_days=manifest.half_life_days)

    def _with_rhythm(self, spine: pa.Table, known: np.ndarray[Any, Any]) -> pa.Table:
        hours = self.rhythm_at(spine)
        return spine.append_column("rhythm", pc.if_else(pa.array(known), hours, pa.scalar(None, _WEEK)))

    def online(self, customer_ids: Sequence[str], *, now: datetime | None = None) -> pa.Table:
        """Return the feature frame as of the last materialization, as :class:`OnlineStore` reads it."""
        return self._online.online(customer_ids, now=now)

    def _views(self, *, daily: bool = False) -> tuple[View, ...]:
        return tuple(view for view in views(self._vocabulary) if view.daily or not daily)

    def _manifest(self) -> Manifest:
        with unavailable("reading the features"):
            manifest = self._layout.read_manifest()
        if manifest.vocabulary != self._vocabulary:
            raise FeaturesUnavailable(
                f"features are built for {manifest.vocabulary}, asked for {self._vocabulary}; "
                f"run `kairos features build` again"
            )
        return manifest

    def _check_columns(self, spine: pa.Table) -> None:
        ours = {column for view in self._views() for column in view.columns} | {FEATURES_AS_OF}
        if taken := sorted(ours & set(spine.column_names)):
            raise ValueError(f"the spine already has feature columns {taken}; rename or drop them")


def _with(table: pa.Table, columns: dict[str, pa.Array]) -> pa.Table:
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table
