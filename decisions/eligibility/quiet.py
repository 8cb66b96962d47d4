"""When nothing may go, whatever was sent before: quiet hours, days off, blackouts, pauses, an offer's validity.

Where the zone is unknown, a moment is forbidden if it is forbidden in any zone the customer may live in (P3).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from decisions.eligibility.codes import Code
from decisions.eligibility.situation import Block
from decisions.policy_parts import minute_of
from decisions.timing.localtime import DAY, MINUTE, Days, instant, local_dates, wall_times
from decisions.timing.spans import ALWAYS, DAWN, NEVER, Spans, union

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from decisions.eligibility.situation import Situation
    from decisions.policy_parts import Blackout
    from features.contracts import Offer

_SATURDAY_SUNDAY = frozenset({5, 6})


def quiet_times(situation: Situation, channel: str) -> Iterator[Block]:
    """Yield what the clock and the calendar forbid on ``channel``."""
    purpose = situation.ask.purpose
    yield from _quiet_hours(situation, channel)
    off = situation.policy.days_off
    if off.binds(channel, purpose) and (off.weekends or off.public_holidays):
        spans = days_off(
            situation.zones,
            situation.days,
            situation.countries,
            weekends=off.weekends,
            public_holidays=off.public_holidays,
        )
        yield Block(code=Code.DAY_OFF, spans=spans, channel=channel if off.channels else None)
    for blackout in situation.policy.blackouts:
        if blackout.binds(channel, purpose):
            spans = blackout_spans(blackout, situation.zones)
            yield Block(code=Code.BLACKOUT, spans=spans, detail=blackout.name or None)
    preference = situation.state.preference
    if preference and preference.pause_until and purpose != "transactional":
        spans = ((DAWN, ceil_second(preference.pause_until.timestamp())),)
        yield Block(code=Code.PREFERENCE_PAUSE, spans=spans)


def _quiet_hours(situation: Situation, channel: str) -> Iterator[Block]:
    purpose = situation.ask.purpose
    if purpose == "transactional" and situation.policy.transactional_in_quiet_hours:
        return
    for rule in situation.policy.quiet_hours:
        if rule.binds(channel, purpose):
            yield Block(
                code=Code.QUIET_HOURS if situation.zone_known else Code.ZONE_UNKNOWN,
                spans=quiet_spans(situation.zones, situation.days, *rule.minutes),
                channel=channel if rule.channels else None,
            )
    own = situation.state.preference
    if own and own.quiet_from is not None and own.quiet_until is not None:
        spans = quiet_spans(situation.zones, situation.days, minute_of(own.quiet_from), minute_of(own.quiet_until))
        yield Block(code=Code.PREFERENCE_QUIET_HOURS, spans=spans)


def validity(situation: Situation, offer: Offer) -> Iterator[Block]:
    """Yield the moments before ``offer`` begins and after it is over."""
    begins, ends = offer.valid_from, offer.valid_until
    before = [(DAWN, ceil_second(begins.timestamp()))] if begins and begins > situation.now else []
    after = [(int(ends.timestamp()), NEVER)] if ends else []
    if spans := union([*before, *after]):
        yield Block(code=Code.OFFER_NOT_VALID, spans=spans, offer_id=offer.offer_id)


@lru_cache(maxsize=4096)
def quiet_spans(zones: tuple[str, ...], days: Days, start: int, end: int) -> Spans:
    """Return when it is quiet in any of ``zones``, from and until minutes of the day; always for the whole day."""
    if (start * MINUTE, end * MINUTE) == (0, DAY):
        return ALWAYS
    return union(span for name in zones for span in wall_times(name, days, start * MINUTE, end * MINUTE))


@lru_cache(maxsize=4096)
def days_off(
    zones: tuple[str, ...], days: Days, countries: tuple[str, ...], *, weekends: bool, public_holidays: bool
) -> Spans:
    """Return when it is a day off in any of ``zones``, by the calendar of any of ``countries``."""
    return union(
        span
        for name in zones
        for day, spans in local_dates(name, days).items()
        if (weekends and any(day.weekday() in weekend_of(country) for country in countries or ("",)))
        or (public_holidays and any(day in holidays_of(country, day.year) for country in countries))
        for span in spans
    )


@lru_cache(maxsize=1024)
def holidays_of(country: str, year: int) -> frozenset[date]:
    """Return the nationwide public holidays of ``country``; none where the calendar is not known."""
    import holidays  # noqa: PLC0415  # slow to import, and many policies know no days off

    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:  # the library's word for a country it does not know
        return frozenset()


@lru_cache(maxsize=512)
def weekend_of(country: str) -> frozenset[int]:
    """Return the weekend of ``country`` (0 = Monday); Saturday and Sunday where it is not known."""
    import holidays  # noqa: PLC0415  # as above

    try:
        return frozenset(holidays.country_holidays(country).weekend)
    except NotImplementedError:
        return _SATURDAY_SUNDAY


@lru_cache(maxsize=4096)
def blackout_spans(blackout: Blackout, zones: tuple[str, ...]) -> Spans:
    """Return the moments of ``blackout``, in any of ``zones`` where it is in local time."""
    start, end = blackout.start, blackout.end
    if not blackout.local:
        return ((int(start.timestamp()), ceil_second(end.timestamp())),)
    return union((instant(name, start, latest=False), instant(name, end, latest=True)) for name in zones)


def ceil_second(moment: float) -> int:
    """Return the first whole second at or after ``moment``."""
    return -int(-moment // 1)
