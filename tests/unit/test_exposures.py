"""Exposures are read as an import reads: ids are text, moments have an offset, and what is odd is named."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments.exposures import EXPOSURE_SCHEMA, read_exposures, typed

HEAD = "customer_id,arm,assigned_at"
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def written(tmp_path, name, text):
    file = tmp_path / name
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", f"{HEAD}\n007,later,2026-03-01T09:00:00Z\n"),
        ("a.csv", f"\ufeffextra,{HEAD}\nx,007,later,2026-03-01 10:00:00+01:00\n"),
        ("a.tsv", f"{HEAD}\n007,later,2026-03-01T09:00:00Z\n".replace(",", "\t")),
        (
            "a.jsonl",
            json.dumps({"customer_id": "007", "arm": "later", "assigned_at": "2026-03-01T09:00:00Z"}) + "\n",
        ),
    ],
)
def test_ids_keep_their_leading_zeros_whatever_the_kind_of_file(tmp_path, name, text):
    found = read_exposures(written(tmp_path, name, text))
    assert found.schema == EXPOSURE_SCHEMA
    assert found.to_pylist() == [{"customer_id": "007", "arm": "later", "assigned_at": AT}]


def test_parquet_is_read_with_its_own_types(tmp_path):
    at = pa.array([AT], pa.timestamp("ns", "Europe/Berlin"))
    table = pa.table({"customer_id": [7], "arm": pa.array(["later"]).dictionary_encode(), "assigned_at": at})
    pq.write_table(table, tmp_path / "a.parquet")
    assert read_exposures(tmp_path / "a.parquet").to_pylist() == [
        {"customer_id": "7", "arm": "later", "assigned_at": AT}
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"{HEAD}\n1,a,2026-03-01T09:00:00Z\n7,a,2026-03-01 09:00\n",
            r"row 2 \(customer '7'\).*no moment with an",
        ),
        (f"{HEAD}\n7,a,2026-03-01\n8,a,2026-03-01\n", r"row 1 .*'2026-03-01'.*rows like it: 2"),
        (f"{HEAD}\n7,a,1970-01-20T09:00:00Z\n", r"row 1 \(customer '7'\).*outside 1990 to 2100"),
        ("customer,arm,assigned_at\n7,a,2026-03-01T09:00:00Z\n", r"lack customer_id: did you mean 'customer'"),
        (f"{HEAD}\n7,a,2026-03-01T09:00:00Z,b\n", r"1 lines of a\.csv cannot be read"),
    ],
)
def test_what_does_not_fit_is_named_with_its_row_and_the_way_out(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_exposures(written(tmp_path, "a.csv", text))


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("customer_id", [7.0], "customer_id is a column of kind double: ids and arms are text"),
        ("arm", [True], "arm is a column of kind bool"),
        ("assigned_at", [datetime(2026, 3, 1)], "assigned_at has no time zone"),  # noqa: DTZ001 - the fault
        ("assigned_at", [1_772_000_000], "assigned_at is a column of kind int64"),
    ],
)
def test_a_column_of_another_kind_is_refused_and_never_guessed(column, values, message):
    table = {"customer_id": ["7"], "arm": ["a"], "assigned_at": [AT], column: values}
    with pytest.raises(ValueError, match=message):
        typed(pa.table(table))


def test_moments_of_a_table_may_be_text_and_rows_that_lack_something_stay():
    east = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    table = pa.table({"customer_id": ["7", None], "arm": ["a", "b"], "assigned_at": [east.isoformat(), None]})
    assert typed(table)["assigned_at"].to_pylist() == [AT, None]
