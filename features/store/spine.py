"""The spine of a training set: who and when, numbered so that an unordered join can be put back in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from features.faults import DOUBLED
from features.store.errors import RowsDoubled
from features.tables.moments import CUSTOMER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from features.layout import Group

MOMENT = "event_timestamp"
ROW = "row_id"
_UTC = pa.timestamp("us", "UTC")


def numbered(spine: pa.Table) -> pa.Table:
    """Return customer, moment (UTC, microseconds) and row number of each row of ``spine``.

    Raises:
        ValueError: where a column is missing, or the moments have no time zone.
    """
    for column in (CUSTOMER, MOMENT):
        if column not in spine.column_names:
            raise ValueError(f"the spine needs a column {column!r}; it has {spine.column_names}")
    moments = spine[MOMENT]
    if not pa.types.is_timestamp(moments.type) or moments.type.tz is None:
        raise ValueError(f"the spine's {MOMENT} must be a timestamp with a time zone, got {moments.type}")
    rows = pa.array(range(len(spine)), pa.int64())
    # A finer clock than ours is cut off, not rounded: rounding up would let a moment see itself.
    return pa.table(
        {CUSTOMER: spine[CUSTOMER].cast(pa.string()), MOMENT: moments.cast(_UTC, safe=False), ROW: rows}
    )


def by_group(
    spine: pa.Table, groups: Sequence[Group], rosters: Path, connection: Any
) -> Iterator[tuple[Group, pa.Table]]:
    """Yield the rows of a numbered spine group by group; rows of customers in none of them are left out.

    ``rosters`` is the folder of a view that has a row for every customer, one file a bucket.

    Raises:
        RowsDoubled: where a customer has more than one.
    """
    connection.create_table("spine", spine, temp=True, overwrite=True)
    files = connection.read_parquet(str(rosters / "*.parquet"), filename=True)
    homes = connection.table("spine").inner_join(files.select(CUSTOMER, "filename"), CUSTOMER)
    bucket = homes.filename.re_extract(r"(\d+)\.parquet$", 1).cast("int64")
    found = connection.to_pyarrow(homes.select(CUSTOMER, MOMENT, ROW, bucket=bucket))
    _check_homes(found)
    numbers = pc.divide(found["bucket"], groups[0].width)
    for group in groups:
        part = found.filter(pc.equal(numbers, group.number))
        if len(part):
            yield group, part.drop_columns("bucket").sort_by(ROW)


def check_rosters(rosters: Path, connection: Any) -> None:
    """Hold every customer of ``rosters`` (see :func:`by_group`) against all others.

    Raises:
        RowsDoubled: where a customer has more than one row.
    """
    rows = connection.read_parquet(str(rosters / "*.parquet"))
    twice = rows.group_by(CUSTOMER).having(rows.count() > 1).aggregate()
    _refuse(connection.to_pyarrow(twice)[CUSTOMER].to_pylist())


def _check_homes(found: pa.Table) -> None:
    rows = found.group_by([CUSTOMER, ROW]).aggregate([([], "count_all")])
    _refuse(pc.unique(rows.filter(pc.greater(rows["count_all"], 1))[CUSTOMER]).to_pylist())


def _refuse(twice: list[str]) -> None:
    if twice:
        raise RowsDoubled(DOUBLED.format(customers=f"{len(twice)} customers"), customers=twice, feature="contact")


def in_order(found: list[pa.Table], rows: int, column: str, kind: pa.DataType) -> pa.Array:
    """Return ``column`` of the found tables, row by row of the spine; null where nothing was found."""
    if not found:
        return pa.nulls(rows, kind)
    every = pa.concat_tables([table.select([ROW, column]) for table in found])
    places = pc.index_in(pa.array(range(rows), pa.int64()), value_set=every[ROW].combine_chunks())
    return every[column].combine_chunks().take(places).cast(kind)
