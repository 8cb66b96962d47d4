"""Parquet into DuckDB, which reads it where it lies; columns that files type differently become alike."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.datatypes as dt
import pyarrow as pa
import pyarrow.parquet as pq

from features.importing.compiling import ARRIVAL, EXACT, as_text, inexact, visible
from features.importing.finding import WILD
from features.importing.macros import to_json
from features.importing.problems import MappingError
from features.importing.rules import first_broken
from features.importing.tables import Opened, columns_of, numbered
from features.quoting import sql_name, sql_text

if TYPE_CHECKING:
    from features.importing.finding import Found
    from features.importing.mapping import File

_PLACE = ("file_index", "file_row_number")
_FILE = 1 << 40  # more rows than a file has
_MOST_DIGITS = 38
_TEXT = "text"


def open_parquet(connection: Any, name: str, files: list[Found], file: File) -> Opened:
    """Make the files one table; what their folders tell (``year=2023``) are columns of text.

    Raises:
        MappingError: a name stands there twice, or the files type a column so differently that no type holds both.
    """
    del file
    schemas = [_schema(found) for found in files]
    told = (key for found in files for key, _ in found.partition)
    columns = columns_of(dict.fromkeys([*(n for schema in schemas for n in schema.names if n), *told]))
    alike = groupby(range(len(files)), lambda place: _sort(schemas[place], place))
    groups = [[*group] for _, group in alike]
    parts = [
        _part(connection, f"{name}:{group[0]}", files[group[0] : group[-1] + 1], columns, group[0])
        for group in groups
    ]
    if len(parts) == 1:
        return Opened(parts[0])
    unknown = [{columns[f.name] for f in schemas[group[0]] if pa.types.is_null(f.type)} for group in groups]
    return _together(parts, unknown)


def _schema(found: Found) -> pa.Schema:
    schema = pq.read_schema(found.path)
    twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if twice:
        raise MappingError(f"file {found.shown} has two columns {twice[0]!r}: name each once")
    for field in schema:
        if pa.types.is_decimal(field.type) and field.type.precision > _MOST_DIGITS:  # DuckDB would misread it
            raise MappingError(
                f"file {found.shown}: column {field.name!r} is {field.type}, beyond {_MOST_DIGITS} digits"
            )
    return schema


def _sort(schema: pa.Schema, place: int) -> tuple[pa.Schema, int]:
    """Return what files must share to be read in one go."""
    return schema, place if _shadowed(schema.names) else -1


def _shadowed(names: list[str]) -> bool:
    """Tell whether a file's own column hides DuckDB's number of its rows."""
    return any(name.lower() in _PLACE for name in names)


def _part(connection: Any, name: str, files: list[Found], columns: dict[str, str], place: int) -> Any:
    """Make a table of files of one schema, the first of which is number ``place``."""
    source = f"read_parquet([{', '.join(map(_path, files))}], hive_partitioning = false)"
    own = pq.read_schema(files[0].path).names
    theirs = [row[0] for row in connection.con.execute(f"DESCRIBE FROM {source}").fetchall()]
    select = [f"{sql_name(t)} AS {sql_name(columns[n])}" for n, t in zip(own, theirs, strict=True) if n]
    said = {n.lower() for n in own}
    told = dict.fromkeys(key for found in files for key, _ in found.partition if key.lower() not in said)
    select += [f"{_told(files, key)} AS {sql_name(columns[key])}" for key in told]
    begin = place * _FILE
    counted = f"{begin} + row_number() OVER ()"
    arrival = counted if _shadowed(own) else f"{begin} + file_index::BIGINT * {_FILE} + file_row_number"
    return numbered(connection, name, ", ".join([*select, arrival]), source)


def _path(found: Found) -> str:
    # What is left of a pattern's signs in brackets stands for itself.
    return sql_text("".join(f"[{c}]" if c in WILD else c for c in str(found.path)))


def _told(files: list[Found], key: str) -> str:
    values = [sql_text(dict(found.partition).get(key)) for found in files]
    return values[0] if len(files) == 1 else f"([{', '.join(values)}])[(file_index + 1)::BIGINT]"


def _together(parts: list[Any], unknown: list[set[str]]) -> Opened:
    """Return the parts as one table; ``unknown`` are the columns that are null throughout a part."""
    names = dict.fromkeys(name for part in parts for name in visible(part))
    types = {
        name: _common(name, [p for p, u in zip(parts, unknown, strict=True) if name not in u]) for name in names
    }
    good, bad = [], []
    for part in parts:
        broken = [
            (f"{name}_readable", unreadable)
            for name, kind in types.items()
            if kind == _TEXT and name in part.columns and (unreadable := inexact(part[name])) is not None
        ]
        rule = first_broken(broken)
        columns = {name: _as(part, name, kind) for name, kind in types.items()}
        good.append(
            part.filter(rule.isnull()).select(**columns, **{ARRIVAL: part[ARRIVAL]})
            if broken
            else part.select(**columns, **{ARRIVAL: part[ARRIVAL]})
        )
        if broken:
            rows = part.select(rule=rule, row=to_json(ibis.struct({c: part[c] for c in visible(part)})))
            bad.append(rows.filter(rows["rule"].notnull()).to_pyarrow())
    asks = {
        f"{name}_readable": f"{name} can be read exactly as text" for name, kind in types.items() if kind == _TEXT
    }
    return Opened(ibis.union(*good), pa.concat_tables(bad) if bad else None, asks)


def _common(name: str, parts: list[Any]) -> Any:
    """Return the type that holds what every part has under ``name``."""
    kinds = {part[name].type().copy(nullable=True): part for part in parts if name in part.columns}
    if len(kinds) < 2:  # noqa: PLR2004 - nothing to reconcile
        return next(iter(kinds), dt.string)
    if all(kind.is_timestamp() for kind in kinds) and len({kind.timezone is None for kind in kinds}) == 1:
        return dt.Timestamp(timezone=next(iter(kinds)).timezone, scale=6)
    if any(kind.is_temporal() or kind.is_nested() for kind in kinds) and not any(
        kind.is_string() for kind in kinds
    ):
        raise MappingError(f"the files type {name!r} differently: {' and '.join(sorted(map(str, kinds)))}")
    if all(kind.is_integer() for kind in kinds):
        return dt.Decimal(20, 0) if any(kind.is_unsigned_integer() for kind in kinds) else dt.int64
    if all(kind.is_integer() or kind.is_floating() for kind in kinds) and all(
        map(_small, [p[name] for p in parts if name in p.columns])
    ):
        return dt.float64
    return _TEXT


def _small(column: Any) -> bool:
    """Tell whether a double holds every number of a column that is one of whole numbers."""
    if not column.type().is_integer():
        return True
    bounds = column.as_table().aggregate(low=column.min(), high=column.max()).to_pyarrow().to_pylist()[0]
    return all(bound is None or abs(bound) <= EXACT for bound in bounds.values())


def _as(part: Any, name: str, kind: Any) -> Any:
    if name not in part.columns:
        return ibis.null("string" if kind == _TEXT else kind)
    return as_text(part[name]) if kind == _TEXT else part[name].cast(kind)
