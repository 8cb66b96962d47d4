"""Text files into a table of DuckDB's: all at once where nothing in them is odd, else line by line."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from features.importing.finding import WILD
from features.importing.texts import plain
from features.quoting import sql_name, sql_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from features.importing.finding import Found
    from features.importing.mapping import File
    from features.importing.texts import Odd

ROWS = 20_000
"""Lines read at a time where they are read one by one."""


class TextTable(ABC):
    """A table of ``width`` columns of text, and one for each key that the files' folders tell (``year=2023``).

    The columns are called by number: a file may have one called ``rowid``, which is what tells the order. ``odd``
    are the lines that could not be read.
    """

    def __init__(self, connection: Any, name: str, files: Sequence[Found], file: File, width: int) -> None:
        self.name = name
        self.odd: list[tuple[Odd, Found]] = []
        self.folders = tuple(dict.fromkeys(key for found in files for key, _ in found.partition))
        self.file = file
        self.connection = connection.con
        self._files = files
        self._plain: dict[Found, bool] = {}
        self._columns = [f"c{place}" for place in range(width + len(self.folders))]
        columns = ", ".join(f"{column} VARCHAR" for column in self._columns)
        self.connection.execute(f"CREATE TEMP TABLE {sql_name(name)} ({columns})")

    @abstractmethod
    def reading(self, paths: str, compression: str, more: str) -> str:
        """Return what DuckDB selects from files without anything odd; ``more`` are columns of their folders."""

    @abstractmethod
    def read(self, found: Found) -> None:
        """Read one file line by line: :meth:`insert` what is good, keep what is ``odd``."""

    def fill(self) -> None:
        """Read all files, in order."""
        if self._at_once(self._files):
            return
        for found in self._files:
            if not self._at_once([found]):
                self.read(found)

    def insert(self, columns: Sequence[pa.Array], found: Found) -> None:
        """Add rows of ``found``."""
        values = dict(found.partition)
        told = [pa.repeat(pa.scalar(values.get(key), pa.string()), len(columns[0])) for key in self.folders]
        self.connection.register("kairos:rows", pa.table([*columns, *told], self._columns))
        self.connection.execute(f'INSERT INTO {sql_name(self.name)} SELECT * FROM "kairos:rows"')  # noqa: S608 - quoted
        self.connection.unregister("kairos:rows")

    def _at_once(self, files: Sequence[Found]) -> bool:
        alike = len(files) == 1 or not (self.folders or len({found.packed for found in files}) > 1)
        if not alike or not all(self._is_plain(found) for found in files):
            return False
        paths = ", ".join(sql_text(found.path) for found in files)
        values = dict(files[0].partition)
        more = "".join(f", {sql_text(values.get(key))}" for key in self.folders)
        select = self.reading(f"[{paths}]", "gzip" if files[0].packed else "none", more)
        try:
            self.connection.execute(f"INSERT INTO {sql_name(self.name)} {select}")
        except duckdb.Error:  # it stops at the first line that it cannot read, and takes back the others
            return False
        return True

    def _is_plain(self, found: Found) -> bool:
        if found not in self._plain:
            wild = any(c in str(found.path) for c in WILD)  # DuckDB takes it for a pattern
            self._plain[found] = not wild and plain(found, self.file.encoding)
        return self._plain[found]
