"""What every kind of file becomes: a table in DuckDB whose rows are numbered as they arrived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from features.importing.compiling import ARRIVAL
from features.importing.problems import MappingError
from features.quoting import sql_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from features.importing.finding import Found
    from features.importing.texts import Odd

LINE_READABLE = "line_readable"
_ASKS = {LINE_READABLE: "the line can be read; the row says which line of which file it is, and why it cannot"}


@dataclass(frozen=True, slots=True)
class Opened:
    """A source as an Ibis table; ``refused`` are its rows that could not be read (``rule``, ``row``), if any.

    The table's column :data:`ARRIVAL` numbers the rows upwards in the order of files and lines, none twice.
    ``asks`` says of each rule of the refused what it asks for.
    """

    table: Any
    refused: pa.Table | None = None
    asks: Mapping[str, str] = field(default_factory=dict)

    def but(self, table: Any, refused: pa.Table, asks: Mapping[str, str]) -> Opened:
        """Return it with another ``table``, from which further rows were refused."""
        both = (
            refused
            if self.refused is None
            else pa.concat_tables([self.refused, refused], promote_options="default")
        )
        return Opened(table, both, {**self.asks, **asks})


def numbered(connection: Any, name: str, columns: str, source: str) -> Any:
    """Make a view of ``source``; the last of ``columns`` is where each row stands in it.

    DuckDB keeps the order of files and lines in a table made of them: ``rowid`` tells it, whoever reads the table.
    """
    select = f'SELECT {columns} AS "{ARRIVAL}" FROM {source}'  # noqa: S608 - names are quoted
    connection.raw_sql(f"CREATE TEMP VIEW {sql_name(name)} AS {select}")
    return connection.table(name)


def refused_lines(odd: Iterable[tuple[Odd, Found]]) -> tuple[pa.Table, Mapping[str, str]]:
    """Return lines that could not be read as refused rows, and what their rule asks for."""
    rows = [line.row(file) for line, file in odd]
    rules = pa.repeat(pa.scalar(LINE_READABLE), len(rows))
    return pa.table({"rule": rules, "row": pa.array(rows, pa.string())}), _ASKS


def columns_of(names: Iterable[str]) -> dict[str, str]:
    """Return the column that each name of a file gets: its own, or one with a mark where only the case differs.

    DuckDB takes ``id`` and ``ID`` for one.

    Raises:
        MappingError: a name is Kairos' own.
    """
    columns: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        column, count = name, 0
        while column.lower() in taken:
            count += 1
            column = f"{name}?{count}"
        if column.lower() == ARRIVAL:
            raise MappingError(f"the column name {ARRIVAL!r} is Kairos' own; name it otherwise")
        columns[name] = column
        taken.add(column.lower())
    return columns
