"""Every scope, window, zone and direction of caps and gaps against an oracle that tries moment by moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import Phase, event, given, note, settings
from hypothesis import strategies as st

from decisions.timing.zones import zones_of_country
from features.contracts import Cap
from tests.worlds.deciding import answer, catalogue, customer, offer, policy, sent, state
from tests.worlds.effort import effort
from tests.worlds.oracle import Message, too_close, too_many

CHANGES = (  # moments near which clocks change somewhere, a month ends, and a plain one
    datetime(2026, 3, 8, 6, tzinfo=UTC),
    datetime(2026, 3, 28, 20, tzinfo=UTC),
    datetime(2026, 4, 4, 14, tzinfo=UTC),
    datetime(2026, 9, 6, 3, tzinfo=UTC),
    datetime(2026, 10, 24, 22, tzinfo=UTC),
    datetime(2026, 11, 1, 5, tzinfo=UTC),
    datetime(2026, 6, 30, 22, tzinfo=UTC),
)
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago")
COUNTRIES = ("PT", "CL", "KI")  # three zones each, with and without daylight saving
NOWHERE = ("Europe/Lisbon", "Asia/Tokyo")
STEP = timedelta(minutes=10)

zones = st.sampled_from([(name, None) for name in ZONES] + [(None, each) for each in COUNTRIES] + [(None, None)])
near = st.integers(-9 * 86_400, 9 * 86_400) | st.integers(-40 * 86_400, 40 * 86_400)
messages = st.builds(
    lambda ago, wait, **fields: (timedelta(seconds=ago), timedelta(minutes=wait), fields),
    near,
    st.sampled_from([0, 0, 30, 240, 3_000]),
    channel=st.sampled_from(["email", "sms"]),
    purpose=st.sampled_from(["marketing", "marketing", "service", "transactional"]),
    category=st.sampled_from(["drinks", "bread", None]),
    offer_id=st.sampled_from(["tea", "coffee", None]),
    campaign_id=st.sampled_from(["spring", "autumn", None]),
)
caps = st.fixed_dictionaries(
    {
        "limit": st.integers(0, 3) | st.integers(1, 3),
        "window": st.sampled_from(["2h", "24h", "3d", "1w", "day", "week", "month"]),
        "purposes": st.sampled_from(
            [("marketing",), ("marketing",), ("marketing", "service"), ("transactional",)]
        ),
    },
    optional={
        "channel": st.sampled_from(["email", "sms"]),
        "category": st.sampled_from(["drinks", "bread"]),
        "offer_id": st.sampled_from(["tea", "coffee"]),
        "campaign_id": st.sampled_from(["spring", "autumn"]),
    },
)


def dates_of(now: datetime, drawn: list[tuple[timedelta, timedelta, dict[str, object]]]) -> list[Message]:
    return [Message(at=now + ago, until=now + ago + wait, **fields) for ago, wait, fields in drawn]


def known_of(past: list[Message], zone: str | None, country: str | None) -> object:
    pressure = tuple(
        sent(
            each.at,
            each.channel,
            purpose=each.purpose,
            category=each.category,
            offer_id=each.offer_id,
            campaign_id=each.campaign_id,
            until=each.until if each.until > each.at else None,
        )
        for each in past
    )
    return state(who=customer(time_zone=zone, country=country), pressure=pressure)


def everywhere(zone: str | None, country: str | None) -> list[str]:
    if zone:
        return [zone]
    return list(zones_of_country(country)) if country else list(NOWHERE)


@settings(max_examples=effort(300), phases=[Phase.generate, Phase.shrink])  # to explain a failure takes minutes
@given(
    now=st.sampled_from(CHANGES),
    where=zones,
    drawn=st.lists(messages, max_size=9),
    limits=st.lists(caps, max_size=3),
    gap=st.sampled_from([0, 6, 30]),
    own_gap=st.sampled_from([0, 0, 48]),
    own_cap=st.sampled_from([None, None, {"limit": 1, "window": "day"}, {"limit": 2, "window": "3d"}]),
    campaign=st.sampled_from(["spring", None]),
    hours=st.integers(1, 60),
)
def test_a_message_goes_where_no_cap_or_gap_forbids_it_and_is_held_only_where_one_always_does(  # noqa: PLR0917 - what is drawn
    now, where, drawn, limits, gap, own_gap, own_cap, campaign, hours
):
    past, places = dates_of(now, drawn), everywhere(*where)
    rules = policy(
        caps=[Cap(**each) for each in limits],
        min_gap_hours=gap,
        channel_gap_hours={"email": own_gap},
        time_zones=NOWHERE,
    )
    own = [{**own_cap, "offer_id": "tea"}] if own_cap else []
    stock = catalogue(
        offer("tea", caps=[own_cap] if own_cap else []),
        campaigns=({"campaign_id": "spring"}, {"campaign_id": "autumn"}),
    )
    decision = answer(
        rules, stock, known=known_of(past, *where), now=now, horizon_hours=hours, campaign_id=campaign
    )
    mine = Message(at=now, until=now, campaign_id=campaign)
    marketing = [each for each in past if each.purpose == "marketing"]

    def forbidden(t: datetime) -> bool:
        return (
            too_close(gap, t, marketing)
            or too_close(own_gap, t, [each for each in marketing if each.channel == "email"])
            or any(too_many(cap, t, mine, past, places) for cap in [*limits, *own])
        )

    event(decision.action)
    note(f"{now} {where} {drawn} {limits} {gap} {own_gap} {own_cap} {campaign} {hours}: {decision}")
    if decision.send_at is not None and decision.expires_at is not None:
        assert now <= decision.send_at < decision.expires_at
        every = (decision.expires_at - decision.send_at) / 12
        assert not any(forbidden(decision.send_at + every * part) for part in range(13))
    else:
        assert {reason.code for reason in decision.reasons} <= {"cap", "min_gap", "no_room"}
        longest = run = 0
        for step in range(int(timedelta(hours=hours) / STEP) + 1):
            run = 0 if forbidden(now + step * STEP) else run + 1
            longest = max(longest, run)
        assert longest <= rules.least_window_minutes // 10 + 2


@settings(max_examples=effort(40))
@given(
    where=zones,
    drawn=st.lists(messages, max_size=8),
    now=st.sampled_from(CHANGES),
    purpose=st.sampled_from(["service", "transactional"]),
)
def test_no_other_purpose_is_capped_by_a_cap_that_does_not_name_it(where, drawn, now, purpose):
    rules = policy(caps=[{"limit": 0, "window": "day"}], min_gap_hours=24, time_zones=NOWHERE)
    decision = answer(rules, known=known_of(dates_of(now, drawn), *where), now=now, purpose=purpose)
    assert decision.action == "send"


@settings(max_examples=effort(40))
@given(
    where=zones,
    drawn=st.lists(messages, max_size=8),
    now=st.sampled_from(CHANGES),
    window=st.sampled_from(["1h", "1w", "day", "month"]),
)
def test_a_cap_of_zero_lets_nothing_through_in_any_window_zone_or_history(where, drawn, now, window):
    rules = policy(caps=[{"limit": 0, "window": window}], time_zones=NOWHERE)
    decision = answer(rules, known=known_of(dates_of(now, drawn), *where), now=now)
    assert (decision.action, decision.reasons[0].code, decision.reasons[0].until) == ("hold", "cap", None)


@settings(max_examples=effort(40))
@given(
    where=zones,
    drawn=st.lists(messages, max_size=12),
    now=st.sampled_from(CHANGES),
    limits=st.lists(caps, min_size=1, max_size=3),
)
def test_more_messages_never_open_a_door(where, drawn, now, limits):
    """What is refused with some of the messages is refused with all of them."""
    rules = policy(caps=[Cap(**each) for each in limits], min_gap_hours=12, time_zones=NOWHERE)
    past = dates_of(now, drawn)
    fewer = answer(rules, known=known_of(past[::2], *where), now=now, horizon_hours=48)
    if fewer.action == "hold":
        assert answer(rules, known=known_of(past, *where), now=now, horizon_hours=48).action == "hold"
