"""The lake says what is wrong with it, and a lake that was written wrongly is put right without importing again."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contracts import CUSTOMER_SCHEMA, EVENT_SCHEMA
from features.lake import BrokenFilesError, Lake, bucket_of
from features.lake.manifest import (
    MANIFEST,
    BrokenManifestError,
    Draft,
    customers_folder,
    events_folder,
    households_folder,
)
from features.lake.placing import DIRECTORY_SCHEMA
from tests.worlds.lake import customer, customers, event, events, everything

BUCKETS = 8
START = datetime(2024, 1, 3, tzinfo=UTC)


def _history(people: int = 12, months: int = 4) -> list[dict]:
    return [
        event(f"e{who}-{n}", f"c{who}", occurred_at=START + timedelta(days=31 * n))
        for who in range(people)
        for n in range(months)
    ]


def _at_home(who: int) -> dict:
    return customer(f"c{who}", f"home{who % 3}")


@pytest.fixture
def lake(tmp_path):
    made = Lake(tmp_path / "lake", buckets=BUCKETS)
    made.append(events(*_history()))
    made.put_customers(customers(*(_at_home(who) for who in range(6))))
    return made


def _put_wrongly(lake: Lake, folder: str, rows: list[dict], schema: pa.Schema = EVENT_SCHEMA) -> None:
    draft = Draft(lake.root)
    draft.add(folder, pa.Table.from_pylist(rows, schema=schema))
    draft.commit()


def _elsewhere(customer_id: str) -> int:
    return (bucket_of(customer_id, BUCKETS) + 1) % BUCKETS


def _held(lake: Lake) -> dict[int, list[tuple[str, str]]]:
    return {
        bucket: [(row["event_id"], row["customer_id"]) for row in rows]
        for bucket, rows in everything(lake).items()
    }


def test_a_lake_that_was_written_rightly_has_no_faults(lake):
    found = lake.check()
    assert (found.events, found.customers, found.faults) == (48, 6, {})


def test_an_empty_lake_has_no_faults(tmp_path):
    assert Lake(tmp_path / "new").check().faults == {}


def test_an_event_in_another_customers_bucket_is_found_and_comes_home(lake):
    before = _held(lake)
    stray = event("stray", "c9", occurred_at=START)
    _put_wrongly(lake, events_folder(_elsewhere("c9"), "2024-01"), [stray])
    found = lake.check()
    assert (found.misfiled, found.in_wrong_bucket, found.in_wrong_month, found.scattered_customers) == (1, 1, 0, 1)
    lake.repair()
    before[bucket_of("c9", BUCKETS)].append(("stray", "c9"))
    assert lake.check().faults == {}
    assert {b: sorted(rows) for b, rows in _held(lake).items()} == {b: sorted(rows) for b, rows in before.items()}


def test_an_event_in_another_month_is_found_and_goes_into_its_own(lake):
    late = event("late", "c9", occurred_at=datetime(2024, 9, 30, 23, 59, tzinfo=UTC))
    _put_wrongly(lake, events_folder(bucket_of("c9", BUCKETS), "2024-10"), [late])
    assert lake.check().in_wrong_month == 1
    lake.repair()
    (path,) = (lake.root / events_folder(bucket_of("c9", BUCKETS), "2024-09")).glob("*.parquet")
    assert pq.ParquetFile(path).read()["event_id"].to_pylist() == ["late"]
    assert lake.check().faults == {}


def test_of_an_id_that_stands_twice_the_first_to_come_stays(lake):
    again = event("e9-0", "c7", occurred_at=START, value=9.0)
    _put_wrongly(lake, events_folder(_elsewhere("c7"), "2024-01"), [again])
    assert lake.check().doubled_events == 1
    lake.repair()
    assert lake.check().faults == {}
    (row,) = (row for rows in everything(lake).values() for row in rows if row["event_id"] == "e9-0")
    assert (row["customer_id"], row["value"]) == ("c9", None)


def test_of_two_rows_of_a_customer_the_later_stays_and_the_events_follow_it(lake):
    moved = customer("c1", "home-of-nobody-else")
    _put_wrongly(lake, customers_folder(bucket_of("c1", BUCKETS)), [moved], CUSTOMER_SCHEMA)
    assert lake.check().doubled_customers == 1
    lake.repair()
    assert lake.check().faults == {}
    home = bucket_of("home-of-nobody-else", BUCKETS)
    assert lake.known("c1").customers["household_id"].to_pylist() == ["home-of-nobody-else"]
    assert "c1" in {row["customer_id"] for row in everything(lake)[home]}


def test_a_directory_that_disagrees_with_the_customers_is_written_anew(lake):
    nobody = [{"customer_id": "c11", "household_id": "home0"}]
    _put_wrongly(lake, households_folder(bucket_of("c11", BUCKETS)), nobody, DIRECTORY_SCHEMA)
    assert lake.check().wrong_households == 1
    lake.repair()
    assert lake.check().faults == {}
    lake.append(events(event("new", "c11", occurred_at=START)))
    assert lake.check().faults == {}


def test_nothing_of_an_erased_person_is_left_after_a_repair(lake):
    _put_wrongly(lake, events_folder(_elsewhere("c9"), "2024-01"), [event("left", "c9", occurred_at=START)])
    erased = {"c9", "c1", "never-here"}.intersection
    assert lake.check(erased=erased).erased == 2
    assert lake.repair(erased=erased) == {"c9", "c1"}
    assert lake.check(erased=erased).faults == {}
    for path in lake.root.rglob("*.parquet"):
        assert not {"c9", "c1"} & set(pq.ParquetFile(path).read()["customer_id"].to_pylist())


def test_a_file_that_nobody_names_is_found_and_swept(lake):
    path = lake.root / events_folder(0, "2024-01") / "part-00009999.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(events(event("x", "c9", occurred_at=START)), path)
    assert lake.check().unnamed == (f"{events_folder(0, '2024-01')}/part-00009999.parquet",)
    lake.repair()
    assert not path.exists()


def test_a_file_that_is_gone_is_named_and_a_repair_lets_the_rest_be_read_again(lake):
    (path, *_) = sorted((lake.root / "events").rglob("*.parquet"))
    path.unlink()
    assert lake.check().missing == (path.relative_to(lake.root).as_posix(),)
    lake.repair()
    assert lake.check().faults == {}
    assert 0 < sum(len(rows) for rows in everything(lake).values()) < 48


@pytest.mark.parametrize("keep", [100, -400])
def test_a_broken_file_is_named_and_a_repair_refuses_to_guess(lake, keep):
    (path, *_) = sorted((lake.root / "events").rglob("*.parquet"))
    whole = path.read_bytes()
    path.write_bytes(whole[:keep] if keep > 0 else whole[:4] + bytes(len(whole) + keep) + whole[keep + 4 :])
    name = path.relative_to(lake.root).as_posix()
    assert lake.check().broken == (name,)
    with pytest.raises(BrokenFilesError, match=f"{name} cannot be read as what they should hold: put them back"):
        lake.repair()


def _without_ids(rows: pa.Table) -> pa.Table:
    return _put_in(rows, "event_id", pa.nulls(rows.num_rows, pa.string()))


def _numbers_for_ids(rows: pa.Table) -> pa.Table:
    return _put_in(rows, "customer_id", pa.array(range(rows.num_rows)))


def _dates_for_moments(rows: pa.Table) -> pa.Table:
    return _put_in(rows, "occurred_at", rows["occurred_at"].cast(pa.date32(), safe=False))


def _put_in(rows: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, values)


@pytest.mark.parametrize("statistics", [True, False])
@pytest.mark.parametrize("alter", [_without_ids, _numbers_for_ids, _dates_for_moments])
def test_a_file_of_other_rows_than_events_is_named_broken_and_a_repair_loses_none_of_them(lake, alter, statistics):
    (path, *_) = sorted((lake.root / "events").rglob("*.parquet"))
    pq.write_table(alter(pq.ParquetFile(path).read()), path, write_statistics=statistics)
    written = path.read_bytes()
    name = path.relative_to(lake.root).as_posix()
    assert lake.check().broken == (name,)
    with pytest.raises(BrokenFilesError, match=f"{name} cannot be read as what they should hold"):
        lake.repair()
    assert path.read_bytes() == written


def test_customers_without_ids_are_named_broken(lake):
    (path, *_) = sorted((lake.root / "customers").rglob("*.parquet"))
    rows = pq.ParquetFile(path).read()
    pq.write_table(_put_in(rows, "customer_id", pa.nulls(rows.num_rows, pa.string())), path)
    assert lake.check().broken == (path.relative_to(lake.root).as_posix(),)


def test_a_folder_in_a_files_place_is_broken_and_one_that_nobody_names_is_left_alone(lake):
    (path, other, *_) = sorted((lake.root / "events").rglob("*.parquet"))
    nobodys = other.with_name("part-99999999.parquet")
    nobodys.mkdir()
    lake.repair()
    assert nobodys.is_dir()
    whole = path.read_bytes()
    path.unlink()
    path.mkdir()
    (path / "kept").write_bytes(whole)
    assert lake.check().broken == (path.relative_to(lake.root).as_posix(),)
    with pytest.raises(BrokenFilesError):
        lake.repair()
    assert (path / "kept").read_bytes() == whole


def test_a_repair_of_a_sound_lake_writes_no_file(lake):
    before = sorted((path, path.stat().st_mtime_ns) for path in lake.root.rglob("*.parquet"))
    lake.repair()
    assert sorted((path, path.stat().st_mtime_ns) for path in lake.root.rglob("*.parquet")) == before


def test_a_lake_in_which_everything_is_shuffled_comes_out_as_if_written_anew(tmp_path, lake):
    shuffled = Lake(tmp_path / "shuffled", buckets=BUCKETS)
    for place, rows in enumerate(everything(lake).values()):
        for row in rows:
            _put_wrongly(shuffled, events_folder((place * 3) % BUCKETS, "2019-01"), [row])
    for who in range(6):
        _put_wrongly(shuffled, customers_folder((who * 5) % BUCKETS), [_at_home(who)], CUSTOMER_SCHEMA)
    assert shuffled.check().misfiled == 48
    shuffled.repair()
    assert shuffled.check().faults == {}
    assert everything(shuffled) == everything(lake)
    shutil.rmtree(shuffled.root)


@pytest.mark.parametrize("text", [None, "", '{"half', "[]", '{"folders": {}}'])
def test_a_lake_without_its_manifest_is_neither_swept_away_nor_added_to(lake, text):
    manifest = lake.root / MANIFEST
    manifest.unlink() if text is None else manifest.write_text(text)
    before = sorted(lake.root.rglob("*.parquet"))
    for touch in (lake.check, lake.repair, lake.compact, lambda: lake.append(events(event("new", "c1")))):
        with pytest.raises(BrokenManifestError, match=r"manifest\.json .*: put it back from a backup"):
            touch()
    assert sorted(lake.root.rglob("*.parquet")) == before


def test_a_first_write_that_was_killed_is_no_lost_manifest(tmp_path):
    lake = Lake(tmp_path / "lake", buckets=BUCKETS)
    Draft(lake.root).add(events_folder(0, "2024-01"), events(event("e", "c")))
    lake.append(events(event("e", "c")))
    lake.repair()
    assert lake.check().faults == {}
    assert len(everything(lake)) == 1
