"""Permission agrees with the decision while nothing changes, and with a count by hand once something does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from decisions.permission import denial
from decisions.timing.localtime import DAY
from tests.property.test_eligibility_against_oracle import (
    CHANGES,
    ZONES,
    overruns_calendar,
    overruns_rolling,
)
from tests.worlds.deciding import answer, catalogue, customer, policy, sent, state

worlds = st.fixed_dictionaries(
    {
        "now": st.sampled_from(CHANGES),
        "name": st.sampled_from(ZONES),
        "ago": st.lists(st.integers(-9 * DAY, 3 * DAY), max_size=6),
        "limit": st.integers(1, 3),
        "window": st.sampled_from(["1h", "24h", "3d", "day", "week", "month"]),
        "gap": st.sampled_from([0, 1, 6, 30]),
        "quiet": st.sampled_from(
            [(), ({"from_hour": 21, "until_hour": 8},), ({"from_hour": "21:30", "until_hour": "7:10"},)]
        ),
    }
)
seconds = st.floats(0, 1, exclude_max=True)


def made(world, **ask):
    """A decision of a random world, with its rules and its state."""
    rules = policy(
        caps=[{"limit": world["limit"], "window": world["window"]}],
        min_gap_hours=world["gap"],
        quiet_hours=world["quiet"],
    )
    times = [world["now"] + timedelta(seconds=shift) for shift in world["ago"]]
    known = state(who=customer(time_zone=world["name"]), pressure=tuple(sent(at) for at in times))
    decision = answer(rules, known=known, now=world["now"], horizon_hours=72, **ask)
    assume(decision.action == "send")
    return decision, rules, known


def asked(decision, rules, known, now):
    return denial(decision, policy=rules, catalogue=catalogue(), state=known, now=now)


@settings(max_examples=150, deadline=None)
@given(world=worlds, share=seconds, purpose=st.sampled_from(["marketing", "service", "transactional"]))
def test_while_nothing_changes_permission_is_given_throughout_the_window(world, share, purpose):
    decision, rules, known = made(world, purpose=purpose)
    at = decision.send_at + share * (decision.expires_at - decision.send_at)
    assert asked(decision, rules, known, at) is None


@settings(max_examples=250, deadline=None)
@given(world=worlds, share=seconds, foreign=st.lists(st.integers(-2 * DAY, DAY // 4), min_size=1, max_size=3))
def test_after_foreign_sends_permission_is_given_just_where_no_cap_and_no_gap_is_overrun(world, share, foreign):
    decision, rules, known = made(world)
    window = decision.expires_at - decision.send_at
    at = (decision.send_at + share * window).replace(microsecond=0)
    others = tuple(sent(decision.send_at + timedelta(seconds=shift)) for shift in foreign)
    known = replace(known, pressure=(*known.pressure, *others))
    times = [each.at for each in known.pressure]

    def forbidden(t):
        if any(abs(t - each) < timedelta(hours=world["gap"]) for each in times):
            return True
        if rules.caps[0].rolling:
            return overruns_rolling(t, times, world["limit"], rules.caps[0].rolling)
        return overruns_calendar(t, times, world["limit"], world["window"], ZoneInfo(world["name"]))

    found = asked(decision, rules, known, at)
    assert (found is None) is not forbidden(at)
    if found and found.again:
        assert at < found.again < decision.expires_at
        assert not forbidden(found.again)
        assert asked(decision, rules, known, found.again) is None
    elif found:
        minutes = int((decision.expires_at - at).total_seconds()) // 60
        assert all(forbidden(at + timedelta(minutes=each)) for each in range(minutes))
