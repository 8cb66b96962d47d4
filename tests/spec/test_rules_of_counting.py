"""How many messages, how far apart: caps, gaps, cooldowns, exclusivity, smart pause. They look both ways."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from decisions.records import Exposure
from features.contracts import Preference
from tests.worlds.deciding import (
    CUSTOMER,
    NOON,
    answer,
    catalogue,
    codes,
    customer,
    offer,
    policy,
    scores,
    sent,
    state,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def capped(limit: int, window: str, **scope: object) -> object:
    return policy(caps=[{"limit": limit, "window": window, **scope}])


def with_messages(*messages: object, **changes: object) -> object:
    return state(pressure=messages, **changes)


def test_a_cap_of_zero_lets_nothing_through():
    decision = answer(capped(0, "7d"))
    assert codes(decision) == ["cap"]
    assert decision.reasons[0].until is None


def test_a_policy_without_caps_lets_everything_through():
    many = with_messages(*(sent(NOON - HOUR * hours) for hours in range(1, 50)))
    assert answer(known=many).action == "send"


def test_a_rolling_window_is_half_open_and_measured_to_the_second():
    known = with_messages(sent(NOON - DAY))
    assert answer(capped(1, "1d"), known=known, horizon_hours=1).action == "send"
    too_early = answer(capped(1, "1d"), known=known, now=NOON - timedelta(minutes=50), horizon_hours=1)
    assert too_early.action == "hold"


def test_a_cap_says_until_when_it_holds():
    decision = answer(capped(1, "7d"), known=with_messages(sent(NOON - DAY)), horizon_hours=24)
    assert (decision.reasons[0].code, decision.reasons[0].detail) == ("cap", "1 per 7d")
    assert decision.reasons[0].until == NOON - DAY + 7 * DAY


def test_a_reservation_for_friday_counts_for_a_thursday_send():
    known = with_messages(sent(NOON + DAY))
    assert codes(answer(capped(1, "7d"), known=known, horizon_hours=20)) == ["cap"]


def test_a_reservation_counts_wherever_in_its_window_it_may_still_go():
    waiting = sent(NOON - 6 * HOUR, until=NOON - 2 * HOUR)
    decision = answer(capped(1, "24h"), known=with_messages(waiting), horizon_hours=20)
    assert decision.reasons[0].until == NOON + 22 * HOUR


def test_two_messages_far_apart_do_not_fill_one_window_between_them():
    known = with_messages(sent(NOON - 4 * DAY), sent(NOON + 4 * DAY))
    assert answer(capped(2, "7d"), known=known, horizon_hours=1).action == "send"


def test_a_calendar_day_is_the_customers_own():
    new_yorker = customer(time_zone="America/New_York")
    known = with_messages(sent(datetime(2026, 3, 5, 3, tzinfo=UTC)), who=new_yorker)  # Wednesday 22:00 there
    late = datetime(2026, 3, 5, 4, tzinfo=UTC)
    assert answer(capped(1, "day"), known=known, now=late, horizon_hours=1).action == "hold"
    assert answer(capped(1, "day"), known=known, now=late + HOUR, horizon_hours=1).action == "send"


def test_a_calendar_day_of_25_hours_is_one_day():
    berliner = customer(time_zone="Europe/Berlin")
    first = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)  # Sunday 00:30
    known = with_messages(sent(first), who=berliner)
    decision = answer(capped(1, "day"), known=known, now=first + HOUR, horizon_hours=20)
    assert decision.reasons[0].until == datetime(2026, 10, 25, 23, tzinfo=UTC)


def test_a_calendar_week_begins_on_monday():
    known = with_messages(sent(datetime(2026, 3, 2, 0, 30, tzinfo=UTC)))
    decision = answer(capped(1, "week"), known=known, horizon_hours=24)
    assert decision.reasons[0].until == datetime(2026, 3, 9, tzinfo=UTC)


def test_a_calendar_month_counts_what_was_sent_on_its_first_day():
    known = with_messages(sent(datetime(2026, 3, 1, tzinfo=UTC)))
    now = datetime(2026, 3, 31, 20, tzinfo=UTC)
    assert answer(capped(1, "month"), known=known, now=now, horizon_hours=3).action == "hold"
    assert answer(capped(1, "month"), known=known, now=now, horizon_hours=9).action == "send"


@pytest.mark.parametrize(
    ("scope", "binds"),
    [
        ({"channel": "email"}, True),
        ({"channel": "sms"}, False),
        ({"category": "drinks"}, True),
        ({"category": "bread"}, False),
        ({"offer_id": "tea"}, True),
        ({"offer_id": "coffee"}, False),
        ({"channel": "email", "category": "bread"}, False),
    ],
)
def test_a_cap_binds_and_counts_what_matches_every_scope_it_gives(scope, binds):
    known = with_messages(sent(NOON - HOUR, category="drinks", offer_id="tea"))
    assert (answer(capped(1, "7d", **scope), known=known, horizon_hours=24).action == "hold") is binds


def test_transactional_messages_neither_count_nor_are_bound_by_default():
    known = with_messages(sent(NOON - HOUR, purpose="transactional"))
    assert answer(capped(1, "7d"), known=known).action == "send"
    full = with_messages(sent(NOON - HOUR))
    assert answer(capped(1, "7d"), known=full, purpose="transactional").action == "send"


def test_a_cap_that_names_transactional_counts_and_binds_it():
    rules = capped(1, "7d", purposes=["marketing", "transactional"])
    known = with_messages(sent(NOON - HOUR, purpose="transactional"))
    assert codes(answer(rules, known=known, horizon_hours=24)) == ["cap"]
    assert codes(answer(rules, known=known, horizon_hours=24, purpose="transactional")) == ["cap"]


def test_an_offers_own_cap_counts_that_offer_alone():
    rare = offer("rare", caps=[{"limit": 1, "window": "7d"}])
    stock = catalogue(rare, offer("tea"))
    known = with_messages(sent(NOON - HOUR, offer_id="rare"))
    decision = answer(stock=stock, known=known, worth=scores(stock, tau={"rare|email": 9.0}), horizon_hours=24)
    assert decision.offer_id == "tea"
    assert [(reason.code, reason.offer_id) for reason in decision.reasons[1:]] == [("cap", "rare")]


def test_the_gap_holds_before_and_after_a_message():
    rules = policy(min_gap_hours=24)
    assert codes(answer(rules, known=with_messages(sent(NOON - HOUR)), horizon_hours=20)) == ["min_gap"]
    assert codes(answer(rules, known=with_messages(sent(NOON + 21 * HOUR)), horizon_hours=20)) == ["min_gap"]


def test_a_channel_has_a_gap_of_its_own():
    rules = policy(channel_gap_hours={"sms": 72})
    stock = catalogue(offer(channels=("sms", "email")))
    known = with_messages(sent(NOON - HOUR, channel="sms"))
    assert answer(rules, stock, known=known, horizon_hours=48).channel == "email"


def test_an_offer_rests_after_it_was_sent_and_before_it_is_sent():
    stock = catalogue(offer(cooldown_days=5))
    for when in (NOON - 4 * DAY, NOON + 4 * DAY):
        known = with_messages(sent(when, offer_id="tea"))
        assert codes(answer(stock=stock, known=known, horizon_hours=20)) == ["cooldown"]


def test_what_was_just_bought_is_not_offered():
    rules = policy(cooldowns={"after_conversion_days": 30})
    known = state(exposures=(Exposure(offer_id="tea", last_converted=NOON - DAY),))
    decision = answer(rules, known=known)
    assert (codes(decision), decision.reasons[0].until) == (["cooldown"], NOON + 29 * DAY)


def test_offers_of_one_group_exclude_each_other():
    stock = catalogue(offer("tea", exclusivity_group="hot"), offer("coffee", exclusivity_group="hot"))
    rules = policy(cooldowns={"exclusivity_days": 7})
    known = with_messages(sent(NOON - DAY, offer_id="coffee"))
    decision = answer(rules, stock, known=known, horizon_hours=24)
    assert decision.offer_id == "coffee"
    assert [(reason.code, reason.offer_id) for reason in decision.reasons[1:]] == [("exclusivity", "tea")]


def unanswered(*answers: bool | None) -> object:
    times = (NOON - DAY * (len(answers) - place) for place in range(len(answers)))
    return with_messages(*(sent(at, responded=answer) for at, answer in zip(times, answers, strict=True)))


PAUSING = {"smart_pause": {"after": 3, "days": 14}}


def test_three_messages_without_an_answer_bring_a_pause():
    decision = answer(policy(**PAUSING), known=unanswered(False, False, False))
    assert (codes(decision), decision.reasons[0].until) == (["smart_pause"], NOON + 13 * DAY)


@pytest.mark.parametrize("answers", [(False, False), (False, True, False), (False, False, None), (None,) * 9])
def test_a_short_row_an_answer_or_an_unknown_one_brings_no_pause(answers):
    assert answer(policy(**PAUSING), known=unanswered(*answers)).action == "send"


def test_the_customers_own_weekly_limit_binds_on_top_of_the_policy():
    known = with_messages(sent(NOON - DAY), preference=Preference(customer_id=CUSTOMER, max_per_week=1))
    assert codes(answer(known=known, horizon_hours=24)) == ["preference_cap"]


def test_a_weekly_limit_of_zero_means_no_marketing_at_all():
    known = state(preference=Preference(customer_id=CUSTOMER, max_per_week=0))
    assert codes(answer(known=known)) == ["preference_cap"]
    assert answer(known=known, purpose="transactional").action == "send"
