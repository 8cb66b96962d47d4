"""Every zone that counts as one is known to Python and to DuckDB, and shows the same time in both, but for a few."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest

from features.contracts import Customer
from features.contracts.places import known_countries, known_zones
from features.contracts.words import STORED, zone

DIFFERENT = {"America/Havana", "America/Rainy_River", "America/Winnipeg", "Canada/Central", "Cuba"}
"""Zones in which the two differ at some moment from 1990 to 2037: their tz databases are of different age.

docs/import.md names them. Should the lock bring other versions, this set and the page change.
"""

_FIRST, _LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1990, 2038))
_STEP = 28 * 86_400


@lru_cache(maxsize=1)
def _zones() -> dict[str, ZoneInfo]:
    """Every zone as the package tzdata has it: the lock fixes it, whatever this machine has."""
    root = files("tzdata") / "zoneinfo"
    zones = {}
    for name in sorted(known_zones()):
        with root.joinpath(*name.split("/")).open("rb") as file:
            zones[name] = ZoneInfo.from_file(file, key=name)
    return zones


def _offset(zone_: ZoneInfo, moment: int) -> int:
    offset = datetime.fromtimestamp(moment, UTC).astimezone(zone_).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _looks(zone_: ZoneInfo) -> dict[int, int]:
    """The offset every four weeks, and on either side of each change between two of these."""
    looks = {moment: _offset(zone_, moment) for moment in range(_FIRST, _LAST, _STEP)}
    for before, after in pairwise(list(looks)):
        if looks[before] == looks[after]:
            continue
        low, high = before, after
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset(zone_, middle) == looks[before] else (low, middle)
        looks |= {each: _offset(zone_, each) for each in (low, high, high + 3600, high - 3600)}
    return looks


def test_python_and_duckdb_show_the_same_time_in_every_zone_but_those_named():
    looks = {name: _looks(each) for name, each in _zones().items()}
    rows = [(name, moment, offset) for name, seen in looks.items() for moment, offset in seen.items()]
    names, moments, offsets = (pa.array(column) for column in zip(*rows, strict=True))
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("looks", pa.table({"name": names, "moment": moments, "offset": offsets}))
    sql = 'SELECT DISTINCT name FROM looks WHERE epoch(timezone(name, to_timestamp(moment))) - moment <> "offset"'
    assert {name for (name,) in connection.execute(sql).fetchall()} == DIFFERENT


@pytest.mark.parametrize(
    "name",
    ["localtime", "Factory", "posixrules", "posix/Europe/Berlin", "right/UTC", "ACT", "Mars", "../UTC", "utc"],
)
def test_a_name_for_this_machine_or_a_path_is_no_zone(name):
    with pytest.raises(ValueError, match="is not an IANA zone that every engine knows"):
        zone(name)


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "EST5EDT", "Etc/GMT+3", "Asia/Kathmandu"])
def test_every_engine_knows_the_others(name):
    assert zone(name).key == name


def test_a_stored_zone_that_is_none_is_read_as_unknown_and_an_odd_country_stays():
    stored = {"customer_id": "null", "time_zone": "localtime", "country": "EU"}
    read = Customer.model_validate(stored, context=STORED)
    assert (read.customer_id, read.time_zone, read.country) == ("null", None, "EU")
    assert Customer.model_validate({**stored, "country": "UK"}, context=STORED).country == "GB"
    with pytest.raises(ValueError, match="did you mean 'GB'"):
        Customer(customer_id="1", country="UK")


def test_the_countries_are_those_of_iso_3166():
    assert len(known_countries()) == 250
    assert {"DE", "GB", "XK", "BV"} < known_countries()
    assert not {"UK", "EU", "ZZ", "EL"} & known_countries()
