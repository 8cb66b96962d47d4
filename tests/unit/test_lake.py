"""The event lake: each event once, in the bucket of its household, and a person out of every file."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contracts import CUSTOMER_SCHEMA, EVENT_SCHEMA
from features.importing.quarantine import Quarantine
from features.lake import Appended, Erased, Lake, bucket_of, connect
from tests.worlds.lake import NOON, customer, customers, event, events, everything, ids


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake", buckets=4)


def test_an_event_comes_back_as_it_went_in(lake):
    row = event("e1", "7", value=1.5, currency="USD", channel="mail", properties='{"category":"tea"}')
    lake.append(events(row))
    (kept,) = everything(lake)[bucket_of("7", 4)]
    assert kept == {**dict.fromkeys(EVENT_SCHEMA.names), **row}


def test_columns_come_back_under_the_contracts_schema(lake):
    lake.append(events(event("e1")))
    lake.put_customers(customers(customer("1")))
    connection = connect()
    assert lake.events(connection, bucket_of("1", 4)).to_pyarrow().schema.names == EVENT_SCHEMA.names
    assert lake.events(connection, bucket_of("1", 4)).to_pyarrow().schema.field(
        "occurred_at"
    ).type == pa.timestamp("us", "UTC")
    assert lake.customers(connection, bucket_of("1", 4)).to_pyarrow().schema.names == CUSTOMER_SCHEMA.names


def test_an_empty_bucket_is_an_empty_table_with_all_columns(lake):
    connection = connect()
    assert lake.events(connection, 0).to_pyarrow().schema.names == EVENT_SCHEMA.names
    assert lake.customers(connection, 3).count().to_pyarrow().as_py() == 0
    assert lake.counts() == {}
    assert lake.last_event_at() is None
    assert lake.customer_ids(1) == []


def test_a_bucket_beyond_the_lake_is_refused_by_number(lake):
    with pytest.raises(ValueError, match="bucket 4 is not in this lake: it has buckets 0 to 3"):
        lake.events(connect(), 4)


def test_the_second_arrival_of_an_id_changes_nothing(lake):
    assert lake.append(events(event("e1", value=1.0))) == Appended(new=1, duplicates=0)
    assert lake.append(events(event("e1", value=2.0), event("e2"))) == Appended(new=1, duplicates=1, conflicts=1)
    assert [row["value"] for rows in everything(lake).values() for row in rows] == [1.0, None]


def test_within_one_batch_the_first_of_two_equal_ids_counts(lake):
    twice = events(event("e1", value=1.0), event("e1", value=2.0))
    assert lake.append(twice) == Appended(new=1, duplicates=1, conflicts=1)
    assert [row["value"] for rows in everything(lake).values() for row in rows] == [1.0]


def test_an_id_is_known_in_another_month_too(lake):
    lake.append(events(event("e1")))
    later = event("e1", occurred_at=datetime(2017, 9, 1, tzinfo=UTC))
    assert lake.append(events(later)) == Appended(new=0, duplicates=1, conflicts=1)


def test_an_id_is_known_in_another_bucket_too(lake):
    lake.append(events(event("e1", "1")))
    other = next(str(n) for n in range(2, 99) if bucket_of(str(n), 4) != bucket_of("1", 4))
    assert lake.append(events(event("e1", other))) == Appended(new=0, duplicates=1, conflicts=1)


def test_an_event_told_again_in_the_same_words_is_no_conflict(lake):
    lake.append(events(event("e1", value=1.0, properties='{"a":1,"b":2.0}'), event("e2")))
    again = events(event("e2"), event("e1", value=1.0, properties='{ "b": 2, "a": 1.0 }'), event("e2"))
    assert lake.append(again) == Appended(new=0, duplicates=3, conflicts=0)


def test_an_empty_batch_changes_nothing(lake):
    assert lake.append(EVENT_SCHEMA.empty_table()) == Appended(new=0, duplicates=0)
    lake.put_customers(CUSTOMER_SCHEMA.empty_table())
    assert ids(lake) == []


def test_months_are_cut_in_utc(lake):
    lake.append(events(event("e1", occurred_at=datetime(2017, 3, 31, 23, 59, 59, 999999, tzinfo=UTC))))
    lake.append(events(event("e2", occurred_at=datetime(2017, 4, 1, tzinfo=UTC))))
    folders = {path.parent.name for path in (lake.root / "events").rglob("part-*.parquet")}
    assert folders == {"month=2017-03", "month=2017-04"}


def test_counts_and_the_last_event(lake):
    last = datetime(2018, 1, 1, 4, 1, 20, tzinfo=UTC)
    lake.append(events(event("e1"), event("e2"), event("e3", "9", type="sent", occurred_at=last)))
    assert lake.counts() == {"purchased": 2, "sent": 1}
    assert lake.last_event_at() == last


def test_an_existing_lake_keeps_its_own_bucket_count(lake):
    assert Lake(lake.root, buckets=64).buckets == 4


def test_a_lake_of_another_version_is_refused(lake):
    (lake.root / "lake.json").write_text('{"version": 9, "buckets": 4}')
    with pytest.raises(ValueError, match="version 9; this Kairos reads version 1"):
        Lake(lake.root)


def test_the_latest_row_of_a_customer_wins(lake):
    lake.put_customers(customers(customer("1", country="US"), customer("1", country="DE")))
    lake.put_customers(customers(customer("2")))
    lake.put_customers(customers(customer("1", locale="de")))
    (row,) = (
        lake.customers(connect(), bucket_of("1", 4))
        .filter(lambda t: t.customer_id == "1")
        .to_pyarrow()
        .to_pylist()
    )
    assert (row["country"], row["locale"]) == (None, "de")


def test_a_household_lies_together(lake):
    lake.put_customers(customers(customer("1", "H"), customer("2", "H")))
    lake.append(events(event("e1", "1"), event("e2", "2")))
    assert list(everything(lake)) == [bucket_of("H", 4)]
    assert lake.customer_ids(bucket_of("H", 4)) == ["1", "2"]


def _elsewhere(customer_id: str) -> str:
    """A household whose bucket is not the customer's own."""
    return next(f"H{n}" for n in range(99) if bucket_of(f"H{n}", 4) != bucket_of(customer_id, 4))


