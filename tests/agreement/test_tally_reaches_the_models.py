"""The tally of customers on its way: lake, buckets, files, online store, and the frame that scorers are asked with."""

import math
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from decisions.priors import Priors
from decisions.scoring import batch_of
from features.build import build_features
from features.erasing import erase_features
from features.lake import Lake
from features.layout import Layout
from features.store import FeatureStore
from features.views import views
from features.vocabulary import TALLY_COUNTS, is_own_name
from tests.worlds.features import events_table, expected_tally
from tests.worlds.sent import BEGIN, END, UNTIL, WORDS, arrays, batches, by_customer, cut, histories

ROWS = histories(21, people=40)
SILENT = "who was sent nothing"
ROWS.append(
    next(iter(ROWS)) | {"event_id": "own", "customer_id": SILENT, "type": "purchased", "occurred_at": BEGIN}
)


def _built(root, rows, *, buckets, seed=1):
    lake = Lake(root / "lake", buckets=buckets)
    for batch in batches(rows, seed):
        lake.append(batch)
    build_features(lake, root / "features", vocabulary=WORDS, until=UNTIL)
    return root / "features"


def _offline(root):
    found = {}
    for view in (view for view in views(WORDS) if view.name.startswith("tally")):
        table = pa.concat_tables([pq.read_table(path) for path in Layout(root).files(view.name)])
        columns = pa.table(view.unpack(table[view.name].combine_chunks(), None)).to_pylist()
        for who, row in zip(table["customer_id"].to_pylist(), columns, strict=True):
            found[who] = found.get(who, {}) | row
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = _built(tmp_path_factory.mktemp("three"), ROWS, buckets=3)
    FeatureStore(root, WORDS).materialize()
    return root


@pytest.fixture(scope="module")
def frame(built):
    return FeatureStore(built, WORDS).online([*by_customer(ROWS), "nobody"], now=END)


def test_the_files_say_what_plain_python_says(built):
    found = _offline(built)
    wanted = {who: expected_tally(mine, END) for who, mine in by_customer(ROWS).items()}
    assert found.keys() == {who for who, row in wanted.items() if row["tally_pairs"]}
    for who, row in found.items():
        assert row["tally_pairs"] == wanted[who]["tally_pairs"]
        for name in TALLY_COUNTS:
            pairs = zip(row[name], wanted[who][name], strict=True)
            assert all(_near(one, other) for one, other in pairs), (who, name)


def _near(one, other):
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def test_however_events_arrive_and_however_many_buckets_there_are_the_files_say_the_same(built, tmp_path):
    assert _offline(_built(tmp_path, ROWS, buckets=16, seed=2)) == _offline(built)


def test_what_happens_from_the_snapshot_on_changes_nothing(built, tmp_path):
    assert _offline(_built(tmp_path, cut(ROWS, END), buckets=3)) == _offline(built)


def test_online_and_offline_agree_texts_and_all(built, frame):
    offline = _offline(built)
    online = {row["customer_id"]: arrays(row) for row in frame.to_pylist()}
    assert {who: row for who, row in online.items() if row["tally_pairs"] is not None} == offline
    assert {"Ü|ber|push", "|email"} <= {pair for row in offline.values() for pair in row["tally_pairs"]}


def test_a_customer_without_messages_has_null_arrays_known_or_not(frame):
    rows = {row["customer_id"]: row for row in frame.to_pylist()}
    assert rows[SILENT]["tenure_days"] is not None
    for who in (SILENT, "nobody"):
        assert set(arrays(rows[who]).values()) == {None}


def test_scorers_are_asked_with_all_of_it_in_lists_of_texts_and_floats(frame):
    asked = batch_of(frame, priors=Priors(), offers=()).frame
    assert asked.schema.field("tally_pairs").type == pa.list_(pa.string())
    assert {asked.schema.field(name).type for name in TALLY_COUNTS} == {pa.list_(pa.float64())}
    assert set(WORDS.tally_arrays) <= set(asked.column_names)


def test_features_too_old_are_null_arrays_too(built):
    old = FeatureStore(built, WORDS).online(list(_offline(built)), now=END.replace(year=2019))
    assert {old[name].null_count for name in WORDS.tally_arrays} == {len(old)}


def test_no_attribute_passes_for_tally():
    assert all(map(is_own_name, WORDS.tally_arrays))


def test_whoever_is_erased_leaves_no_array_in_any_file_or_store(tmp_path):
    root = _built(tmp_path, ROWS, buckets=2)
    FeatureStore(root, WORDS).materialize()
    before = _offline(root)
    who = next(iter(before))
    erase_features(root, [who])
    assert _offline(root) == {each: row for each, row in before.items() if each != who}
    (gone,) = FeatureStore(root, WORDS).online([who], now=END).to_pylist()
    assert set(arrays(gone).values()) == {None}


def test_arrays_of_any_length_are_cut_from_the_packed_row_and_odd_lengths_refused():
    view = replace(views(WORDS)[-1], columns=("a", "b"))
    packed = pa.array([None, [1.0, 2.0, 3.0, 4.0], [], None, [5.0, 6.0]], pa.list_(pa.float64()))
    found = {name: column.to_pylist() for name, column in view.unpack(packed, None).items()}
    assert found == {"a": [None, [1, 2], [], None, [5]], "b": [None, [3, 4], [], None, [6]]}
    assert view.unpack(packed.slice(1, 2), None)["b"].to_pylist() == [[3, 4], []]
    with pytest.raises(ValueError, match="not as many for each"):
        view.unpack(pa.array([[1.0]], pa.list_(pa.float64())), None)


def test_an_event_told_twice_counts_once(built, tmp_path):
    lake = Lake(tmp_path / "lake", buckets=3)
    for table in (events_table(ROWS), events_table(ROWS[::2])):
        lake.append(table)
    build_features(lake, tmp_path / "features", vocabulary=WORDS, until=UNTIL)
    assert _offline(tmp_path / "features") == _offline(built)
