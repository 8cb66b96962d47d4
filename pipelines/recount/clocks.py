"""What the clock and the calendar forbid: quiet hours, days off, blackouts, the customer's own hours and pause."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import holidays

from pipelines.recount.windows import moment, tick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipelines.recount.rules import Promise
    from pipelines.recount.views import View

_QUARTER = timedelta(minutes=15)
_SATURDAY_SUNDAY = frozenset({5, 6})
_EVERY_PURPOSE = ("marketing", "service", "transactional")


def clocks(view: View) -> Iterator[tuple[Promise, str]]:
    """Yield each promise about time that the message breaks somewhere in its stay, in any of its zones."""
    if view.message.purpose not in view.rules.quiet_passes:
        yield from (("quiet", rule) for rule in _quiet(view))
        yield from (("wishes", rule) for rule in _own_hours(view))
    if _binds(view.rules.days_off, view, ("marketing",)) and _ever(view, lambda local: _is_off(local, view)):
        yield "days", "a day off"
    for blackout in view.rules.blackouts:
        if _binds(blackout, view, ("marketing",)) and _is_black(blackout, view):
            yield "days", f"blackout {blackout.get('name') or blackout['start']}"
    pause = view.person.wish.get("pause_until")
    if pause and view.message.purpose != "transactional" and view.stay[0] < tick(_moment(pause)):
        yield "wishes", "the customer's own pause"


def _binds(rule: Mapping[str, Any], view: View, purposes: tuple[str, ...]) -> bool:
    on_channel = not rule.get("channels") or view.message.channel in rule["channels"]
    return on_channel and view.message.purpose in rule.get("purposes", purposes)


def _quiet(view: View) -> Iterator[str]:
    for rule in view.rules.quiet:
        if _binds(rule, view, _EVERY_PURPOSE) and _in_hours(view, rule["from_hour"], rule["until_hour"]):
            yield f"quiet from {rule['from_hour']} until {rule['until_hour']}"


def _own_hours(view: View) -> Iterator[str]:
    start, end = view.person.wish.get("quiet_from"), view.person.wish.get("quiet_until")
    if start is not None and end is not None and _in_hours(view, start, end):
        yield f"the customer's own quiet hours from {start} until {end}"


def _in_hours(view: View, start: int | str, end: int | str) -> bool:
    first, last = _minutes(start), _minutes(end)
    over = first > last

    def quiet(local: datetime) -> bool:
        at = local.hour * 60 + local.minute
        return (at >= first or at < last) if over else first <= at < last

    return _ever(view, quiet, beside=_beginnings(view, first))


def _minutes(hour: int | str) -> int:
    """Return the minute of the day of a whole hour, or of ``21:30``."""
    if isinstance(hour, int):
        return hour * 60
    hours, minutes = hour.split(":")
    return int(hours) * 60 + int(minutes)


def _beginnings(view: View, minute: int) -> tuple[datetime, ...]:
    """Return the wall times at which quiet hours begin around the stay: they may lie between quarter-hours."""
    first, last = moment(view.stay[0]).date(), moment(view.stay[1]).date()
    eve = datetime.combine(first, time()) - timedelta(days=1)
    return tuple(eve + timedelta(days=day, minutes=minute) for day in range((last - first).days + 3))


def _is_off(local: datetime, view: View) -> bool:
    """Return whether a calendar calls the local day a weekend or holiday, as far as the policy keeps those."""
    rule, day = view.rules.days_off, local.date()
    weekends = rule.get("weekends") and any(
        day.weekday() in _weekend(country) for country in view.countries or (None,)
    )
    named = rule.get("public_holidays") and any(day in _holidays(each, day.year) for each in view.countries)
    return bool(weekends or named)


@lru_cache(maxsize=512)
def _weekend(country: str | None) -> frozenset[int]:
    try:
        return frozenset(holidays.country_holidays(country).weekend) if country else _SATURDAY_SUNDAY
    except NotImplementedError:  # the library's word for a country it does not know
        return _SATURDAY_SUNDAY


@lru_cache(maxsize=1024)
def _holidays(country: str, year: int) -> frozenset[Any]:
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()


def _is_black(blackout: Mapping[str, Any], view: View) -> bool:
    start, end = _moment(blackout["start"]), _moment(blackout["end"])
    if start.tzinfo:
        return view.stay[0] < tick(end) and view.stay[1] >= tick(start)
    return _ever(view, lambda local: start <= local.replace(tzinfo=None) < end, beside=(start,))


def _moment(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _ever(view: View, holds: Callable[[datetime], bool], *, beside: tuple[datetime, ...] = ()) -> bool:
    return any(holds(each.astimezone(zone)) for zone in view.zones for each in _looks(view, zone, beside))


def _looks(view: View, zone: tzinfo, beside: tuple[datetime, ...]) -> Iterator[datetime]:
    """Yield moments of the stay, enough to see every change: clocks turn on quarter-hours.

    ``beside`` are wall times that may lie between them: the moments at which the zone's clock shows them come too.
    """
    first, last = moment(view.stay[0]), moment(view.stay[1])
    shown = [moment(tick(wall.replace(tzinfo=zone, fold=fold))) for wall in beside for fold in (0, 1)]
    yield from (first, last, *(each for each in shown if first <= each <= last))
    at = first.replace(minute=first.minute // 15 * 15, second=0, microsecond=0) + _QUARTER
    while at < last:
        yield at
        at += _QUARTER
