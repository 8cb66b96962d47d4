"""Files into DuckDB, found by path or inside an installed package; what cannot be read is kept, not dropped."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import ibis

from features.importing.compiling import ARRIVAL, Compiled, column, convert, visible
from features.importing.macros import json_structure, json_text, to_json
from features.importing.problems import MappingError
from features.importing.rules import first_broken

if TYPE_CHECKING:
    from features.importing.mapping import File

__all__ = ["ARRIVAL", "LINE_READABLE", "Opened", "find_files", "open_file"]

_PACKAGE = "package:"
_READERS = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "lines",
    ".ndjson": "lines",
}
LINE_READABLE = "line_readable"
_PIECE = 1 << 20

# A delimiter no text holds: each line arrives whole. Blank lines are no rows.
_LINES = """
SELECT line, coalesce(json_type(CASE WHEN json_valid(line) THEN line END) = 'OBJECT', false) AS readable
FROM read_csv($files, auto_detect = false, header = false, delim = '\x01', quote = '', escape = '',
  columns = {'line': 'VARCHAR'})
WHERE trim(line) <> ''
"""
_JSON_TYPES = {"BIGINT": "int64", "UBIGINT": "uint64", "DOUBLE": "float64", "BOOLEAN": "boolean"}

_PARQUET = "read_parquet($files, union_by_name = true)"
_PLACE = ("file_index", "file_row_number")
_PLACED = "(file_index::BIGINT << 40) + file_row_number"
_COUNTED = "row_number() OVER ()"

_REJECTS = f"""
SELECT '{LINE_READABLE}' AS rule, CAST(to_json({{'line': any_value(csv_line)}}) AS VARCHAR) AS row
FROM reject_errors GROUP BY scan_id, file_id, line ORDER BY scan_id, file_id, line
"""  # noqa: S608 - our own constant


@dataclass(frozen=True, slots=True)
class Opened:
    """A source as an Ibis table; ``refused`` are its rows that could not be read (``rule``, ``row``), if any.

    The table's column :data:`ARRIVAL` numbers the rows upwards in the order of files and lines, none twice.
    """

    table: Any
    refused: Any = None


def find_files(path: str, base: Path) -> list[Path]:
    """Return the files that ``path`` names, in order.

    Raises:
        MappingError: there is none, or the package is not installed.
    """
    whole = _inside_package(path) if path.startswith(_PACKAGE) else base / path
    found = sorted(whole.parent.glob(whole.name)) if any(c in whole.name for c in "*?[") else [whole]
    if not found or not all(file.is_file() for file in found):
        raise MappingError(f"file {path!r} is not there (looked for {whole.name} in the folder it names)")
    return found


def _inside_package(path: str) -> Path:
    name, _, inside = path.removeprefix(_PACKAGE).partition("/")
    spec = find_spec(name)  # finds a package without importing it: some are slow to load
    if spec is None or not spec.submodule_search_locations:
        raise MappingError(f"{path!r}: the package {name!r} is not installed; install it, or name another file")
    return Path(next(iter(spec.submodule_search_locations))) / inside


def open_file(connection: Any, name: str, file: File, base: Path) -> Opened:
    """Make the file a table on ``connection``.

    Raises:
        MappingError: the file is not there, is of no known kind, or is broken as a whole.
    """
    files = find_files(file.path, base)
    endings = {"".join(f.suffixes).removesuffix(".gz").rpartition(".")[2] for f in files}
    reader = _READERS.get(f".{endings.pop()}") if len(endings) == 1 else None
    if reader is None:
        raise MappingError(f"file {file.path!r} is of no known kind: {', '.join(_READERS)} (each also with .gz)")
    try:
        _unpack(files)
        opened = {"parquet": _parquet, "csv": _csv, "lines": _json_lines}[reader](connection, name, files, file)
    except (duckdb.Error, OSError, EOFError, zlib.error) as error:
        raise MappingError(f"file {file.path!r} cannot be read: {str(error).splitlines()[0]}") from error
    except RecursionError as error:
        raise MappingError(f"file {file.path!r} cannot be read: a line is nested too deep") from error
    return _typed(opened, file)


def _unpack(files: list[Path]) -> None:
    """Read packed files to their end: DuckDB takes what is left of one that was cut short for the whole."""
    for file in files:
        if file.suffix == ".gz":
            with gzip.open(file) as packed:
                while packed.read(_PIECE):
                    pass


def _parquet(connection: Any, name: str, files: list[Path], file: File) -> Opened:
    del file
    paths = [str(f) for f in files]
    columns = connection.con.execute(f"DESCRIBE FROM {_PARQUET}", {"files": paths}).fetchall()
    names = [described[0] for described in columns]
    _not_ours(names, files)
    # A file's own column of the name hides DuckDB's number; then one row after another is counted, on one thread.
    taken = any(own.lower() in _PLACE for own in names)
    listed = ", ".join(_sql_text(path) for path in paths)
    source = _PARQUET.replace("$files", f"[{listed}]")
    return _numbered(connection, name, f"*, {_COUNTED if taken else _PLACED}", source)


def _csv(connection: Any, name: str, files: list[Path], file: File) -> Opened:
    delimiter = file.delimiter or ("\t" if ".tsv" in files[0].suffixes else ",")
    header = _header(files, delimiter)
    connection.con.read_csv(
        [str(f) for f in files],
        # As text: a number would lose its leading zeros. By number: a file may have a column called rowid.
        columns=dict.fromkeys([f"c{place}" for place in range(len(header))], "VARCHAR"),
        header=True,
        sep=delimiter,
        quotechar='"',
        escapechar='"',
        na_values=list(file.null_text),
        store_rejects=True,
        auto_detect=False,
    ).create(f"{name}:lines")
    rejected = connection.con.execute(_REJECTS).to_arrow_table()
    connection.raw_sql("DROP TABLE reject_errors")
    connection.raw_sql("DROP TABLE reject_scans")
    named = [f"c{place} AS {_sql_name(column)}" for place, column in enumerate(header)]
    numbered = _numbered(connection, name, f"{', '.join(named)}, rowid", _sql_name(f"{name}:lines"))
    return Opened(numbered.table, ibis.memtable(rejected))


def _numbered(connection: Any, name: str, columns: str, source: str) -> Opened:
    """Make a view of ``source``; the last of ``columns`` is where each row stands in it.

    DuckDB keeps the order of files and lines in a table made of them: ``rowid`` tells it, whoever reads the table.
    """
    select = f'SELECT {columns} AS "{ARRIVAL}" FROM {source}'  # noqa: S608 - names are quoted
    connection.raw_sql(f"CREATE TEMP VIEW {_sql_name(name)} AS {select}")
    return Opened(connection.table(name))


def _sql_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _sql_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _not_ours(names: list[str], files: list[Path]) -> None:
    if any(name.lower() == ARRIVAL for name in names):
        raise MappingError(f"file {files[0].name}: the column name {ARRIVAL!r} is Kairos' own; name it otherwise")


def _header(files: list[Path], delimiter: str) -> list[str]:
    headers = []
    for file in files:
        opener = gzip.open if file.suffix == ".gz" else open
        with opener(file, "rt", encoding="utf-8-sig", errors="replace", newline="") as lines:
            headers.append(next(csv.reader(lines, delimiter=delimiter), []))
    header = headers[0]
    if len(set(header)) < len(header) or "" in header or not header:
        raise MappingError(
            f"file {files[0].name}: the first line must name every column, each once; it is {header}"
        )
    _not_ours(header, files)
    if any(other != header for other in headers):
        raise MappingError(f"the files {', '.join(f.name for f in files)} do not have the same columns")
    return header


def _json_lines(connection: Any, name: str, files: list[Path], file: File) -> Opened:
    del file
    connection.con.execute(f'CREATE TEMP TABLE "{name}:lines" AS {_LINES}', {"files": [str(f) for f in files]})
    lines = _numbered(connection, f"{name}:numbered", "*, rowid", _sql_name(f"{name}:lines")).table
    unread = lines.filter(~lines["readable"])
    refused = unread.select(rule=ibis.literal(LINE_READABLE), row=to_json(ibis.struct({"line": unread["line"]})))
    good = lines.filter(lines["readable"])
    # The keys and types of all objects together: a sample would miss the key that only some lines have.
    merged = good.aggregate(keys=json_structure(good["line"].cast("json"))).to_pyarrow()["keys"][0].as_py()
    keys = json.loads(merged or "{}")
    _not_ours(list(keys), files)
    columns = {key: _member(good["line"], key, kind) for key, kind in keys.items()}
    return Opened(good.select(**(columns or {"line": good["line"]}), **{ARRIVAL: good[ARRIVAL]}), refused)


def _member(line: Any, key: str, kind: Any) -> Any:
    """Return one key of every line: a number or truth value where it always is one, else text."""
    pointer = "/" + key.replace("~", "~0").replace("/", "~1")
    text = json_text(line, ibis.literal(pointer))
    return text.try_cast(_JSON_TYPES[kind]) if isinstance(kind, str) and kind in _JSON_TYPES else text


def _typed(opened: Opened, file: File) -> Opened:
    """Convert the columns that ``types`` names; a row with a value that does not convert is refused."""
    if not file.types:
        return opened
    table = opened.table
    converted = {name: convert(Compiled(column(table, name)), kind) for name, kind in file.types.items()}
    broken = [(f"{name}_readable", c.unreadable) for name, c in converted.items() if c.unreadable is not None]
    rule = first_broken(broken)
    unread = table.select(rule=rule, row=to_json(ibis.struct({c: table[c] for c in visible(table)})))
    unread = unread.filter(unread["rule"].notnull())
    good = table.filter(rule.isnull()) if broken else table
    columns = {name: convert(Compiled(good[name]), kind).column for name, kind in file.types.items()}
    refused = unread if opened.refused is None else opened.refused.union(unread)
    return Opened(good.mutate(**columns), refused)
