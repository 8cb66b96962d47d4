"""One bounded DuckDB for one job, through Ibis."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from features.lake.connection import connect

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def bounded_duckdb(*, memory_limit: str, threads: int, spill: Path) -> Iterator[Any]:
    """Give a fresh DuckDB that uses at most ``memory_limit`` and spills below ``spill``; close it afterwards."""
    spill.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=spill, prefix="spill-") as folder:
        connection = connect(memory_limit=memory_limit, threads=threads, temp=Path(folder))
        connection.raw_sql("SET preserve_insertion_order = false")  # row ids restore the order where it matters
        try:
            yield connection
        finally:
            connection.disconnect()
