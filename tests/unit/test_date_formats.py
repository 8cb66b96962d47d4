"""A format says the whole date and time, or the mapping is refused: nothing is filled with January or midnight."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pytest
from pydantic import ValidationError

from features.importing.formats import _KNOWN
from features.importing.values import Day, Moment

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("format_", "given", "message"),
    [
        ("%d.%m.%Y", {}, 'no time of day: say which stands in, like at: "09:00"'),
        ("%d.%M.%Y", {"at": "09:00"}, "no month .%m; %M is the minute.: every date would lie in January"),
        ("%d.%M.%Y %H:%M", {}, "says one thing twice, with %M and %M"),
        ("%d.%m.%Y %H:%m", {}, "twice, with %m and %m .%m is the month, %M the minute"),
        ("%d.%m %H:%M", {}, "has no year .%Y."),
        ("%m/%Y %H:%M", {}, "has no day .%d."),
        ("%Y %H:%M", {}, "has no month"),
        ("%d.%m.%Y %M", {}, "has no hour .%H."),
        ("%d.%m.%Y %M", {"at": "09:00"}, "has no hour .%H."),
        ("%d.%m.%Y %H %S", {}, "seconds but no minute"),
        ("%d.%m.%Y %I:%M", {}, "twelve hours .%I. without %p"),
        ("%d.%m.%Y %H:%M %p", {}, "write %I"),
        ("%D.%m.%Y", {"at": "09:00"}, "the code %D, which is not known: write %d"),
        ("%d.%m.%Y %h:%M", {}, "the code %h, which is not known: write %H"),
        ("%Q %d.%m.%Y %H:%M", {}, "the code %Q, which is not known: there are"),
        ("%d.%m.%Y %H:%M %", {}, "the code %, which is not known"),
        ("%s", {}, "unit: seconds"),
        ("%Y-%m-%dT%H:%M:%SZ", {}, "has 'Z', which says another zone than Europe/Berlin: write time_zone: UTC"),
        ("%Y-%m-%d %H:%M:%S UTC", {}, "has 'UTC', which says another zone"),
        ("%Y-%m-%d %H:%M:%S +0200", {}, "has '.0200', which says another zone"),
    ],
)
def test_a_format_that_leaves_something_open_is_refused(format_, given, message):
    with pytest.raises(ValidationError, match=message):
        Moment(value="{at}", format=format_, time_zone=BERLIN, **given)


@pytest.mark.parametrize(
    ("format_", "given"),
    [
        ("%d.%m.%Y", {"at": "09:00"}),
        ("%d.%m.%Y %H:%M", {}),
        ("%d.%m.%y %H", {}),
        ("%d %b %Y %I:%M %p", {}),
        ("%Y%m%dT%H%M%S.%f", {}),
        ("%Y-%m-%d %T", {}),
        ("%-d.%-m.%Y %-H:%M", {}),
        ("%j %Y %H:%M", {}),
        ("%G-W%V-%u %H:%M", {}),
        ("100%% %d.%m.%Y %H:%M", {}),
        ("%Y-%m-%dT%H:%M:%SZ", {"time_zone": "UTC"}),
        ("%Y-%m-%dT%H:%M:%SZ", {"time_zone": "Etc/UTC"}),
    ],
)
def test_a_format_that_says_all_is_taken(format_, given):
    assert Moment(value="{at}", **{"time_zone": BERLIN, **given}, format=format_).format == format_


@pytest.mark.parametrize(
    ("format_", "message"),
    [("%d.%M.%Y", "no month"), ("%d.%m.", "no year"), ("%m.%Y", "no day"), ("%D", "write %d")],
)
def test_a_birthday_needs_the_whole_date(format_, message):
    with pytest.raises(ValidationError, match=message):
        Day(value="{born}", format=format_)


def test_every_code_we_take_is_one_that_duckdb_reads():
    for code in _KNOWN:
        wall = datetime(2024, 7, 1, 10, 30)  # noqa: DTZ001 - a wall clock
        sql = "SELECT try_strptime(strftime($wall, $format), $format)"
        duckdb.execute(sql, {"wall": wall, "format": f"%{code}"})
