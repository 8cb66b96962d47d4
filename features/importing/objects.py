"""JSON lines into DuckDB: one object a line, each key of any of them a column; what is no object is set apart."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from features.importing.compiling import ARRIVAL
from features.importing.filling import ROWS, TextTable
from features.importing.macros import as_written, json_text, pointer, rounded
from features.importing.problems import MappingError
from features.importing.rules import first_broken
from features.importing.tables import Opened, columns_of, numbered, refused_lines
from features.importing.texts import Line, Lines, Odd, check_encoding
from features.quoting import sql_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from features.importing.finding import Found
    from features.importing.mapping import File

DEEPEST = 100
"""Objects and lists within one another in a line: what is deeper is no row of anybody's."""

_HALF = "it is no JSON: it escapes half a character"
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])')

# What may be no object, or one that cannot be read for certain: Python looks at it again and says why.
_DOUBTFUL = f"""(
  json_type(c0) <> 'OBJECT' OR len(json_keys(c0)) <> list_unique(json_keys(c0))
  OR (strlen(c0) > {2 * DEEPEST} AND strlen(c0) - strlen(replace(replace(c0, '[', ''), '{{', '')) > {DEEPEST})
)"""

# Of each key, whether a column of a type holds all its values exactly: DuckDB would round what a double cannot.
_KEYS = """
SELECT key,
  bool_and(kind IN ('BIGINT', 'UBIGINT') AND (size < 19 OR try_cast(text AS BIGINT) IS NOT NULL)) FILTER (told),
  bool_and(kind = 'UBIGINT') FILTER (told),
  bool_and(CASE
    WHEN kind IN ('BIGINT', 'UBIGINT') THEN size < 16 OR abs(try_cast(text AS HUGEINT)) <= 9007199254740991
    WHEN kind = 'DOUBLE' THEN NOT regexp_full_match(text, '-?[0-9]+') AND try_cast(text AS DOUBLE) IS NOT NULL
    ELSE false END) FILTER (told),
  bool_and(kind = 'BOOLEAN') FILTER (told),
  bool_or(kind = 'DOUBLE' AND NOT regexp_full_match(text, '-?[0-9]+|NaN|-?Infinity')
    AND coalesce(abs(try_cast(text AS DOUBLE)) > 9007199254740991, false))
FROM (
  SELECT place, key, json_type(value) AS kind, kind <> 'NULL' AS told,
    CAST(value AS VARCHAR) AS text, strlen(text) AS size
  FROM (SELECT rowid AS place, unnest(json_keys(c0)) AS key, unnest(json_extract(c0, '$.*')) AS value FROM {table})
)
WHERE key <> ''
GROUP BY key ORDER BY min(place), key
"""
_TYPES = ("int64", "uint64", "float64", "boolean")


def open_lines(connection: Any, name: str, files: list[Found], file: File) -> Opened:
    """Read the files; a key that is missing in a line is null there.

    A key without a name is left out: no mapping could name it.
    """
    for found in files:
        check_encoding(found, file.encoding)
    table = _Lines(connection, f"{name}:lines", files, file, 1)
    table.fill()
    types, rounded = table.types()
    if not types and table.odd:
        (odd, found), *_ = table.odd
        raise MappingError(
            f"file {file.path!r} cannot be read: no line is an object; {found.shown}, line {odd.number}: {odd.why}"
        )
    own = {key.lower() for key in types}
    told = {key: f"c{place}" for place, key in enumerate(table.folders, start=1) if key.lower() not in own}
    columns = columns_of([*types, *told])
    rows = numbered(connection, f"{name}:numbered", "*, rowid", sql_name(table.name))
    members = {columns[key]: _member(rows["c0"], key, kind) for key, kind in types.items()}
    members |= {columns[key]: rows[place] for key, place in told.items()}
    lines = Opened(rows, *refused_lines(table.odd))
    lines = _without_rounded(lines, {columns[key]: key for key in rounded}) if rounded else lines
    return replace(lines, table=lines.table.select(**members, **{ARRIVAL: rows[ARRIVAL]}))


