"""Build the feature tables of a lake: daily snapshots as Parquet, one file a view and bucket.

An event that arrives late (imported after days on which it could not be known) is part of every snapshot after it
*happened*: events carry no moment of arrival. A snapshot is therefore what an always punctual lake would have
known; ``created_at`` equals the snapshot's own moment, so that history survives Feast's filter by creation.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import pyarrow.parquet as pq

from features.contracts import EVENT_SCHEMA
from features.engine import bounded_duckdb
from features.files import replacing
from features.layout import SIGNS, Layout, Manifest
from features.progress import quiet
from features.quoting import sql_text
from features.rhythm import HALF_LIFE_DAYS, rhythm, signs_of_life
from features.tables import activity, categories, contact, pressure, tally
from features.tables.messages import told_before
from features.tables.moments import CUSTOMER, midnight
from features.views import views

if TYPE_CHECKING:
    from features.lake import CustomerSource
    from features.progress import Progress
    from features.vocabulary import Vocabulary

_TOLD, _COUNTED = "told", "counted"

CUSTOMER_COLUMNS = dict.fromkeys((CUSTOMER, "time_zone", "country", "contacts", "attributes"), "string")
"""What the tables read of a customer; ``contacts`` and ``attributes`` are JSON objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """What local time means for customers whose zone is unknown: their country's, else the policy's, else UTC."""

    by_country: Mapping[str, str] = field(default_factory=dict)
    default: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """What a build wrote: rows by view (and ``signs``), over how many buckets, in how many seconds."""

    until: date
    buckets: int
    customers: int
    rows: Mapping[str, int]
    seconds: float


@dataclass(frozen=True, slots=True)
class _Plan:
    """Everything a bucket needs, made once: the SQL of what views share and of each view, and where it goes."""

    layout: Layout
    until: date
    shared: Mapping[str, str]
    sql: Mapping[str, str]
    memory_limit: str
    half_life_days: float


def build_features(  # noqa: PLR0913 - the job's settings, all keyword-only
    lake: CustomerSource,
    root: Path,
    *,
    vocabulary: Vocabulary,
    until: date | datetime,
    zones: Zones | None = None,
    half_life_days: float = HALF_LIFE_DAYS,
    heard_at: datetime | None = None,
    progress: Progress = quiet,
    memory_limit: str = "2GB",
    threads: int = 2,
) -> BuildReport:
    """Build every view of every bucket below ``root``, in place of what was there.

    The last snapshot is the last midnight (UTC) not after ``until``. ``threads`` buckets are built side by side,
    each within ``memory_limit``. Until the build is complete there is no manifest, and nothing reads its files.
    ``heard_at`` goes into the manifest: when the lake began to be read, with all that the ledger had been told.

    Raises:
        ValueError: for an ``until`` without a time zone.
    """
    started = time.perf_counter()
    day = last_snapshot(until)
    layout = Layout(Path(root))
    zones = zones or Zones()
    sql = _compiled(vocabulary, day, tuple(sorted(zones.by_country.items())), zones.default)
    plan = _Plan(layout, day, _compiled_shared(day), sql, memory_limit, half_life_days)
    layout.manifest.unlink(missing_ok=True)
    rows = _build_all(lake, plan, threads=threads, progress=progress)
    _drop_foreign_buckets(layout, rows, lake.buckets)
    layout.write_manifest(Manifest(vocabulary, day, lake.buckets, rows["contact"], half_life_days, heard_at))
    return BuildReport(
        until=day,
        buckets=lake.buckets,
        customers=rows["contact"],
        rows=rows,
        seconds=time.perf_counter() - started,
    )


def last_snapshot(until: date | datetime) -> date:
    """Return the day of the last midnight (UTC) not after ``until``."""
    if not isinstance(until, datetime):
        return until
    if until.tzinfo is None:
        raise ValueError(f"until needs a time zone, got {until.isoformat()!r}; write it with +00:00 for UTC")
    return until.astimezone(UTC).date()


def shared(until: date) -> dict[str, ir.Table]:
    """Return what several views read, as expressions over ``events`` and what comes before in the order told.

    ``told`` are the reports of the sends before ``until`` (:func:`features.tables.messages.told_before`),
    ``counted`` the table :func:`features.tables.tally.tally`, whose texts and numbers are two views.
    """
    told = told_before(_events(), until)
    at_hand = ibis.table(told.schema(), name=_TOLD)
    return {_TOLD: told, _COUNTED: tally(_events(), until=until, told=at_hand)}


