"""When a message may lie with the sender: quiet hours, unknown zones, daylight saving, days off, blackouts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.worlds.deciding import NOON, answer, catalogue, codes, customer, offer, policy, scores, state

NIGHT = [{"from_hour": 21, "until_hour": 8}]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def only_at(*hours: int) -> tuple[float, ...]:
    """A send-time effect that wants these hours of every day."""
    return tuple(2.0 if slot % 24 in hours else 0.5 for slot in range(168))


def wanting(*hours: int) -> object:
    return scores(catalogue(), multiplier={"email": only_at(*hours)})


def test_a_message_waits_and_goes_outside_quiet_hours_only():
    decision = answer(policy(quiet_hours=NIGHT), now=at("2026-03-04T20:30"), horizon_hours=24)
    assert decision.send_at is not None
    assert decision.expires_at is not None
    assert at("2026-03-04T20:30") <= decision.send_at < decision.expires_at < at("2026-03-04T21:00") or at(
        "2026-03-05T08:00"
    ) <= decision.send_at < decision.expires_at < at("2026-03-05T21:00")


def test_at_night_within_a_short_horizon_the_answer_is_hold_until_the_morning():
    decision = answer(policy(quiet_hours=NIGHT), now=at("2026-03-04T22:00"), horizon_hours=2)
    assert codes(decision) == ["quiet_hours"]
    assert decision.reasons[0].until == at("2026-03-05T08:00")
    assert decision.propensity == 1.0


def test_quiet_from_0_until_24_is_the_whole_day():
    decision = answer(policy(quiet_hours=[{"from_hour": 0, "until_hour": 24}]))
    assert codes(decision) == ["quiet_hours"]
    assert decision.reasons[0].until is None


@pytest.mark.parametrize("hours", [(0, 0), (24, 24), (24, 0), (9, 9), ("9:30", "09:30")])
def test_quiet_hours_that_could_mean_all_or_nothing_are_refused(hours):
    with pytest.raises(ValueError, match="the whole day or nothing"):
        policy(quiet_hours=[{"from_hour": hours[0], "until_hour": hours[1]}])


HALVES = [{"from_hour": "21:30", "until_hour": "7:45"}]


def test_quiet_hours_begin_and_end_on_the_minute():
    decision = answer(policy(quiet_hours=HALVES), now=at("2026-03-04T21:30"), horizon_hours=1)
    assert (codes(decision), decision.reasons[0].until) == (["quiet_hours"], at("2026-03-05T07:45"))
    decision = answer(policy(quiet_hours=HALVES), now=at("2026-03-05T07:30"), horizon_hours=1)
    assert decision.send_at is not None
    assert at("2026-03-05T07:45") <= decision.send_at < at("2026-03-05T08:30")


def test_what_may_go_until_half_past_expires_before_it():
    decision = answer(policy(quiet_hours=HALVES), now=at("2026-03-04T21:10"), horizon_hours=1)
    assert decision.expires_at is not None
    assert at("2026-03-04T21:29") <= decision.expires_at < at("2026-03-04T21:30")


def test_a_few_quiet_minutes_bind_wherever_on_earth_somebody_of_unknown_zone_may_be():
    """At 6:30 UTC it is noon in Kolkata, and at no whole hour from UTC."""
    rules = policy(quiet_hours=[{"from_hour": "12:00", "until_hour": "12:20"}])
    decision = answer(
        rules, known=state(who=customer(time_zone=None)), now=at("2026-03-04T06:35"), horizon_hours=1
    )
    assert decision.reasons[0].until is None or decision.reasons[0].until >= at("2026-03-04T06:50")
    assert decision.send_at is None or decision.send_at >= at("2026-03-04T06:50")


def test_half_hours_follow_the_clock_on_the_days_it_is_changed():
    """Berlin springs forward at 1 UTC on 29 March and falls back at 1 UTC on 25 October 2026."""
    known = state(who=customer(time_zone="Europe/Berlin"))
    rules = policy(quiet_hours=[{"from_hour": "21:30", "until_hour": "02:30"}])
    skipped = answer(rules, known=known, now=at("2026-03-29T00:00"), horizon_hours=1)
    assert skipped.reasons[0].until == at("2026-03-29T01:00")
    between = answer(rules, known=known, now=at("2026-10-25T00:15"), horizon_hours=1)  # 2:15, 2:30, and 2:00 again
    assert between.send_at is not None
    assert between.expires_at is not None
    assert at("2026-10-25T00:30") <= between.send_at < between.expires_at < at("2026-10-25T01:00")


@pytest.mark.parametrize(
    ("written", "kept"), [("21:30", "21:30"), ("7:45", "07:45"), ("21:00", 21), ("24:00", 24), ("0:00", 0), ("9", 9), (9.0, 9)]
)  # fmt: skip
def test_a_time_of_day_is_a_whole_hour_or_hours_and_minutes(written, kept):
    assert policy(quiet_hours=[{"from_hour": written, "until_hour": 8}]).quiet_hours[0].from_hour == kept


@pytest.mark.parametrize(
    "written", [21.5, 21.3, 25, -1, "25:00", "24:30", "21:60", "010", "021", "9pm", "21:30:00", "2130", "", None, True, "٢١"]
)  # fmt: skip
def test_what_is_no_time_of_day_is_refused_with_what_would_be_one(written):
    with pytest.raises(ValueError, match=r'is no time of day: write a whole hour from 0 to 24, or .* "21:30"'):
        policy(quiet_hours=[{"from_hour": written, "until_hour": 8}])


def test_quiet_until_24_ends_at_midnight():
    rules = policy(quiet_hours=[{"from_hour": 20, "until_hour": 24}])
    decision = answer(rules, now=at("2026-03-04T23:00"), horizon_hours=1)
    assert decision.reasons[0].until == at("2026-03-05T00:00")


def test_a_customer_whose_best_hour_is_23_is_written_to_at_23():
    decision = answer(worth=wanting(23))
    assert decision.send_at is not None
    assert decision.send_at.hour == 23


def test_a_customer_whose_best_hour_is_0_is_written_to_at_0():
    decision = answer(worth=wanting(0))
    assert decision.send_at is not None
    assert decision.send_at.hour == 0


def test_the_middle_between_23_and_0_is_midnight_and_not_noon():
    decision = answer(worth=wanting(23, 0))
    assert decision.send_at is not None
    assert decision.send_at.hour in {23, 0}


def test_an_unknown_zone_of_a_wide_country_waits_until_it_is_day_in_all_of_it():
    traveller = state(who=customer(time_zone=None, country="US"))
    morning_in_new_york = at("2026-03-04T14:00")  # 09:00 there, 04:00 in Honolulu
    decision = answer(policy(quiet_hours=NIGHT), known=traveller, now=morning_in_new_york, horizon_hours=3)
    assert codes(decision) == ["zone_unknown"]


def test_an_unknown_zone_without_a_country_takes_the_zones_the_policy_names():
    somebody = state(who=customer(time_zone=None))
    rules = policy(quiet_hours=NIGHT, time_zones=["Europe/Berlin"])
    assert answer(rules, known=somebody, now=at("2026-03-04T21:00"), horizon_hours=2).action == "hold"
    assert answer(rules, known=somebody, now=at("2026-03-04T12:00"), horizon_hours=2).action == "send"


def test_an_unknown_zone_anywhere_in_the_world_is_always_somebodys_night():
    somebody = state(who=customer(time_zone=None))
    assert codes(answer(policy(quiet_hours=NIGHT), known=somebody)) == ["zone_unknown"]


def test_the_hour_that_is_skipped_in_spring_does_not_shift_the_morning():
    berliner = state(who=customer(time_zone="Europe/Berlin"))
    decision = answer(policy(quiet_hours=NIGHT), known=berliner, now=at("2026-03-28T23:00"), horizon_hours=6)
    assert decision.reasons[0].until == at("2026-03-29T06:00")  # 08:00 summer time


def test_the_hour_that_comes_twice_in_autumn_is_quiet_both_times():
    berliner = state(who=customer(time_zone="Europe/Berlin"))
    rules = policy(quiet_hours=[{"from_hour": 2, "until_hour": 3}])
    decision = answer(rules, known=berliner, now=at("2026-10-25T00:00"), horizon_hours=2)
    assert codes(decision) == ["quiet_hours"]
    assert decision.reasons[0].until == at("2026-10-25T02:00")


def test_a_zone_with_a_half_hour_keeps_its_own_clock():
    kolkata = state(who=customer(time_zone="Asia/Kolkata"))
    decision = answer(policy(quiet_hours=NIGHT), known=kolkata, now=at("2026-03-04T16:00"), horizon_hours=4)
    assert decision.reasons[0].until == at("2026-03-05T02:30")


def test_quiet_hours_bind_transactional_messages_unless_the_policy_says_otherwise():
    ask = {"purpose": "transactional", "now": at("2026-03-04T23:00"), "horizon_hours": 2}
    assert answer(policy(quiet_hours=NIGHT), **ask).action == "hold"
    assert answer(policy(quiet_hours=NIGHT, transactional_in_quiet_hours=True), **ask).action == "send"


def test_a_rule_for_one_channel_leaves_the_others_alone():
    rules = policy(quiet_hours=[{"from_hour": 0, "until_hour": 24, "channels": ["sms"]}])
    decision = answer(rules, catalogue(offer(channels=("sms", "email"))))
    assert decision.channel == "email"
    assert [(reason.code, reason.channel) for reason in decision.reasons[1:]] == [("quiet_hours", "sms")]


def test_no_marketing_on_the_weekend_of_the_customers_country():
    rules = policy(days_off={"weekends": True})
    friday = at("2026-03-06T12:00")
    in_israel = state(who=customer(country="IL", time_zone="Asia/Jerusalem"))
    in_france = state(who=customer(country="FR", time_zone="Europe/Paris"))
    assert codes(answer(rules, known=in_israel, now=friday, horizon_hours=6)) == ["day_off"]
    assert answer(rules, known=in_france, now=friday, horizon_hours=6).action == "send"


def test_no_marketing_on_a_public_holiday_but_an_invoice_goes():
    rules = policy(days_off={"public_holidays": True}, countries=["DE"])
    unity_day = at("2026-10-02T22:00")
    german = state(who=customer(country="DE", time_zone="Europe/Berlin"))
    held = answer(rules, known=german, now=unity_day, horizon_hours=20)
    assert codes(held) == ["day_off"]
    assert held.reasons[0].until == at("2026-10-03T22:00")
    assert answer(rules, known=german, now=unity_day, horizon_hours=20, purpose="transactional").action == "send"


def test_a_blackout_without_an_offset_is_read_on_the_customers_own_clock():
    rules = policy(blackouts=[{"start": "2026-12-24T00:00", "end": "2026-12-27T00:00", "name": "Christmas"}])
    in_tokyo = state(who=customer(time_zone="Asia/Tokyo"))
    decision = answer(rules, known=in_tokyo, now=at("2026-12-23T16:00"), horizon_hours=48)
    assert (codes(decision), decision.reasons[0].detail) == (["blackout"], "Christmas")
    assert decision.reasons[0].until == at("2026-12-26T15:00")


def test_an_offer_is_sent_while_it_is_valid_and_its_message_expires_before_it_does():
    lasting = offer(valid_from=NOON + timedelta(hours=5), valid_until=NOON + timedelta(hours=6))
    decision = answer(stock=catalogue(lasting))
    assert decision.send_at is not None
    assert decision.expires_at is not None
    assert lasting.valid_from <= decision.send_at < decision.expires_at < lasting.valid_until


def test_rules_that_leave_no_time_together_are_all_named():
    rules = policy(
        quiet_hours=NIGHT, blackouts=[{"start": "2026-03-04T08:00", "end": "2026-03-04T21:00", "name": "day"}]
    )
    decision = answer(rules, now=at("2026-03-04T09:00"), horizon_hours=20)
    assert codes(decision) == ["quiet_hours", "blackout", "no_room"]


def test_an_invoice_goes_at_the_first_permitted_second():
    decision = answer(policy(quiet_hours=NIGHT), purpose="transactional", now=at("2026-03-04T23:00"))
    assert decision.send_at == at("2026-03-05T08:00")
    assert codes(decision) == ["prompt"]


def test_a_country_that_is_none_counts_as_no_country_and_holds_nobody_for_ever():
    rules = policy(quiet_hours=NIGHT, time_zones=["Europe/Berlin"])
    for code in ("EU", "ZZ"):  # as the ledger may hold it from before such codes were refused
        somebody = state(who=customer(time_zone=None).model_copy(update={"country": code}))
        assert answer(rules, known=somebody, now=at("2026-03-04T12:00"), horizon_hours=2).action == "send"


def test_kosovo_keeps_belgrades_time():
    somebody = state(who=customer(time_zone=None, country="XK"))
    assert (
        answer(policy(quiet_hours=NIGHT), known=somebody, now=at("2026-03-04T12:00"), horizon_hours=2).action
        == "send"
    )