def test_events_that_came_before_the_household_was_known_move_to_it(lake):
    lake.append(events(event("e1", "1"), event("e2", "1", occurred_at=datetime(2016, 1, 1, tzinfo=UTC))))
    stay = event("e3", next(str(n) for n in range(2, 99) if bucket_of(str(n), 4) == bucket_of("1", 4)))
    lake.append(events(stay))
    household = _elsewhere("1")
    lake.put_customers(customers(customer("1", household)))
    kept = everything(lake)
    assert [row["event_id"] for row in kept[bucket_of(household, 4)]] == ["e1", "e2"]
    assert [row["event_id"] for row in kept[bucket_of("1", 4)]] == ["e3"]
    assert lake.append(events(event("e1", "1"), event("e4", "1"))) == Appended(new=1, duplicates=1)
    assert [row["event_id"] for row in everything(lake)[bucket_of(household, 4)]] == ["e1", "e2", "e4"]


def test_a_customer_who_leaves_a_household_takes_row_and_events_along(lake):
    household = _elsewhere("1")
    lake.put_customers(customers(customer("1", household)))
    lake.append(events(event("e1", "1")))
    lake.put_customers(customers(customer("1")))
    assert list(everything(lake)) == [bucket_of("1", 4)]
    assert lake.customer_ids(bucket_of(household, 4)) == []
    assert lake.customer_ids(bucket_of("1", 4)) == ["1"]


def test_two_customers_can_change_places(lake):
    first, second = "1", next(str(n) for n in range(2, 99) if bucket_of(str(n), 4) != bucket_of("1", 4))
    lake.append(events(event("e1", first), event("e2", second)))
    lake.put_customers(customers(customer(first, second), customer(second, first)))
    kept = {bucket: [row["event_id"] for row in rows] for bucket, rows in everything(lake).items()}
    assert kept == {bucket_of(second, 4): ["e1"], bucket_of(first, 4): ["e2"]}


def test_the_same_customers_again_write_nothing(lake):
    rows = customers(customer("1", "H"), customer("2", country="US"))
    lake.put_customers(rows)
    before = sorted(path.name for path in lake.root.rglob("*.parquet"))
    lake.put_customers(rows)
    assert sorted(path.name for path in lake.root.rglob("*.parquet")) == before


def test_compaction_leaves_one_sorted_file_a_month_and_the_same_events(lake):
    for number in range(3):
        at = datetime(2017, 3, 9 - number, tzinfo=UTC)
        lake.append(events(event(f"a{number}", "1", occurred_at=at), event(f"b{number}", "2", occurred_at=at)))
    before, told = ids(lake), []
    assert lake.compact(lambda *step: told.append(step)) == len({bucket_of("1", 4), bucket_of("2", 4)})
    assert ids(lake) == before
    assert told[0][1] == 0
    assert told[-1][1] == told[-1][2]
    for path in (lake.root / "events").rglob("*.parquet"):
        rows = pq.ParquetFile(path).read().to_pylist()
        assert rows == sorted(rows, key=lambda row: (row["customer_id"], row["occurred_at"]))
    assert len(list((lake.root / "events").rglob("*.parquet"))) == len(everything(lake))
    assert lake.compact() == 0


def test_erasure_leaves_nothing_of_a_person_in_any_file(lake):
    household = _elsewhere("person-1")
    lake.put_customers(customers(customer("person-1", household), customer("2", household)))
    lake.append(events(event("e1", "person-1"), event("e2", "2"), event("e3", "person-1", type="sent")))
    _quarantine(
        lake, [("person-1", '{"x":1}'), ("2", '{"x":2}'), (None, '{"who":"person-1"}'), (None, '{"who":"3"}')]
    )
    assert lake.erase("person-1") == Erased(events=2, customers=2, quarantined=2)
    for path in lake.root.rglob("*.parquet"):
        assert "person-1" not in str(pq.ParquetFile(path).read().to_pylist())
    assert ids(lake) == ["e2"]
    assert lake.customer_ids(bucket_of(household, 4)) == ["2"]
    (left,) = [pq.ParquetFile(path).read()["row"].to_pylist() for path in lake.quarantine.glob("*.parquet")]
    assert left == ['{"who":"3"}', '{"x":2}']


def test_erasing_nobody_changes_nothing(lake):
    lake.append(events(event("e1")))
    assert lake.erase("nobody") == Erased(events=0, customers=0, quarantined=0)
    assert ids(lake) == ["e1"]


def test_a_quarantine_file_with_nobody_left_goes(lake):
    _quarantine(lake, [("1", "{}")])
    assert lake.erase("1").quarantined == 1
    assert list(lake.quarantine.glob("*")) == []


def _quarantine(lake: Lake, rows: list[tuple[str | None, str]]) -> None:
    table = pa.table(
        {
            "rule": ["r"] * len(rows),
            "row": [row for _, row in rows],
            "customer_id": pa.array([who for who, _ in rows], pa.string()),
        }
    )
    Quarantine(lake.quarantine, NOON).keep(table, block="b", source="s", asks={"r": "x > 0"})