def expressions(vocabulary: Vocabulary, until: date, zones: Zones) -> dict[str, ir.Table]:
    """Return every view but the rhythm, an expression over ``events``, ``customers`` and what is shared."""
    events = _events()
    customers = ibis.table(CUSTOMER_COLUMNS, name="customers")
    told, counted = (ibis.table(table.schema(), name=name) for name, table in shared(until).items())
    plain = {
        "activity": activity(events, until=until),
        "contact": contact(events, customers, as_of=until, channels=vocabulary.channels, told=told),
        **{
            f"pressure_{channel}": pressure(events, until=until, channel=channel, told=told)
            for channel in vocabulary.channels
        },
        "tally": counted,
        "tally_pairs": counted,
    }
    if vocabulary.categories:
        plain["categories"] = categories(events, until=until, categories=vocabulary.categories)
    signs = signs_of_life(
        events, customers, until=until, country_zones=zones.by_country, default_zone=zones.default
    )
    packed = {view.name: view.pack(plain[view.name]) for view in views(vocabulary) if view.name in plain}
    return packed | {SIGNS: signs}


def _events() -> ir.Table:
    return ibis.table(ibis.Schema.from_pyarrow(EVENT_SCHEMA), name="events")


@lru_cache(maxsize=4)
def _compiled(
    vocabulary: Vocabulary, until: date, by_country: tuple[tuple[str, str], ...], default_zone: str
) -> Mapping[str, str]:
    # Once, not once a bucket or build of the day: Ibis takes two seconds for what DuckDB answers in less.
    every = expressions(vocabulary, until, Zones(by_country=dict(by_country), default=default_zone))
    return {name: _sql(table) for name, table in every.items()}


@lru_cache(maxsize=4)
def _compiled_shared(until: date) -> Mapping[str, str]:
    return {name: _sql(table) for name, table in shared(until).items()}


def _sql(table: ir.Table) -> str:
    return str(ibis.to_sql(table, dialect="duckdb", pretty=False))


def _build_all(lake: CustomerSource, plan: _Plan, *, threads: int, progress: Progress) -> dict[str, int]:
    total: dict[str, int] = {}
    progress("features", 0, lake.buckets)
    # A bucket is smaller than what DuckDB splits among threads, so the threads take a bucket each.
    with ThreadPoolExecutor(max_workers=threads) as pool:
        waiting = [pool.submit(_build_bucket, lake, plan, bucket) for bucket in range(lake.buckets)]
        for done, finished in enumerate(as_completed(waiting), start=1):
            for name, rows in finished.result().items():
                total[name] = total.get(name, 0) + rows
            progress("features", done, lake.buckets)
    return total


def _build_bucket(lake: CustomerSource, plan: _Plan, bucket: int) -> dict[str, int]:
    with bounded_duckdb(memory_limit=plan.memory_limit, threads=1, spill=plan.layout.spill) as connection:
        connection.create_table("events", lake.events(connection, bucket), temp=True)
        customers = lake.customers(connection, bucket).select(*CUSTOMER_COLUMNS)
        connection.create_table("customers", customers, temp=True)
        for name, sql in plan.shared.items():
            connection.raw_sql(f"CREATE TEMP TABLE {name} AS {sql}")
        rows = {name: _write(connection, sql, plan.layout.file(name, bucket)) for name, sql in plan.sql.items()}
        return rows | {"rhythm": _write_rhythm(connection, plan, bucket)}


def _write(connection: Any, sql: str, path: Path) -> int:
    with replacing(path) as draft:
        connection.raw_sql(f"COPY ({sql}) TO {sql_text(draft)} (FORMAT parquet, COMPRESSION zstd)")
        return int(pq.read_metadata(draft).num_rows)


def _write_rhythm(connection: Any, plan: _Plan, bucket: int) -> int:
    """Write the rhythm at the last snapshot, of every customer who ever did anything."""
    seen = connection.table("events").select(CUSTOMER).distinct()
    spine = connection.to_pyarrow(seen.mutate(event_timestamp=midnight(plan.until)))
    signs = connection.read_parquet(str(plan.layout.file(SIGNS, bucket)))
    hours = rhythm(signs, spine, connection, half_life_days=plan.half_life_days)
    packed = spine.append_column("created_at", spine["event_timestamp"]).append_column("rhythm", hours)
    with replacing(plan.layout.file("rhythm", bucket)) as draft:
        pq.write_table(packed, draft, compression="zstd")
    return len(packed)


def _drop_foreign_buckets(layout: Layout, names: Mapping[str, int], buckets: int) -> None:
    """Remove what an earlier lake with more buckets left behind."""
    for name in names:
        wanted = {layout.file(name, bucket) for bucket in range(buckets)}
        for path in layout.files(name):
            if path not in wanted:
                path.unlink()
