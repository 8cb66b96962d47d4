"""Every row lies in the folder that its customer and its month name, however many and small the groups are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from features.lake import Lake, bucket_of
from tests.worlds.lake import customer, customers, event, events

MONTHS = [datetime(2024 + (n // 12), n % 12 + 1, 3, tzinfo=UTC) for n in range(12)]


def _small_groups(people: int, months: int, *, each: int = 1) -> list[dict]:
    return [
        event(f"{who:03d}-{n}-{again}", f"p{who:02d}", occurred_at=MONTHS[n] + timedelta(hours=again))
        for who in range(people)
        for n in range(months)
        for again in range(each)
    ]


def _filed(lake: Lake) -> list[tuple[int, str, dict]]:
    """Every event with the bucket and month that its file's folder says."""
    found = []
    for path in sorted((lake.root / "events").rglob("*.parquet")):
        bucket, month = (part.split("=")[1] for part in path.relative_to(lake.root / "events").parts[:2])
        found += [(int(bucket), month, row) for row in pq.ParquetFile(path).read().to_pylist()]
    return found


def _misfiled(lake: Lake) -> list[str]:
    return [
        row["event_id"]
        for bucket, month, row in _filed(lake)
        if bucket != bucket_of(row["customer_id"], lake.buckets) or month != f"{row['occurred_at']:%Y-%m}"
    ]


def test_forty_customers_with_one_event_in_each_of_twelve_months_lie_where_they_belong(tmp_path):
    lake = Lake(tmp_path / "lake")
    lake.append(events(*_small_groups(40, 12)))
    assert len(_filed(lake)) == 480
    assert _misfiled(lake) == []


@pytest.mark.parametrize("each", [1, 3, 17])
def test_no_size_of_group_puts_a_row_out_of_place(tmp_path, each):
    lake = Lake(tmp_path / "lake", buckets=64)
    lake.append(events(*_small_groups(52, 8, each=each)))
    assert _misfiled(lake) == []


def test_who_is_erased_from_a_lake_of_many_small_groups_is_in_no_file(tmp_path):
    lake = Lake(tmp_path / "lake")
    lake.append(events(*_small_groups(40, 12)))
    assert lake.erase("p01").events == 12
    assert [row for *_, row in _filed(lake) if row["customer_id"] == "p01"] == []
    assert len(_filed(lake)) == 468


def test_events_that_move_to_a_household_lie_in_its_bucket_and_their_own_months(tmp_path):
    lake = Lake(tmp_path / "lake")
    lake.append(events(*_small_groups(40, 12)))
    lake.put_customers(customers(*(customer(f"p{who:02d}", f"home{who % 7}") for who in range(40))))
    for bucket, month, row in _filed(lake):
        assert bucket == bucket_of(f"home{int(row['customer_id'][1:]) % 7}", lake.buckets)
        assert month == f"{row['occurred_at']:%Y-%m}"
