"""Files into DuckDB, found by path or inside an installed package; what cannot be read is kept, not dropped."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import duckdb
import ibis
import pyarrow as pa

from features.importing.columnar import open_parquet
from features.importing.compiling import ARRIVAL, Compiled, column, convert, visible
from features.importing.delimited import open_csv
from features.importing.finding import find_files, reader_of
from features.importing.macros import to_json
from features.importing.numerals import with_hints
from features.importing.objects import open_lines
from features.importing.problems import MappingError
from features.importing.rules import first_broken
from features.importing.tables import LINE_READABLE, Opened

if TYPE_CHECKING:
    from pathlib import Path

    from features.importing.mapping import File
    from features.importing.values import Kind

__all__ = ["ARRIVAL", "LINE_READABLE", "Opened", "find_files", "open_file"]

_OPENERS = {"parquet": open_parquet, "csv": open_csv, "lines": open_lines}


def open_file(connection: Any, name: str, file: File, base: Path) -> Opened:
    """Make the file a table on ``connection``.

    Raises:
        MappingError: the file is not there, is of no known kind, or is broken as a whole.
    """
    files = find_files(file.path, base)
    opener = _OPENERS[reader_of(file.path, files)]
    try:
        opened = opener(connection, name, files, file)
    except (duckdb.Error, pa.ArrowException, OSError, EOFError, UnicodeError, zlib.error) as error:
        raise MappingError(f"file {file.path!r} cannot be read: {str(error).splitlines()[0]}") from error
    return _typed(opened, file)


def _typed(opened: Opened, file: File) -> Opened:
    """Convert the columns that ``types`` names; a row with a value that does not convert is refused."""
    if not file.types:
        return opened
    table = opened.table
    converted = {name: _as(table, name, kind, file) for name, kind in file.types.items()}
    broken = [(f"{name}_readable", c.unreadable) for name, c in converted.items() if c.unreadable is not None]
    rule = first_broken(broken)
    unread = table.select(rule=rule, row=to_json(ibis.struct({c: table[c] for c in visible(table)})))
    refused = unread.filter(unread["rule"].notnull()).to_pyarrow()
    good = table.filter(rule.isnull()) if broken else table
    columns = {
        column(table, name).get_name(): _as(good, name, kind, file).column for name, kind in file.types.items()
    }
    asks = {f"{name}_readable": f"{name} can be read as {kind}" for name, kind in file.types.items()}
    unsigned = [] if file.decimal else [name for name, kind in file.types.items() if kind in ("number", "integer")]
    return opened.but(
        good.mutate(**columns), refused, with_hints(asks, refused, {name: [name] for name in unsigned})
    )


def _as(table: Any, name: str, kind: Kind, file: File) -> Compiled:
    return convert(Compiled(column(table, name), decimal=file.decimal), kind)
