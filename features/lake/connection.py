"""A fresh DuckDB connection with bounds: what every job over the lake works on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from features.lake.buckets import BUCKET_MACRO

if TYPE_CHECKING:
    from pathlib import Path


def connect(*, memory_limit: str = "2GB", threads: int | None = None, temp: Path | None = None) -> Any:
    """Return a new Ibis backend on an in-memory DuckDB, in UTC, within ``memory_limit``.

    What does not fit spills below ``temp``. Extensions are never fetched from the network. The SQL macro
    ``bucket_of(key, buckets)`` is defined on it.
    """
    import ibis  # noqa: PLC0415  # slow to import, and one customer's rows are read without it

    options: dict[str, Any] = {"memory_limit": memory_limit, "autoinstall_known_extensions": False}
    if threads is not None:
        options["threads"] = threads
    if temp is not None:
        options["temp_directory"] = str(temp)
    connection = ibis.duckdb.connect(**options)
    connection.raw_sql("SET TimeZone = 'UTC'")
    _draw_no_bar(connection)
    connection.raw_sql(BUCKET_MACRO)
    return connection


def _draw_no_bar(connection: Any) -> None:
    """Leave progress to the command. In a notebook there is no bar, and DuckDB refuses to be asked for none."""
    if connection.raw_sql("SELECT current_setting('enable_progress_bar')").fetchone()[0]:
        connection.raw_sql("SET enable_progress_bar = false")
