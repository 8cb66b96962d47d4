"""Packing, layout and the build: what is written, what is read, and what never is."""

import json
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.build import build_features, last_snapshot
from features.files import replacing
from features.layout import Layout, Manifest
from features.views import WidthError, views
from features.vocabulary import Vocabulary
from tests.worlds.features import WORDS, MemoryLake, customer, event, utc

UNTIL = date(2017, 6, 1)


def _world(buckets=2):
    people = [customer(who, zone="Europe/Berlin", email="valid") for who in "abc"]
    rows = [
        event(who, "purchased", utc(2017, 5, 20 + i), value=2.0, category="milk") for i, who in enumerate("abc")
    ]
    rows += [event("a", "sent", utc(2017, 5, 25), channel="mail")]
    return MemoryLake(rows, people, buckets=buckets)


def _files(root):
    return {str(path.relative_to(root)) for path in root.rglob("*.parquet")}


def test_a_build_writes_one_file_a_view_and_bucket_and_vouches_for_them(tmp_path):
    report = build_features(_world(), tmp_path, vocabulary=WORDS, until=UNTIL)
    names = ["activity", "pressure_email", "pressure_mail", "categories", "rhythm", "contact", "signs"]
    names += ["tally_pairs", "tally"]
    assert _files(tmp_path) == {f"{name}/0000{b}.parquet" for name in names for b in range(2)}
    assert report.customers == 3
    assert report.rows["activity"] == 12 + 11 + 10
    assert report.rows["pressure_mail"] == 7
    manifest = Layout(tmp_path).read_manifest()
    assert (manifest.vocabulary, manifest.until, manifest.buckets) == (WORDS, UNTIL, 2)


def test_a_vocabulary_of_one_category_builds_and_comes_back_as_arrays_of_one(tmp_path):
    words = Vocabulary(channels=("mail",), categories=("milk",))
    build_features(_world(1), tmp_path, vocabulary=words, until=UNTIL)
    packed = pq.read_table(tmp_path / "categories" / "00000.parquet")["categories"].combine_chunks()
    view = next(view for view in views(words) if view.name == "categories")
    columns = view.unpack(packed, np.ones(len(packed), bool))
    assert columns["category_share"].to_pylist() == [[1.0]] * len(packed)


def test_created_is_the_snapshots_own_moment_in_microseconds(tmp_path):
    build_features(_world(1), tmp_path, vocabulary=WORDS, until=UNTIL)
    held = pq.read_table(tmp_path / "activity" / "00000.parquet")
    assert held["created_at"].equals(held["event_timestamp"])
    assert held.schema.field("event_timestamp").type == pa.timestamp("us", "UTC")


def test_a_rebuild_replaces_and_drops_buckets_that_are_gone(tmp_path):
    build_features(_world(3), tmp_path, vocabulary=WORDS, until=UNTIL)
    build_features(_world(1), tmp_path, vocabulary=WORDS, until=UNTIL)
    assert {path.name for path in tmp_path.rglob("*.parquet")} == {"00000.parquet"}


class _Breaking(MemoryLake):
    def events(self, connection, bucket):
        if bucket == 1:
            raise OSError("the disk is gone")
        return super().events(connection, bucket)


def test_a_build_that_breaks_leaves_no_manifest_and_no_draft(tmp_path):
    build_features(_world(), tmp_path, vocabulary=WORDS, until=UNTIL)
    broken = _Breaking([], [], buckets=2)
    with pytest.raises(OSError, match="disk is gone"):
        build_features(broken, tmp_path, vocabulary=WORDS, until=UNTIL)
    assert not Layout(tmp_path).manifest.exists()
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_draft_takes_its_place_whole_or_not_at_all(tmp_path):
    target = tmp_path / "x.json"
    target.write_text("old")

    def interrupted():
        with replacing(target) as draft:
            draft.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
    assert target.read_text() == "old"


def test_progress_is_told_from_none_to_all(tmp_path):
    told = []
    build_features(_world(), tmp_path, vocabulary=WORDS, until=UNTIL, progress=lambda *step: told.append(step))
    assert told == [("features", 0, 2), ("features", 1, 2), ("features", 2, 2)]


def test_the_last_snapshot_is_the_last_midnight_and_a_naive_moment_is_refused():
    assert last_snapshot(datetime(2017, 12, 31, 23, 59, tzinfo=UTC)) == date(2017, 12, 31)
    assert last_snapshot(date(2018, 1, 1)) == date(2018, 1, 1)
    with pytest.raises(ValueError, match="time zone"):
        last_snapshot(datetime(2017, 12, 31))  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(
    ("buckets", "customers", "at_once", "globs"),
    [
        (16, 2469, 20_000, ["000??.parquet"]),
        (16, 400_000, 250_000, ["0000?.parquet", "0001?.parquet"]),
        (3, 3_000_000, 20_000, ["00000.parquet", "00001.parquet", "00002.parquet"]),
        (4096, 100_000_000, 250_000, [f"{i:04d}?.parquet" for i in range(410)]),
    ],
)
def test_buckets_are_grouped_by_how_many_customers_fit(buckets, customers, at_once, globs):
    groups = Manifest(WORDS, UNTIL, buckets, customers, 90.0).groups(customers=at_once)
    assert [group.glob for group in groups] == globs
    assert [group.number for group in groups] == list(range(len(globs)))


def test_a_known_customer_without_rows_rests_and_an_unknown_one_is_null():
    view = next(view for view in views(WORDS) if view.name == "pressure_mail")
    packed = pa.array([[1.0] * 19, None, None], pa.list_(pa.float64()))
    columns = view.unpack(packed, np.array([True, True, False]))
    assert columns["mail_sent_7d"].to_pylist() == [1.0, 0.0, None]
    assert columns["mail_days_since_sent"].to_pylist() == [1.0, None, None]


def test_arrays_are_cut_from_the_packed_row_in_the_vocabularys_order():
    view = next(view for view in views(WORDS) if view.name == "categories")
    packed = pa.array([[0.25, 0.75, 1.0, 2.0, 9.0, float("nan")], None], pa.list_(pa.float64()))
    columns = view.unpack(packed, np.array([True, True]))
    assert columns["category_share"].to_pylist() == [[0.25, 0.75], [None, None]]
    assert columns["category_orders_90d"].to_pylist() == [[1.0, 2.0], [0.0, 0.0]]
    assert columns["category_recency_days"].to_pylist() == [[9.0, None], [None, None]]


def test_a_row_packed_under_another_vocabulary_is_refused():
    view = views(WORDS)[0]
    with pytest.raises(WidthError, match=r"hold \[3\] values where the vocabulary has 21"):
        view.unpack(pa.array([[1.0, 2.0, 3.0]]), np.array([True]))


def test_a_deployment_without_categories_or_channels_builds(tmp_path):
    report = build_features(_world(1), tmp_path, vocabulary=Vocabulary((), ()), until=UNTIL)
    assert set(report.rows) == {"activity", "contact", "rhythm", "signs", "tally_pairs", "tally"}
    assert json.loads((tmp_path / "manifest.json").read_text())["vocabulary"] == {"channels": [], "categories": []}


def test_buckets_with_nobody_in_them_are_written_empty(tmp_path):
    report = build_features(_world(7), tmp_path, vocabulary=WORDS, until=UNTIL)
    assert (report.buckets, report.customers, report.rows["rhythm"]) == (7, 3, 3)
    empty = pq.read_table(tmp_path / "rhythm" / "00003.parquet")
    assert (len(empty), empty.schema.field("rhythm").type.value_type) == (0, pa.float64())
