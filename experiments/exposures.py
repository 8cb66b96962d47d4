"""Who was assigned what, from a file or a table: ids as text, moments with an offset, nothing guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts.words import FIRST_PLAUSIBLE
from features.importing.compiling import ARRIVAL, visible
from features.importing.mapping import File
from features.importing.moments import compile_moment
from features.importing.sources import open_file
from features.importing.values import Moment
from features.lake import connect
from features.nearest import nearest

if TYPE_CHECKING:
    from pathlib import Path

EXPOSURE_SCHEMA = pa.schema(
    [("customer_id", pa.string()), ("arm", pa.string()), ("assigned_at", pa.timestamp("us", "UTC"))]
)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
"""An assignment from then on is none but a slip, as is one before 1990."""


def read_exposures(file: Path) -> pa.Table:
    """Return a file's ``customer_id``, ``arm``, ``assigned_at``: CSV, TSV, JSON lines or Parquet by its ending.

    It is read as an import reads it: ids are text from the first byte.

    Raises:
        ValueError: naming the column, line or value that does not fit.
    """
    connection = connect()
    try:
        opened = open_file(connection, "exposures", File(path=file.name), file.parent)
        _check_refused(opened.refused, file)
        rows = opened.table.order_by(ARRIVAL).select(*_columns(visible(opened.table)))
        return typed(rows.to_pyarrow())
    except ValueError as error:
        raise ValueError(f"exposures {file}: {error}") from error
    finally:
        connection.disconnect()


def typed(exposures: pa.Table) -> pa.Table:
    """Return ``exposures`` as :data:`EXPOSURE_SCHEMA`; rows that lack something keep their nulls.

    Raises:
        ValueError: a column is missing or of a wrong kind, or a moment has no offset or lies out of range.
    """
    table = exposures.select(_columns(exposures.column_names))
    columns = [_text(table, "customer_id"), _text(table, "arm"), _moments(table)]
    found = pa.table(columns, schema=EXPOSURE_SCHEMA)
    outside = pc.or_(
        pc.less(found["assigned_at"], FIRST_PLAUSIBLE), pc.greater_equal(found["assigned_at"], LATEST)
    )
    _refuse(table, outside, f"lies outside {FIRST_PLAUSIBLE:%Y} to {LATEST:%Y}")
    return found


def _columns(names: list[str]) -> list[str]:
    for name in EXPOSURE_SCHEMA.names:
        if name not in names:
            raise ValueError(f"exposures lack {name}: {nearest(name, names)}")
    return list(EXPOSURE_SCHEMA.names)


def _text(table: pa.Table, name: str) -> pa.ChunkedArray:
    kind = table.schema.field(name).type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if not (_is_text(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
        raise ValueError(f"{name} is a column of kind {kind}: ids and arms are text (or whole numbers)")
    return table[name].cast(kind).cast(pa.string())


def _moments(table: pa.Table) -> pa.ChunkedArray:
    kind = table.schema.field("assigned_at").type
    if _is_text(kind):
        return _read_moments(table)
    if not pa.types.is_timestamp(kind) and not pa.types.is_null(kind):
        raise ValueError(f"assigned_at is a column of kind {kind}: give moments, or ISO 8601 with an offset")
    if pa.types.is_timestamp(kind) and kind.tz is None:
        raise ValueError("assigned_at has no time zone: nobody can say when that was; give it in UTC")
    # Nanoseconds, as pandas writes them, are cut to microseconds; everything else must fit as it is.
    return pc.cast(table["assigned_at"], EXPOSURE_SCHEMA.field("assigned_at").type, safe=False)


def _read_moments(table: pa.Table) -> pa.ChunkedArray:
    connection = connect()
    try:
        numbered = table.select(["assigned_at"]).append_column("row", pa.array(range(table.num_rows), pa.int64()))
        texts = ibis.memtable(numbered)
        read = compile_moment(texts, Moment(value="{assigned_at}"))
        found = connection.to_pyarrow(texts.select("row", at=read.column, unread=read.unreadable)).sort_by("row")
    finally:
        connection.disconnect()
    _refuse(table, found["unread"], "is no moment with an offset: write it like 2026-03-01T09:00:00Z or …+01:00")
    return found["at"].cast(EXPOSURE_SCHEMA.field("assigned_at").type)


def _refuse(table: pa.Table, wrong: Any, why: str) -> None:
    """Raise for the first row that is wrong, by its number and customer."""
    rows = pc.indices_nonzero(pc.fill_null(wrong, False))
    if len(rows):
        first = rows[0].as_py()
        row = table.slice(first, 1).to_pylist()[0]
        raise ValueError(
            f"row {first + 1} (customer {row['customer_id']!r}): assigned_at {str(row['assigned_at'])!r} {why}; "
            f"rows like it: {len(rows):,}"
        )


def _check_refused(refused: pa.Table | None, file: Path) -> None:
    rows = [] if refused is None else refused["row"].to_pylist()
    if rows:
        raise ValueError(f"{len(rows):,} lines of {file.name} cannot be read, as {rows[0]:.200}: mend them first")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
