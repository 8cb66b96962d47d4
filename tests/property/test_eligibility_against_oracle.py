"""Permitted time against a brute-force recount that looks at one moment at a time and shares no code with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.eligibility.counting import rolling
from decisions.timing.localtime import DAY, days_between, local_dates, periods, wall_times
from decisions.timing.zones import zones_of_country
from tests.worlds.deciding import answer, customer, policy, sent, state

if TYPE_CHECKING:
    from collections.abc import Iterator

ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago")
CHANGES = (  # moments near which clocks change somewhere, and a plain one
    datetime(2026, 3, 8, 6, tzinfo=UTC),
    datetime(2026, 3, 29, 0, tzinfo=UTC),
    datetime(2026, 4, 4, 14, tzinfo=UTC),
    datetime(2026, 10, 25, 0, tzinfo=UTC),
    datetime(2026, 11, 1, 5, tzinfo=UTC),
    datetime(2026, 6, 30, 22, tzinfo=UTC),
)
STEP = timedelta(minutes=1)

seconds = st.integers(-40 * DAY, 12 * DAY).map(lambda at: timedelta(seconds=at))


def every_minute(start: datetime, end: datetime) -> Iterator[datetime]:
    while start <= end:
        yield start
        start += STEP


def overruns_rolling(t: datetime, times: list[datetime], limit: int, window: timedelta) -> bool:
    """Try every window [s, s + W) that holds t and starts at a message or at t."""
    starts = [s for s in [*times, t] if s <= t < s + window]
    return any(sum(s <= at < s + window for at in [*times, t]) > limit for s in starts)


def overruns_calendar(t: datetime, times: list[datetime], limit: int, period: str, zone: ZoneInfo) -> bool:
    def key(moment: datetime) -> object:
        day = moment.astimezone(zone).date()
        return {"day": day, "week": day.isocalendar()[:2], "month": (day.year, day.month)}[period]

    return sum(key(at) == key(t) for at in [*times, t]) > limit


@settings(max_examples=150, deadline=None)
@given(
    now=st.sampled_from(CHANGES),
    name=st.sampled_from(ZONES),
    ago=st.lists(seconds, max_size=12),
    limit=st.integers(0, 4),
    window=st.sampled_from(["1h", "24h", "3d", "7d", "day", "week", "month"]),
    gap=st.sampled_from([0, 6, 30]),
    hours=st.integers(1, 72),
)
def test_no_minute_between_send_and_expiry_overruns_a_cap_or_gap(now, name, ago, limit, window, gap, hours):
    times = [now + shift for shift in ago]
    rules = policy(caps=[{"limit": limit, "window": window}], min_gap_hours=gap)
    known = state(who=customer(time_zone=name), pressure=tuple(sent(at) for at in times))
    decision = answer(rules, known=known, now=now, horizon_hours=hours)

    def forbidden(t: datetime) -> bool:
        close = any(abs(t - at) < timedelta(hours=gap) for at in times)
        rolling = rules.caps[0].rolling
        if rolling:
            return close or overruns_rolling(t, times, limit, rolling)
        return close or overruns_calendar(t, times, limit, window, ZoneInfo(name))

    if decision.action == "send":
        assert decision.send_at is not None
        assert decision.expires_at is not None
        ends = (*every_minute(decision.send_at, decision.expires_at),)
        assert not any(forbidden(t) for t in ends[:: max(1, len(ends) // 40)] + ends[-1:])
    else:
        # Held: no stretch of the least window's length is free, looked at every five minutes.
        free = [not forbidden(t) for t in (*every_minute(now, now + timedelta(hours=hours)),)[::5]]
        longest, run = 0, 0
        for open_ in free:
            run = run + 1 if open_ else 0
            longest = max(longest, run)
        assert longest <= rules.least_window_minutes // 5 + 1


@settings(max_examples=150, deadline=None)
@given(
    waits=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 4)), max_size=4),
    limit=st.integers(1, 3),
    length=st.integers(1, 9),
)
def test_a_reservation_counts_wherever_it_may_still_go(waits, limit, length):
    """Try every second at which each waiting message could go."""
    blocked = rolling([(at, at + wait) for at, wait in waits], limit=limit, length=length)
    placements = list(product(*(range(at, at + wait + 1) for at, wait in waits)))
    for t in range(-10, 40):
        windows = range(t - length + 1, t + 1)
        full = any(sum(s <= at < s + length for at in times) >= limit for times in placements for s in windows)
        assert any(start <= t < end for start, end in blocked) is full


def shown(minute):
    """A time of day as people write it."""
    return f"{minute // 60:02}:{minute % 60:02}" if minute % 60 else minute // 60


@settings(max_examples=100, deadline=None)
@given(
    now=st.sampled_from(CHANGES),
    where=st.sampled_from(["US", "AU", "RU", "BR", "DE", "KI", *ZONES]),
    start=st.one_of(st.integers(0, 48).map(lambda half: half * 30), st.integers(0, 1440)),
    end=st.one_of(st.integers(0, 48).map(lambda half: half * 30), st.integers(0, 1440)),
    hours=st.integers(1, 60),
    request=st.integers(0, 10**6),
)
def test_nothing_waits_into_quiet_hours_of_any_zone_the_customer_may_live_in(
    now, where, start, end, hours, request
):
    if start % 1440 == end % 1440:
        return
    names = zones_of_country(where) if len(where) == 2 else (where,)
    who = customer(time_zone=None, country=where) if len(where) == 2 else customer(time_zone=where)
    rules = policy(
        quiet_hours=[{"from_hour": shown(start), "until_hour": shown(end)}], exploration={"loss_budget": 1}
    )
    decision = answer(rules, known=state(who=who), now=now, horizon_hours=hours, request_id=str(request))
    if decision.send_at is None or decision.expires_at is None:
        return
    for t in every_minute(decision.send_at, decision.expires_at):
        for name in names:
            local = t.astimezone(ZoneInfo(name))
            at = local.hour * 60 + local.minute
            inside = (at >= start or at < end) if start > end else start <= at < end
            assert not inside, (name, t)


@settings(max_examples=60, deadline=None)
@given(now=st.sampled_from(CHANGES), name=st.sampled_from(ZONES), shift=st.integers(-2 * DAY, 2 * DAY))
def test_every_second_has_one_local_hour_date_and_week_the_same_as_the_clock_says(now, name, shift):
    moment = int(now.timestamp()) + shift
    local = datetime.fromtimestamp(moment, ZoneInfo(name))
    days = days_between(moment - DAY, moment + DAY)
    minutes = [
        minute
        for minute in {0, 59, 60, 719, 720, 1439, local.hour * 60 + local.minute}
        if any(a <= moment < b for a, b in wall_times(name, days, minute * 60, minute * 60 + 60))
    ]
    dates = [day for day, spans in local_dates(name, days).items() if any(a <= moment < b for a, b in spans)]
    weeks = periods(name, days, "week")
    (week,) = weeks.touched(moment, moment)
    assert minutes == [local.hour * 60 + local.minute]
    assert dates == [local.date()]
    monday = datetime.fromtimestamp(weeks.spans[week][0][0], ZoneInfo(name))
    assert monday.date() == local.date() - timedelta(days=local.weekday())
