"""Local times become UTC as zoneinfo reads them with fold=0: forward in a gap, the first of a repeat."""

# ruff: noqa: DTZ001 - wall-clock times are what is tested
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.importing.macros import define_macros, from_local
from features.lake import connect

ZONES = [
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # its change is half an hour
    "America/St_Johns",
    "Pacific/Apia",
]


def _in_duckdb(walls: list[datetime], zone: str) -> list[datetime]:
    connection = connect()
    define_macros(connection)
    connection.con.register(
        "walls", pa.table({"n": list(range(len(walls))), "wall": pa.array(walls, pa.timestamp("us"))})
    )
    table = connection.table("walls")
    made = table.select("n", at=from_local(table["wall"], ibis.literal(zone))).order_by("n").to_pyarrow()
    return made["at"].to_pylist()


def _in_python(wall: datetime, zone: str) -> datetime:
    return wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


@settings(max_examples=15, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    # After Samoa skipped a whole day (two changes within one are beyond the rule), and before what tz databases
    # of different age merely predict.
    walls=st.lists(st.datetimes(datetime(2012, 1, 3), datetime(2024, 1, 1)), min_size=1, max_size=20),
)
def test_any_moment_in_any_zone(zone, walls):
    assert _in_duckdb(walls, zone) == [_in_python(wall, zone) for wall in walls]


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"])
def test_every_quarter_hour_of_a_year(zone):
    walls = [datetime(2017, 1, 1) + timedelta(minutes=15 * n) for n in range(365 * 96)]
    assert _in_duckdb(walls, zone) == [_in_python(wall, zone) for wall in walls]


def test_a_gap_moves_forward_and_a_repeat_is_the_first():
    gap, repeat = datetime(2024, 3, 31, 2, 30), datetime(2024, 10, 27, 2, 30)
    moved, first = _in_duckdb([gap, repeat], "Europe/Berlin")
    assert moved.astimezone(ZoneInfo("Europe/Berlin")).isoformat() == "2024-03-31T03:30:00+02:00"
    assert first.astimezone(ZoneInfo("Europe/Berlin")).isoformat() == "2024-10-27T02:30:00+02:00"
