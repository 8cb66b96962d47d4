"""Whether a name is still anywhere below a folder: in bytes, in columns, in tables, however it is escaped."""

from __future__ import annotations

import json
import sqlite3
import zlib
from contextlib import closing
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path


def traces(folder: Path, names: Collection[str]) -> Iterator[str]:
    """Yield every file below ``folder`` in which one of ``names`` is found, with the name."""
    spelled = {name: spellings(name) for name in names}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        content = b"\n".join(_contents(path))
        where = str(path.relative_to(folder))
        for name, forms in spelled.items():
            if any(form in content or form in where.encode() for form in forms):
                yield f"{name!r} in {where}"


def spellings(name: str) -> set[bytes]:
    """Return the name as text, JSON, JSON in ASCII, CSV, SQL and JSON within JSON would spell it."""
    in_json, in_ascii = json.dumps(name, ensure_ascii=False)[1:-1], json.dumps(name)[1:-1]
    forms = {name, in_json, in_ascii, json.dumps(in_json, ensure_ascii=False)[1:-1]}
    forms |= {name.replace('"', '""'), name.replace("'", "''")}
    return {form.encode() for form in forms}


def _contents(path: Path) -> Iterator[bytes]:
    raw = path.read_bytes()
    yield raw
    if path.suffix == ".parquet":
        for column in pq.ParquetFile(path).read().columns:
            yield "\n".join(str(value) for value in column.to_pylist()).encode()
    if raw.startswith(b"SQLite format 3"):
        yield from _rows(path)


def _rows(path: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608  # the file's own names
                yield from (_plain(value) for value in row if isinstance(value, (str, bytes)))


def _plain(value: str | bytes) -> bytes:
    """Return a value's bytes; frozen records are packed."""
    raw = value.encode() if isinstance(value, str) else value
    try:
        return raw + zlib.decompress(raw)
    except zlib.error:
        return raw