def _without_rounded(lines: Opened, names: dict[str, str]) -> Opened:
    """Set lines apart with a number that is text among its neighbours and is one of several: which was written?"""
    rule = first_broken([(f"{name}_readable", rounded(lines.table["c0"], key)) for name, key in names.items()])
    judged = lines.table.mutate(rule=rule)
    refused = judged.filter(judged["rule"].notnull()).select("rule", row="c0").to_pyarrow()
    asks = {f"{name}_readable": f"{name} can be read exactly as text" for name in names}
    return lines.but(judged.filter(judged["rule"].isnull()).drop("rule"), refused, asks)


def _member(line: Any, key: str, kind: str | None) -> Any:
    """Return one key of every line: a number or truth value where it always is one, else text."""
    if kind is None:
        return as_written(line, key)
    return json_text(line, ibis.literal(pointer(key))).try_cast(kind)


class _Lines(TextTable):
    """Lines that hold an object each."""

    def reading(self, paths: str, compression: str, more: str) -> str:
        """Return what DuckDB selects; it stops at the first line that is no JSON, or doubtful."""
        # A delimiter no text holds: each line arrives whole. Blank lines are no rows.
        return (
            f"SELECT CASE WHEN {_DOUBTFUL} THEN error('doubtful') ELSE c0 END{more} "  # noqa: S608 - quoted
            f"FROM read_csv({paths}, columns = {{'c0': 'VARCHAR'}}, header = false, delim = '\x01', quote = '', "
            f"escape = '', compression = '{compression}', auto_detect = false) WHERE trim(c0) <> ''"
        )

    def types(self) -> tuple[dict[str, str | None], list[str]]:
        """Return the type of each key's column, None where it is text; and keys of text with a rounded number."""
        found = self.connection.execute(_KEYS.format(table=sql_name(self.name))).fetchall()
        types = {
            key: next((t for t, fits in zip(_TYPES, each, strict=True) if fits), None) for key, *each, _ in found
        }
        return types, [key for key, *_, rounded in found if rounded and types[key] is None]

    def read(self, found: Found) -> None:
        """Read one file line by line."""
        read = (line for line in Lines(found, self.file.encoding) if line.why or line.text.strip())
        while batch := list(islice(read, ROWS)):
            judged = list(self._judged(batch))
            self.odd += [(line, found) for line in judged if isinstance(line, Odd)]
            self.insert([pa.array([text for text in judged if isinstance(text, str)], pa.string())], found)

    def _judged(self, batch: list[Line]) -> Iterator[str | Odd]:
        texts = [line.text.rstrip("\r\n") for line in batch]
        lines = pa.array(
            ["{}" if line.why else text for line, text in zip(batch, texts, strict=True)], pa.string()
        )
        self.connection.register("kairos:doubt", pa.table({"c0": lines}))
        asked = (
            f'SELECT CASE WHEN json_valid(c0) THEN {_DOUBTFUL} ELSE true END, json_valid(c0) FROM "kairos:doubt"'  # noqa: S608 - our own constants
        )
        doubts = self.connection.execute(asked).fetchall()
        self.connection.unregister("kairos:doubt")
        for line, text, (doubtful, valid) in zip(batch, texts, doubts, strict=True):
            why = line.why or (_why(text) if doubtful else None) or (None if valid else _HALF)
            yield Odd(line.number, text, why) if why else text


def _why(text: str) -> str | None:
    """Say why a line that may be no object is none; None where it is one after all."""
    if _depth(text) > DEEPEST:
        return f"it is nested deeper than {DEEPEST} levels"
    repeated: list[str] = []

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        counted = Counter(key for key, _ in pairs)
        repeated[:] = [key for key, count in counted.items() if count > 1]  # the outermost object comes last
        return dict(pairs)

    try:
        value = json.loads(text, object_pairs_hook=once)
    except ValueError as error:
        return f"it is no JSON: {error}"
    if not isinstance(value, dict):
        return f"it is no JSON object, but {type(value).__name__}"
    return f"its key {repeated[0]!r} stands there twice" if repeated else None


def _depth(text: str) -> int:
    depth = deepest = 0
    for bracket in _BRACKETS.finditer(text):
        depth += (bracket[1] is not None) - (bracket[2] is not None)
        deepest = max(deepest, depth)
    return deepest
