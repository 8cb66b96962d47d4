"""The event lake: what happened, and to whom, in Parquet."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.contracts import CUSTOMER_SCHEMA, EVENT_SCHEMA
from features.files import locked, write_text
from features.lake.appending import Appended, append
from features.lake.buckets import bucket_folder
from features.lake.checking import Findings, look
from features.lake.compacting import compact
from features.lake.connection import connect
from features.lake.erasing import Erased, drop_months, erase, erase_quarantined, old_months
from features.lake.known import Known, known
from features.lake.manifest import Draft, Manifest, sweep
from features.lake.moving import put_customers
from features.lake.placing import fetch
from features.lake.repairing import repair
from features.progress import quiet
from features.whose import nobody

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    import ibis

    from features.progress import Progress
    from features.whose import Tombstones

VERSION = 1
"""The layout's version, kept in ``lake.json``."""


class Lake:
    """Events and customers below ``root``, cut into buckets by household.

    A bucket is ``md5(household_id or customer_id)`` modulo the bucket count (:func:`features.lake.bucket_of`);
    all events of a customer lie in the one bucket of their household. ``buckets`` counts for a new lake only:
    an existing lake keeps its own.

    Writers take turns through a lock file. A write is seen whole or not at all, however many buckets it
    touches and wherever it is killed. A reader whose files a compaction removes under it gets an error, never
    a wrong number. Memory is bounded by one batch or one bucket, whichever is larger.

    Raises:
        ValueError: ``root`` holds a lake of another version.
    """

    def __init__(
        self, root: Path, *, buckets: int = 16, memory_limit: str = "2GB", threads: int | None = None
    ) -> None:
        self.root = Path(root).absolute()
        self.buckets = _kept_buckets(self.root, buckets)
        self._bounds: dict[str, Any] = {"memory_limit": memory_limit, "threads": threads}

    @property
    def quarantine(self) -> Path:
        """Where rows lie that an import refused, each with the rule it broke."""
        return self.root / "quarantine"

    def append(self, events: pa.Table) -> Appended:
        """Add ``events`` (``EVENT_SCHEMA``). An ``event_id`` that is known already changes nothing."""
        with self._draft() as draft, self._connected() as backend:
            return append(backend.con, draft, events, buckets=self.buckets)

    def put_customers(self, customers: pa.Table) -> None:
        """Put ``customers`` (``CUSTOMER_SCHEMA``) in; the latest row of a customer stands for all earlier ones.

        Where a row names another household than was known, the customer's events move to its bucket.
        """
        with self._draft() as draft, self._connected() as backend:
            put_customers(backend.con, draft, customers, buckets=self.buckets)

    def erase(self, *customer_ids: str) -> Erased:
        """Remove people from every file of the lake, the quarantine too; return how many rows went.

        What killed writes left behind goes as well: nobody reads it, but it may hold them.
        """
        with self._draft() as draft:
            sweep(draft.root, draft.manifest)
            events, people = erase(draft, customer_ids, buckets=self.buckets)
            quarantined = erase_quarantined(self.quarantine, customer_ids)
            return Erased(events=events, customers=people, quarantined=quarantined)

    def events_before(self, before: date) -> int:
        """Return how many events lie in whole months that ended before ``before``."""
        folders = old_months(Manifest.load(self.root), before)
        return sum(pq.read_metadata(file).num_rows for each in folders for file in self._files(each))

    def drop_months(self, before: date) -> None:
        """Remove the whole months of events that ended before ``before``."""
        with self._draft() as draft:
            drop_months(draft, before)

    def known(self, customer_id: str) -> Known:
        """Return everything the lake holds of one customer."""
        return known(self.root, customer_id, buckets=self.buckets)

    def compact(self, progress: Progress = quiet) -> int:
        """Merge small files, sorted by customer and time, and sweep; return how many folders were merged."""
        with self._draft() as draft:
            return compact(draft, progress)

    def check(self, *, erased: Tombstones = nobody) -> Findings:
        """Hold every row against its folder, every id against all others, the manifest against the files.

        ``erased`` tells which of some customers were erased: nothing of them may be left.
        """
        with self._draft() as draft, self._connected() as backend:
            return look(backend.con, self.root, draft.manifest, buckets=self.buckets, erased=erased).findings

    def repair(self, *, erased: Tombstones = nobody) -> frozenset[str]:
        """Put right what :meth:`check` finds, and return erased people of whom there was something left.

        Raises:
            BrokenFilesError: where files cannot be read; nothing is changed.
        """
        with self._draft() as draft, self._connected() as backend:
            seen = look(backend.con, self.root, draft.manifest, buckets=self.buckets, erased=erased)
            sweep(draft.root, draft.manifest)
            repair(backend.con, draft, seen)
        return seen.gone

    def events(self, connection: Any, bucket: int) -> ibis.Table:
        """Return the bucket's events (``EVENT_SCHEMA``) as an Ibis table on ``connection``."""
        return self._table(connection, "events", bucket, EVENT_SCHEMA)

    def customers(self, connection: Any, bucket: int) -> ibis.Table:
        """Return the bucket's customers (``CUSTOMER_SCHEMA``) as an Ibis table on ``connection``."""
        return self._table(connection, "customers", bucket, CUSTOMER_SCHEMA)

    def customer_ids(self, bucket: int) -> list[str]:
        """Return everybody in the bucket who has a customer row or an event, in order."""
        with self._connected() as backend:
            known = self.customers(backend, bucket).select("customer_id")
            seen = self.events(backend, bucket).select("customer_id")
            everybody = known.union(seen, distinct=True).order_by("customer_id").to_pyarrow()
        ids: list[str] = everybody["customer_id"].to_pylist()
        return ids

    def counts(self) -> dict[str, int]:
        """Return how many events of each type there are."""
        counted = self._over_events("SELECT type, count(*) AS n FROM events GROUP BY type ORDER BY type")
        return dict(zip(counted["type"].to_pylist(), counted["n"].to_pylist(), strict=True))

    def last_event_at(self) -> datetime | None:
        """Return when the last event happened (UTC), or None in an empty lake."""
        latest: datetime | None = self._over_events("SELECT max(occurred_at) AS at FROM events")["at"][0].as_py()
        return latest and latest.astimezone(UTC)

    def _table(self, connection: Any, kind: str, bucket: int, schema: pa.Schema) -> ibis.Table:
        if not 0 <= bucket < self.buckets:
            raise ValueError(f"bucket {bucket} is not in this lake: it has buckets 0 to {self.buckets - 1}")
        files = self._files(kind, bucket_folder(bucket))
        if not files:
            from ibis.util import gen_name  # noqa: PLC0415  # whoever has a connection has imported it

            return connection.create_table(gen_name(f"no_{kind}"), schema=_nullable(schema), temp=True)
        return connection.read_parquet(files, hive_partitioning=False)

    def _files(self, *parts: str) -> list[str]:
        return [str(self.root / file) for file in Manifest.load(self.root).files(*parts)]

    def _over_events(self, query: str) -> pa.Table:
        with self._connected() as backend:
            sql, files = backend.con, self._files("events")
            if files:
                sql.read_parquet(files, hive_partitioning=False).create_view("events")
            else:
                sql.register("events", EVENT_SCHEMA.empty_table())
            return fetch(sql, query)

    @contextmanager
    def _draft(self) -> Iterator[Draft]:
        with locked(self.root / ".lock"):
            draft = Draft(self.root)
            try:
                yield draft
                draft.commit()
            except BaseException:
                draft.abandon()
                raise

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        backend = connect(temp=self.root / ".spill", **self._bounds)
        try:
            yield backend
        finally:
            backend.disconnect()


def _nullable(schema: pa.Schema) -> pa.Schema:
    """Return what DuckDB makes of ``schema`` when it reads it from Parquet: every column may be null."""
    return pa.schema([field.with_nullable(True) for field in schema])


def _kept_buckets(root: Path, wanted: int) -> int:
    path = root / "lake.json"
    if not path.exists():
        write_text(json.dumps({"version": VERSION, "buckets": wanted}), path)
    facts = json.loads(path.read_text(encoding="utf-8"))
    if facts["version"] != VERSION:
        raise ValueError(f"{path} has version {facts['version']}; this Kairos reads version {VERSION}")
    return int(facts["buckets"])
