"""Which row counts is decided by where it stands in its file: no join, group, piece or thread changes it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from features.importing import importer, load_mapping, run_import
from features.lake import Lake, connect
from tests.worlds.lake import KeepingSink, everything

NOW = datetime(2024, 12, 1, tzinfo=UTC)
_SEGMENTS = 5_000  # more than any file of rows: the engine then reads the rows as the side it builds a table of

MAPPING = """
sources:
  rows: rows.csv
  segments: segments.csv
  labelled:
    from: rows
    join: [{source: segments, by: [segment], take: [label]}]
customers:
  - name: joined
    from: rows
    join: [{source: segments, by: [segment], take: [label]}]
    customer_id: "j{who}"
    attributes: {n: "{n}", label: "{label}"}
  - {name: grouped, from: rows, group_by: [who, n], customer_id: "g{who}", attributes: {n: "{n}"}}
  - {name: derived, from: labelled, where: label is not null, customer_id: "d{who}", attributes: {n: "{n}"}}
  - name: by_thing
    from: rows
    group_by: [who, thing]
    aggregate: {times: {count: "*"}}
    customer_id: "t{who}"
    attributes: {thing: "{thing}"}
events:
  - name: bought
    from: labelled
    event_id: "{thing}"
    customer_id: "{who}"
    type: purchased
    occurred_at: "2024-01-01T00:00:00Z"
    properties: {n: "{n}"}
consents:
  - name: agreed
    from: labelled
    customer_id: "{who}"
    channel: email
    purpose: marketing
    status: granted
    at: "2024-01-01T00:00:00Z"
    source: "{n}"
preferences:
  - {name: wished, from: labelled, customer_id: "{who}", max_per_week: "{n}"}
"""

PHASES = (Phase.explicit, Phase.generate)  # each example is a whole import: shrinking takes minutes
# Many small customers, each in several versions: one large group would come out in order by luck.
rows = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 25)), min_size=1, max_size=200)


class _Told(KeepingSink):
    """Keeps what it is handed in the order it is handed it, beside the lake."""

    def __init__(self, lake):
        super().__init__(lake)
        self.customers_told, self.events_told = [], []

    def customers(self, table):
        self.customers_told += table.select(["customer_id", "attributes"]).to_pylist()
        super().customers(table)

    def events(self, table):
        self.events_told += table.select(["event_id", "properties"]).to_pylist()
        return super().events(table)


def _write(folder, written):
    segments = "".join(f"{n},label{n}\n" for n in range(_SEGMENTS))
    (folder / "segments.csv").write_text("segment,label\n" + segments)
    lines = (f"{who},{thing},{n},{n * 37 % _SEGMENTS}\n" for n, (who, thing) in enumerate(written))
    (folder / "rows.csv").write_text("who,thing,n,segment\n" + "".join(lines))
    (folder / "import.yaml").write_text(MAPPING)


def _import(folder, lake, *, piece, threads):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importer, "PIECE", piece)
        patch.setattr(importer, "connect", partial(connect, threads=threads))
        sink = _Told(lake)
        run_import(load_mapping(folder / "import.yaml"), sink, quarantine_root=lake.quarantine, now=NOW)
    return sink


def _customers(lake):
    connection = connect()
    read = (lake.customers(connection, each).to_pyarrow().to_pylist() for each in range(lake.buckets))
    return {row["customer_id"]: json.loads(row["attributes"]) for row in chain.from_iterable(read)}


@settings(max_examples=4, deadline=None, phases=PHASES)
@given(written=rows, piece=st.sampled_from([1, 7, 1_000_000]), threads=st.sampled_from([1, 4]))
def test_rows_reach_the_sink_in_the_order_of_their_file(written, piece, threads):
    with TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder, written)
        sink = _import(folder, Lake(folder / "lake", buckets=2), piece=piece, threads=threads)
    numbers = [str(n) for n in range(len(written))]
    told = {kind: [r for r in sink.customers_told if r["customer_id"].startswith(kind)] for kind in "jgdt"}
    for kind in "jgd":
        assert [json.loads(row["attributes"])["n"] for row in told[kind]] == numbers
    assert [json.loads(row["properties"])["n"] for row in sink.events_told] == numbers
    assert [row["source"] for row in sink.consented] == numbers
    assert [row["max_per_week"] for row in sink.preferred] == [*map(int, numbers)]
    # A group stands where its latest row does.
    last = {pair: n for n, pair in enumerate(written)}
    pairs = sorted(last, key=last.__getitem__)
    assert [row["customer_id"] for row in told["t"]] == [f"t{who}" for who, _ in pairs]


@settings(max_examples=3, deadline=None, phases=PHASES)
@given(written=rows, pieces=st.permutations([1, 11, 1_000_000]), threads=st.permutations([1, 2, 4]))
def test_importing_again_in_other_pieces_by_other_threads_changes_nothing(written, pieces, threads):
    latest = {str(who): str(n) for n, (who, _) in enumerate(written)}
    first = {}
    for n, (_, thing) in enumerate(written):
        first.setdefault(str(thing), str(n))
    with TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder, written)
        lake = Lake(folder / "lake", buckets=2)
        seen = []
        for piece, count in zip(pieces, threads, strict=True):
            sink = _import(folder, lake, piece=piece, threads=count)
            seen.append((everything(lake), _customers(lake), sink.consented, sink.preferred))
        assert seen[0] == seen[1] == seen[2]
        events, customers, _, preferred = seen[0]
    bought = {row["event_id"]: json.loads(row["properties"])["n"] for rows in events.values() for row in rows}
    assert bought == first
    assert {who: customers[f"j{who}"]["n"] for who in latest} == latest
    assert {who: customers[f"g{who}"]["n"] for who in latest} == latest
    assert {row["customer_id"]: str(row["max_per_week"]) for row in preferred} == latest


def test_of_rows_that_a_join_multiplies_the_order_is_ours_and_then_theirs(tmp_path):
    (tmp_path / "a.csv").write_text("who,key\n" + "".join(f"{n},{n % 3}\n" for n in range(300)))
    (tmp_path / "b.csv").write_text("key,v\n" + "".join(f"{n % 3},{n}\n" for n in range(30)))
    (tmp_path / "import.yaml").write_text("""
sources: {a: a.csv, b: b.csv}
preferences:
  - name: wished
    from: a
    join: [{source: b, by: [key], take: [v], many: true}]
    customer_id: "{who}"
    max_per_week: "{v}"
""")
    sink = _import(tmp_path, Lake(tmp_path / "lake"), piece=64, threads=4)
    expected = [(str(n), v) for n in range(300) for v in range(n % 3, 30, 3)]
    assert [(row["customer_id"], row["max_per_week"]) for row in sink.preferred] == expected


def test_a_sum_of_doubles_is_the_same_to_the_last_bit_however_many_threads_add(tmp_path):
    lines = "".join(f"{n % 7},{0.1 * (n * 7919 % 10_007)}\n" for n in range(300_000))
    (tmp_path / "a.csv").write_text("who,v\n" + lines)
    (tmp_path / "import.yaml").write_text("""
sources: {a: {path: a.csv, types: {v: number}}}
customers:
  - {name: p, from: a, group_by: [who], aggregate: {s: {sum: v}}, customer_id: "{who}", attributes: {s: "{s}"}}
""")
    lake = Lake(tmp_path / "lake")
    sums = []
    for threads in (1, 3, 4):
        _import(tmp_path, lake, piece=1_000_000, threads=threads)
        sums.append(_customers(lake))
    assert sums[0] == sums[1] == sums[2]
