"""Files of good and odd lines in any order, line end, encoding and packing: the good get through, each odd one is kept once.

The oracle is the list the file was written from.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from features.importing.macros import define_macros
from features.importing.mapping import File
from features.importing.sources import ARRIVAL, open_file
from features.lake import connect

CONNECTION = connect(threads=2)
define_macros(CONNECTION)
WORDS = st.text("abcXYZ019 ._-äß", min_size=1, max_size=6).map(str.strip).filter(bool)
BROKEN = st.sampled_from(["\n", "\r", "\r\n"])


@dataclass(frozen=True)
class Piece:
    """What is written, as bytes; the row it is, None where it is odd; and how many lines."""

    raw: bytes
    row: tuple[str | None, ...] | None
    lines: int = 1


@st.composite
def good_record(draw, encoding):
    fields, texts = [], []
    for _ in range(3):
        words = draw(st.lists(WORDS, min_size=0, max_size=2))
        quoted = draw(st.sampled_from([False, False, True]))
        text = (
            draw(st.sampled_from([",", '"', "\n", "\r\n", "\r", " "])).join(words) if quoted else " ".join(words)
        )
        fields.append('"' + text.replace('"', '""') + '"' if quoted else text)
        texts.append(text or None)
    text = ",".join(fields)
    breaks = text.replace("\r\n", "\n").replace("\r", "\n").count("\n")
    return Piece(text.encode(encoding), tuple(texts), 1 + breaks)


def odd_records(encoding):
    texts = ["a,b", "a,b,c,d", "x", '1,"open,2', '1,"a"b,2', "a,\x00b,c", "a,b,\x1b", "   "]
    undecodable = {
        "utf-8": [b"a,caf\xe9,b", b"\xff,b,c", b"a,b,\xc3"],
        "utf-16-le": [b"\x00\xd8a\x00,\x00b\x00,\x00c\x00"],
    }
    return st.sampled_from([t.encode(encoding) for t in texts] + undecodable.get(encoding, [])).map(
        lambda raw: Piece(raw, None)
    )


@st.composite
def good_object(draw, encoding):
    row = {key: draw(st.one_of(st.none(), WORDS)) for key in ("a", "b", "c")}
    row["a"] = row["a"] or "q"
    text = json.dumps(row, ensure_ascii=draw(st.booleans()))
    return Piece(text.encode(encoding), tuple(row.values()))


def odd_objects(encoding):
    deep = '{"a": ' + "[" * 150 + "]" * 150 + "}"
    texts = [
        '{"a": 1',
        "[1]",
        "7",
        '"x"',
        "nonsense",
        '{"a": "x"} y',
        '{"a": "x"}{"a": "y"}',
        '{"a": "1", "a": "2"}',
        deep,
    ]
    texts += ['{"a": "\x01"}', '{"a": "\x00"}', '{"a": "\\ud800"}', "{'a': 1}", '{"a": "x"},']
    undecodable = {
        "utf-8": [b'{"a": "caf\xe9"}', b"\xfdx"],
        "utf-16-le": ['{"a": "'.encode("utf-16-le") + b"\x00\xd8\x20\x00"],
    }
    return st.sampled_from([t.encode(encoding) for t in texts] + undecodable.get(encoding, [])).map(
        lambda raw: Piece(raw, None)
    )


@st.composite
def a_file(draw, good, odd):
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16-le", "cp1252"]))
    kinds = st.one_of(good(encoding), good(encoding), odd(encoding)) if draw(st.booleans()) else good(encoding)
    pieces = draw(st.lists(kinds, min_size=1, max_size=12))
    ends = draw(st.sampled_from([["\n"], ["\r\n"], ["\r"], ["\n", "\r\n", "\r", "\n\n"]]))
    written = [(piece, draw(st.sampled_from(ends))) for piece in pieces]
    return encoding, written, draw(st.booleans()), draw(st.booleans())


def _write(path, head, drawn):
    """Write the file; return its rows, and the line at which each odd one begins."""
    encoding, written, packed, ended = drawn
    number = 1 + bool(head)
    raw, rows, odd = head.encode(encoding), [], []
    for place, (piece, end) in enumerate(written):
        if piece.row is None:
            odd.append(number)
        else:
            rows.append(piece.row)
        last = place == len(written) - 1 and not ended
        raw += piece.raw + ("" if last else end).encode(encoding)
        number += piece.lines + (end == "\n\n")
    path.write_bytes(gzip.compress(raw) if packed else raw)
    return rows, odd


def _read(path, encoding, names):
    file = File(path=path.name, encoding=None if encoding == "utf-8" else encoding)
    CONNECTION.raw_sql('DROP VIEW IF EXISTS "s"')
    CONNECTION.raw_sql('DROP VIEW IF EXISTS "s:numbered"')
    CONNECTION.raw_sql('DROP TABLE IF EXISTS "s:lines"')
    opened = open_file(CONNECTION, "s", file, path.parent)
    table = opened.table
    columns = {
        name: table[name] if name in table.columns else table[ARRIVAL].cast("string").nullif("0") for name in names
    }
    rows = table.select(**columns, **{ARRIVAL: table[ARRIVAL]}).to_pyarrow().sort_by(ARRIVAL).drop(ARRIVAL)
    odd = [] if opened.refused is None else [json.loads(row) for row in opened.refused["row"].to_pylist()]
    return [tuple(row.values()) for row in rows.to_pylist()], [row["number"] for row in odd]


@settings(max_examples=60, deadline=None)
@given(a_file(good_record, odd_records))
def test_of_csv_every_good_record_gets_through_and_every_odd_one_is_kept_once(drawn):
    with TemporaryDirectory() as folder:
        path = Path(folder) / ("s.csv.gz" if drawn[2] else "s.csv")
        rows, odd = _write(path, "a,b,c\n", drawn)
        assert _read(path, drawn[0], "abc") == (rows, odd)


@settings(max_examples=60, deadline=None)
@given(a_file(good_object, odd_objects))
def test_of_json_lines_every_good_object_gets_through_and_every_odd_one_is_kept_once(drawn):
    with TemporaryDirectory() as folder:
        path = Path(folder) / ("s.jsonl.gz" if drawn[2] else "s.jsonl")
        rows, odd = _write(path, "", drawn)
        if not rows:
            return
        assert _read(path, drawn[0], "abc") == (rows, odd)
