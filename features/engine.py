"""One bounded DuckDB for one job, through Ibis."""

from __future__ import annotations

from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import ibis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def bounded_duckdb(*, memory_limit: str, threads: int, spill: Path) -> Iterator[Any]:
    """Give a fresh DuckDB that uses at most ``memory_limit`` and spills below ``spill``; close it afterwards."""
    spill.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=spill, prefix="spill-") as folder:
        connection = ibis.duckdb.connect(
            memory_limit=memory_limit,
            threads=threads,
            temp_directory=folder,
            preserve_insertion_order=False,
            autoinstall_known_extensions=False,
        )
        try:
            yield connection
        finally:
            connection.disconnect()
