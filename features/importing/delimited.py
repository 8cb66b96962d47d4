"""CSV into DuckDB: as text, and what is no record of it set apart."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from features.importing.filling import ROWS, TextTable
from features.importing.problems import MappingError
from features.importing.records import records
from features.importing.tables import Opened, columns_of, numbered, refused_lines
from features.importing.texts import Lines, Odd, check_encoding
from features.quoting import sql_name, sql_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from features.importing.finding import Found
    from features.importing.mapping import File


def open_csv(connection: Any, name: str, files: list[Found], file: File) -> Opened:
    """Read the files, whose first lines name the same columns.

    Raises:
        MappingError: a first line does not name every column once, or not the same as the others'.
    """
    delimiter = file.delimiter or ("\t" if ".tsv" in files[0].path.suffixes else ",")
    header = _header(files, file, delimiter)
    table = _Records(connection, f"{name}:lines", files, file, len(header))
    table.delimiter = delimiter
    table.fill()
    own = {column.lower() for column in header}
    told = [key if key.lower() not in own else None for key in table.folders]  # the file itself says it
    columns = columns_of([*header, *filter(None, told)])
    named = ", ".join(
        f"c{place} AS {sql_name(columns[column])}" for place, column in enumerate([*header, *told]) if column
    )
    rows = numbered(connection, name, f"{named}, rowid", sql_name(table.name))
    return Opened(rows, *refused_lines(table.odd))


def _header(files: list[Found], file: File, delimiter: str) -> list[str]:
    headers = {found.shown: _first(found, file, delimiter) for found in files}
    named = {shown: header for shown, header in headers.items() if header is not None}
    shown, header = next(iter(named.items()), (files[0].shown, []))
    if len(set(header)) < len(header) or "" in header or not header:
        raise MappingError(f"file {shown}: the first line must name every column, each once; it is {header}")
    for other, columns in named.items():
        if columns != header:
            raise MappingError(f"the files {shown}, {other} do not have the same columns: {header}, {columns}")
    return header


def _first(found: Found, file: File, delimiter: str) -> list[str] | None:
    """Return the first record; None where there is none."""
    check_encoding(found, file.encoding)
    first = next(records(Lines(found, file.encoding), delimiter), None)
    if isinstance(first, Odd):
        raise MappingError(f"file {found.shown}: the first line must name every column, but {first.why}")
    return first


class _Records(TextTable):
    """The records of CSV files; each of ``width`` fields, but for the header."""

    delimiter = ","

    def __init__(self, connection: Any, name: str, files: list[Found], file: File, width: int) -> None:
        super().__init__(connection, name, files, file, width)
        self._width = width

    def reading(self, paths: str, compression: str, more: str) -> str:
        """Return what DuckDB selects."""
        columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(self._width))
        nulls = ", ".join(sql_text(text) for text in self.file.null_text)
        # Of a single column, a blank line and an empty value look alike to DuckDB.
        blank = "" if self._width > 1 else " WHERE CASE WHEN c0 IS NULL THEN error('blank') ELSE true END"
        return (
            f"SELECT *{more} FROM read_csv({paths}, columns = {{{columns}}}, header = true, "  # noqa: S608 - quoted
            f"delim = {sql_text(self.delimiter)}, quote = '\"', escape = '\"', nullstr = [{nulls}], "
            f"compression = '{compression}', auto_detect = false){blank}"
        )

    def read(self, found: Found) -> None:
        """Read one file record by record."""
        read = records(Lines(found, self.file.encoding), self.delimiter, self._width)
        next(read, None)  # the header
        good = self._good(read, found)
        while rows := list(islice(good, ROWS)):
            self.insert([self._texts(column) for column in zip(*rows, strict=True)], found)

    def _good(self, read: Iterator[list[str] | Odd], found: Found) -> Iterator[list[str]]:
        for record in read:
            if isinstance(record, Odd):
                self.odd.append((record, found))
            else:
                yield record

    def _texts(self, column: tuple[str, ...]) -> pa.Array:
        texts = pa.array(column, pa.string())
        nulls = pc.is_in(texts, pa.array(self.file.null_text, pa.string()))
        return pc.if_else(nulls, pa.scalar(None, pa.string()), texts)
