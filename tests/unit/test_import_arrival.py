"""Rows are numbered as they stand in their files, however many threads read them."""

from __future__ import annotations

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.importing.compiling import visible
from features.importing.macros import define_macros
from features.importing.mapping import File
from features.importing.problems import MappingError
from features.importing.sources import ARRIVAL, open_file
from features.lake import connect

ROWS = 60_000
FILES = 6
FILLER = "-" * 60


def _csv(folder, place, numbers):
    lines = ["n,filler,rowid", *(f"{n},{FILLER},9" for n in numbers)]
    lines.insert(len(lines) // 2, "too,many,fields,here")
    (folder / f"{place}.csv").write_text("\n".join(lines) + "\n")


def _packed(folder, place, numbers):
    _csv(folder, place, numbers)
    plain = folder / f"{place}.csv"
    (folder / f"{place}.csv.gz").write_bytes(gzip.compress(plain.read_bytes(), 1))
    plain.unlink()


def _lines(folder, place, numbers):
    text = "\n".join(json.dumps({"n": n, "filler": FILLER, "rowid": 9}) for n in numbers)
    (folder / f"{place}.jsonl").write_text(text + "\n\n[]\n")


def _parquet(folder, place, numbers):
    other = {"other": ["x"] * len(numbers)} if place % 2 else {}
    pq.write_table(
        pa.table({"n": numbers, "filler": [FILLER] * len(numbers), **other}),
        folder / f"{place}.parquet",
        row_group_size=2048,
    )


def _parquet_with_our_names(folder, place, numbers):
    columns = {"n": numbers, "FILE_INDEX": [3] * len(numbers), "file_row_number": [4] * len(numbers)}
    pq.write_table(pa.table(columns), folder / f"{place}.parquet", row_group_size=2048)


def _opened(folder, path):
    connection = connect(threads=4)
    define_macros(connection)
    return open_file(connection, "sales", File(path=path), folder).table


@pytest.mark.parametrize(
    ("write", "path"),
    [
        (_csv, "*.csv"),
        (_packed, "*.csv.gz"),
        (_lines, "*.jsonl"),
        (_parquet, "*.parquet"),
        (_parquet_with_our_names, "*.parquet"),
    ],
)
def test_rows_are_numbered_in_the_order_of_files_and_lines(tmp_path, write, path):
    for place in range(FILES):
        write(tmp_path, place, list(range(place * ROWS, (place + 1) * ROWS)))
    table = _opened(tmp_path, path)
    read = table.select(n=table["n"].cast("int64"), arrival=table[ARRIVAL]).to_pyarrow().sort_by("arrival")
    assert read["n"].to_pylist() == list(range(FILES * ROWS))
    assert len(read["arrival"].unique()) == FILES * ROWS


def test_the_number_is_hidden_from_mappings(tmp_path):
    _csv(tmp_path, 0, [1])
    assert visible(_opened(tmp_path, "0.csv")) == ["n", "filler", "rowid"]


@pytest.mark.parametrize("name", ["0.csv", "0.jsonl", "0.parquet"])
def test_a_column_called_like_the_number_is_refused(tmp_path, name):
    (tmp_path / "0.csv").write_text("n,Arrival?\n1,2\n")
    (tmp_path / "0.jsonl").write_text('{"n": 1, "Arrival?": 2}\n')
    pq.write_table(pa.table({"n": [1], "Arrival?": [2]}), tmp_path / "0.parquet")
    with pytest.raises(MappingError, match=r"the column name 'arrival\?' is Kairos' own"):
        _opened(tmp_path, name)
