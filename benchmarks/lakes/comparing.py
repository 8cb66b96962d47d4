"""What the product holds after a history against what the oracle says it should: every difference in words."""

from __future__ import annotations

import json
import math
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from benchmarks.lakes.history import history
from benchmarks.lakes.oracle import TODAY, Oracle
from benchmarks.lakes.playing import BUCKETS, play
from benchmarks.lakes.searching import traces
from features.vocabulary import Vocabulary
from runtime.lake import lake_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.settings import Settings

_TOLD = ("customer_id", "type", "occurred_at", "channel", "message_id", "value", "currency", "properties")
_SHOWN = 3

LEFT_BEHIND = "erased, and still there"
"""How the difference of an erasure begins."""


def differences(seed: int) -> list[str]:
    """Play the history of ``seed`` and return every difference from the oracle; none is what should be."""
    told, oracle = history(seed), Oracle()
    oracle.live(told)
    with TemporaryDirectory(prefix="kairos-lakes-") as folder:
        settings = play(told, Path(folder), seed=seed)
        return [*_found(settings, oracle)]


def _found(settings: Settings, oracle: Oracle) -> Iterator[str]:
    yield from _apart("event", _filed(settings), _expected(oracle))
    yield from _apart("customer", _people(settings), dict(oracle.homes))
    yield from (f"lake check: {count} {name}" for name, count in lake_of(settings).check().faults.items())
    yield from _apart("pressure", _pressure(settings), oracle.sent())
    yield from _apart("activity", _activity(settings), oracle.activity())
    yield from (f"{LEFT_BEHIND}: {trace}" for trace in traces(settings.home, oracle.gone))


def _apart(what: str, found: dict[str, Any], wanted: dict[str, Any]) -> Iterator[str]:
    """Yield the first keys under which the two differ."""
    keys = [key for key in sorted(found.keys() | wanted.keys()) if not _same(found.get(key), wanted.get(key))]
    for key in keys[:_SHOWN]:
        yield f"{what} {key!r}: {found.get(key)!r} instead of {wanted.get(key)!r} ({len(keys)} of this kind)"


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(found, float) and isinstance(wanted, (int, float)):
        return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(_same(found[key], wanted[key]) for key in wanted)
    return bool(found == wanted)


def _expected(oracle: Oracle) -> dict[str, Any]:
    return {
        key: {"folder": oracle.folder(event, BUCKETS), **{name: event.get(name) for name in _TOLD}}
        for key, event in oracle.events.items()
    }


def _filed(settings: Settings) -> dict[str, Any]:
    """Return every event in every file, by its id; one that stands twice says so."""
    found: dict[str, Any] = {}
    root = settings.lake / "events"
    for path in sorted(root.rglob("*.parquet")):
        for row in pq.ParquetFile(path).read().to_pylist():
            row["properties"] = json.loads(row["properties"])
            told = {"folder": str(path.parent.relative_to(root)), **{name: row[name] for name in _TOLD}}
            found[row["event_id"]] = [found[row["event_id"]], told] if row["event_id"] in found else told
    return found


def _people(settings: Settings) -> dict[str, Any]:
    files = sorted((settings.lake / "customers").rglob("*.parquet"))
    rows = [row for path in files for row in pq.ParquetFile(path).read().to_pylist()]
    return {row["customer_id"]: row["household_id"] for row in rows}


def _pressure(settings: Settings) -> dict[str, int]:
    with closing(sqlite3.connect(settings.home / "ledger.db")) as connection:
        counted = "SELECT customer_id, count(*) FROM pressure GROUP BY customer_id"
        return dict(connection.execute(counted).fetchall())


def _activity(settings: Settings) -> dict[str, Any]:
    """Return the last snapshot of everybody, read from the files and unpacked by the vocabulary's order alone."""
    names = Vocabulary(channels=("email", "sms"), categories=("drinks", "food")).activity
    found = {}
    for path in sorted((settings.features / "activity").glob("*.parquet")):
        for row in pq.ParquetFile(path).read().to_pylist():
            if row["event_timestamp"] == TODAY:
                values = dict(zip(names, row["activity"], strict=True))
                wanted = {
                    name: _plain(values[name])
                    for name in ("orders_365d", "recency_days", "spend_90d", "sessions_90d")
                }
                found[row["customer_id"]] = wanted if row["customer_id"] not in found else "two snapshots a day"
    return found


def _plain(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value
