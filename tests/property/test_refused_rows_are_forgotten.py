"""What was refused is forgotten with its customer, however the id is written, and importing again brings none back."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from features.importing import load_mapping, run_import
from features.lake import Lake
from features.readings import readings
from tests.worlds.lake import KeepingSink

NOW = datetime(2024, 12, 1, tzinfo=UTC)
PHASES = (Phase.explicit, Phase.generate)  # each example is two imports: shrinking takes minutes

MAPPING = """
sources:
  typed: {path: rows.csv, types: {val: number}}
  plain: rows.csv
  lines: rows.jsonl
  looked: {path: looked.csv, types: {age: number}}
  derived:
    from: plain
    columns: {buyer: "{who}"}
    require: {val_number: "val = 'x'"}
events:
  - {name: a, from: typed, event_id: "{n}", customer_id: "{who}", type: session, occurred_at: "{at}"}
  - {name: b, from: derived, event_id: "b{n}", customer_id: "{buyer}", type: session, occurred_at: "{at}"}
  - name: c
    from: lines
    require: {good: n > 5}
    event_id: "c{n}"
    customer_id: "{who}"
    type: session
    occurred_at: "2024-01-01T00:00:00Z"
  - name: e
    from: plain
    join: [{source: looked, by: {who: key}, take: [age]}]
    event_id: "e{n}"
    customer_id: "{who}"
    type: session
    occurred_at: "{at}"
"""

odd = st.text(st.sampled_from("aZ09 \"'\\/,;|{}[]:\t\n\x01\x7fäß€𝄞\u2028\u200b%*?.-_"), min_size=1, max_size=12)
names = st.one_of(odd, st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1))


def _write(folder, people, other):
    rows, looked, lines = [["n", "who", "at", "val"]], [["key", "age"], [other, "7"]], []
    for place, who in enumerate([other, *people]):
        rows += [[f"{place}-{n}", who, "2024-01-01T00:00:00Z", "abc"] for n in (1, 2)]
        lines.append(json.dumps({"n": 1, "who": who}, ensure_ascii=False))
    for place, who in enumerate(people):
        rows.append([f"{place}-3", who, "2024-01-01T00:00:00Z", "1", "one field too many"])
        looked.append([who, "old"])
        # Escaped, a line cut short, and one that is no object.
        lines += [json.dumps({"n": 2, "who": who}), json.dumps({"who": who})[:-1], json.dumps([who])]
    for name, table in (("rows.csv", rows), ("looked.csv", looked)):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(table)
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    (folder / "import.yaml").write_text(MAPPING)


def _import(folder, lake, gone=frozenset()):
    return run_import(
        load_mapping(folder / "import.yaml"),
        KeepingSink(lake),
        quarantine_root=lake.quarantine,
        now=NOW,
        erased=lambda ids: gone & set(ids),
    )


def _refused(lake):
    files = sorted(lake.quarantine.glob("*.parquet"))
    return [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]


def _names(lake, who):
    """The refused rows that are the customer's, or nobody's and hold the id in some form."""
    unclear = [row for row in _refused(lake) if row["customer_id"] in (None, who)]
    return [row for row in unclear if row["customer_id"] or any(who in t for t in readings(row["row"]))]


@settings(max_examples=2, deadline=None, phases=PHASES)
@given(people=st.lists(names, min_size=1, max_size=8, unique=True))
@example(people=['a"b', "a\\b", "café\u2028,\t;", '\\"', "plain", "x|y", "\\u0041", '"quoted"', "a''b"])
def test_no_refused_row_keeps_an_erased_id_and_importing_again_brings_none_back(people):
    other = "somebody-else-4711"
    people = [who for who in people if who not in other]  # a piece of another's id: better one row too many
    with TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder, people, other)
        lake = Lake(folder / "lake", buckets=2)
        _import(folder, lake)
        assert {*people, other} <= {row["customer_id"] for row in _refused(lake)}
        lake.erase(*people)
        assert not [row for who in people for row in _names(lake, who)]
        assert {row["customer_id"] for row in _refused(lake)} == {other}
        again = _import(folder, lake, gone={*people})
        assert not [row for who in people for row in _names(lake, who)]
        assert not {*people} & {*lake.customer_ids(0), *lake.customer_ids(1)}
        assert again.erased >= len(people)


def test_a_refused_row_is_whose_every_block_says_it_is(tmp_path):
    (tmp_path / "rows.csv").write_text("buyer,seller,val\nann,bob,x\ncid,cid,x\n")
    (tmp_path / "import.yaml").write_text("""
sources: {rows: {path: rows.csv, types: {val: number}}}
customers:
  - {name: buyers, from: rows, customer_id: "{buyer}"}
  - {name: sellers, from: rows, customer_id: "S-{seller}"}
  - {name: both, from: rows, customer_id: "{buyer}"}
""")
    lake = Lake(tmp_path / "lake")
    _import(tmp_path, lake)
    assert len(_refused(lake)) == 2
    assert _import(tmp_path, Lake(tmp_path / "second"), gone={"S-bob"}).quarantined == {"val_readable": 1}
    lake.erase("bob")
    assert len(_refused(lake)) == 1


def test_a_quarantine_file_that_erasure_empties_is_removed(tmp_path):
    (tmp_path / "rows.csv").write_text('who,val\n"a\\""b",x\n')
    (tmp_path / "import.yaml").write_text("""
sources: {rows: {path: rows.csv, types: {val: number}}}
customers: [{name: people, from: rows, customer_id: "{who}"}]
""")
    lake = Lake(tmp_path / "lake")
    _import(tmp_path, lake)
    assert [row["customer_id"] for row in _refused(lake)] == ['a\\"b']
    assert lake.erase('a\\"b').quarantined == 1
    assert list(lake.quarantine.glob("*.parquet")) == []


@pytest.mark.parametrize("line", ['8,"a ""b"" c",x,y,z', r"8,a \"b\" c,x,y,z", '8,a "b" c,x,y,z'])
def test_a_line_that_cannot_be_read_is_searched_in_every_escape(tmp_path, line):
    (tmp_path / "rows.csv").write_text(f"n,who,val\n{line}\n9,ok,1,2\n")
    (tmp_path / "import.yaml").write_text("""
sources: {rows: rows.csv}
customers: [{name: people, from: rows, customer_id: "{who}"}]
""")
    lake = Lake(tmp_path / "lake")
    _import(tmp_path, lake)
    assert len(_refused(lake)) == 2
    assert lake.erase('a "b" c').quarantined == 1
    assert _import(tmp_path, Lake(tmp_path / "second"), gone={'a "b" c'}).quarantined == {"line_readable": 1}
