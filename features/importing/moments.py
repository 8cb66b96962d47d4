"""Times: read in their zone, kept in UTC, through daylight-saving changes.

A wall-clock time that a change skips moves forward by the gap (02:30 becomes 03:30); one that occurs twice is
the first of the two. So :mod:`zoneinfo` reads it too, with ``fold=0``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import ibis

from features.importing.compiling import Compiled, as_text, compile_scalar
from features.importing.macros import from_local, from_micros, try_strptime
from features.importing.problems import MappingError

if TYPE_CHECKING:
    from features.importing.values import Day, Moment

MOMENT = "timestamp('UTC', 6)"
# No place is further from UTC than fourteen hours; DuckDB reads +99:00 as four days.
_ZONE = r"(Z|[+-](0[0-9]|1[0-3])(:?[0-5][0-9])?|[+-]14(:?00)?)"
_OFFSET = rf"[T ][0-9:.,]+ ?{_ZONE}$"
_ISO = (
    rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.,][0-9]{{1,9}})?)?( ?{_ZONE})?)?$"
)
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_MICROS = {
    "micros": 1,
    "millis": 1_000,
    "seconds": 10**6,
    "minutes": 6 * 10**7,
    "hours": 36 * 10**8,
    "days": 864 * 10**8,
}
"""Microseconds in each unit."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND = 253_402_300_799  # 9999-12-31: beyond it no database keeps a moment


def moment_literal(at: datetime) -> Any:
    """Return a moment as a value to compare columns with."""
    return ibis.literal(at, type=MOMENT)


_FIRST, _LAST = map(moment_literal, (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)))


def compile_moment(table: Any, moment: Moment) -> Compiled:
    """Return a moment as a UTC column, unreadable where there was a value that does not say one.

    Raises:
        MappingError: the column's type leaves open what the mapping does not say (a zone, a time of day).
    """
    value = compile_scalar(table, moment.value)
    read = _reader(value, moment)(value, moment).cast(MOMENT)
    read = ibis.ifelse(read.between(_FIRST, _LAST), read, ibis.null())
    return Compiled(read, value.notnull() & read.isnull())


def _reader(value: Any, moment: Moment) -> Any:
    kind = value.type()
    if moment.unit:
        return _epoch
    if kind.is_timestamp() and kind.timezone:
        return _aware
    if kind.is_timestamp() or kind.is_date():
        return _wall
    if kind.is_string():
        return _formatted if moment.format else _iso
    raise MappingError(f"{moment.value!r} is a number: say what it counts since 1970, with unit (seconds, millis)")


def _epoch(value: Any, moment: Moment) -> Any:
    number = as_text(value).try_cast("float64")
    start = ((moment.since or _EPOCH) - _EPOCH) // timedelta(microseconds=1)
    micros = number * _MICROS[str(moment.unit)] + start
    known = micros.abs() <= _LAST_SECOND * 10**6
    return from_micros(ibis.ifelse(known, micros, ibis.null()).round().cast("int64"))


def _aware(value: Any, moment: Moment) -> Any:
    if moment.time_zone:
        raise MappingError(f"{moment.value!r} has a zone already: leave time_zone out")
    return value


def _wall(value: Any, moment: Moment) -> Any:
    if not moment.time_zone:
        raise MappingError(f"{moment.value!r} has no zone: say where it was read off the clock, with time_zone")
    if value.type().is_date() and not moment.at:
        raise MappingError(f"{moment.value!r} is a date without a time of day: say one, with at")
    return from_local(_at(value.cast("timestamp(6)"), moment.at), moment.time_zone)


def _at(wall: Any, at: str | None) -> Any:
    """Put the stated time of day where there is none: on dates, which stand at midnight."""
    if not at:
        return wall
    hours, minutes, *seconds = map(int, at.split(":"))
    later = ibis.interval(seconds=hours * 3600 + minutes * 60 + sum(seconds))
    return ibis.ifelse(wall == wall.truncate("D"), wall + later, wall)


def _formatted(value: Any, moment: Moment) -> Any:
    return from_local(_at(try_strptime(value, ibis.literal(moment.format)), moment.at), moment.time_zone)


def _iso(value: Any, moment: Moment) -> Any:
    text = ibis.ifelse(value.re_search(_ISO), value.replace(",", "."), ibis.null())
    aware = text.try_cast(MOMENT)
    wall = text.try_cast("timestamp(6)")
    if not moment.time_zone:
        return ibis.ifelse(text.re_search(_OFFSET), aware, ibis.null())
    dateless = ibis.literal(moment.at is None) & text.re_search(_DATE)
    local = ibis.ifelse(dateless, ibis.null(), from_local(_at(wall, moment.at), moment.time_zone))
    return ibis.ifelse(text.re_search(_OFFSET), aware, local)


def asks_of(moment: Moment) -> str:
    """Return what a value must be for :func:`compile_moment` to read it."""
    if moment.unit:
        return f"a number of {moment.unit} since {moment.since.isoformat() if moment.since else 1970}"
    if moment.format:
        return f"a time written like {moment.format}"
    if not moment.time_zone:
        return "a time in ISO 8601 with its offset from UTC, at most 14 hours; one without needs time_zone"
    day = "" if moment.at else "; a date alone leaves the time of day open: say one, with at"
    return f"a date and time in ISO 8601{day}"


def compile_day(table: Any, day: Day) -> Compiled:
    """Return a date column, unreadable where there was a value that does not say one."""
    value = compile_scalar(table, day.value)
    if day.format:
        read = try_strptime(as_text(value), ibis.literal(day.format)).date()
    elif value.type().is_string():
        read = ibis.ifelse(value.re_search(_DATE), value, ibis.null()).try_cast("date")
    elif value.type().is_timestamp() or value.type().is_date():
        read = value.cast("date")
    else:
        raise MappingError(f"{day.value!r} is not a date: give a text with format, or a date")
    return Compiled(read, value.notnull() & read.isnull())
