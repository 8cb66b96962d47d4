"""Known mistakes of the field: what people complained of elsewhere, and what happens here instead.

The numbers name public issues in which the mistake is told.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from decisions.decide import decide
from decisions.records import Ask, Exposure
from features.contracts import Cap, Preference
from runtime.guard import guard_of
from tests.worlds import ledger as hand
from tests.worlds.deciding import (
    CHANNELS,
    CUSTOMER,
    KEYS,
    NOON,
    answer,
    catalogue,
    codes,
    consent,
    customer,
    offer,
    policy,
    scores,
    sent,
    state,
)
from tests.worlds.ledger import opened

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHT = [{"from_hour": 22, "until_hour": 7}]
STOCK = catalogue(offer())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def limited(limit: int, window: str = "7d", **scope: object) -> object:
    return policy(caps=[{"limit": limit, "window": window, **scope}])


# Frequency caps


def test_a_limit_of_zero_is_none_and_not_off():
    """Elsewhere a default of 0 a day held everything back, or let everything through, by the product's mood (mautic#10416, brave-browser#45817)."""
    assert codes(answer(limited(0))) == ["cap"]
    assert answer(policy()).action == "send"
    none_wanted = Preference(customer_id=CUSTOMER, max_per_week=0)
    assert codes(answer(known=state(preference=none_wanted))) == ["preference_cap"]


def test_a_negative_limit_is_refused_rather_than_read_as_no_limit():
    """−1 for “unlimited” is a convention nobody can read: it is refused, and leaving the cap out is the way."""
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        Cap(limit=-1, window="day")


def test_a_capped_message_is_moved_to_when_the_cap_opens_and_not_lost():
    """Elsewhere a message over the limit was dropped in silence (mautic#2549)."""
    known = state(pressure=(sent(NOON - 6 * DAY),))
    decision = answer(limited(1), known=known, horizon_hours=48)
    assert decision.action == "send"
    assert decision.send_at >= NOON + DAY


def test_a_message_that_cannot_be_moved_far_enough_says_when_the_cap_opens():
    decision = answer(limited(1), known=state(pressure=(sent(NOON - DAY),)), horizon_hours=24)
    assert (decision.action, decision.reasons[0].until) == ("hold", NOON + 6 * DAY)


def test_the_first_message_over_a_cap_of_three_a_week_waits_for_the_next_week_and_not_for_three():
    """Elsewhere the waiting time was multiplied by the limit (mautic#4761)."""
    days = (NOON - 2 * DAY, NOON - 2 * DAY + HOUR, NOON - 2 * DAY + 2 * HOUR)
    rules = policy(caps=[{"limit": 3, "window": "week"}], horizon_hours=8 * 24)
    decision = answer(rules, known=state(pressure=tuple(sent(each) for each in days)))
    assert at("2026-03-09T00:00") <= decision.send_at < at("2026-03-13T00:00")


def test_each_channel_is_held_to_its_own_cap():
    """Elsewhere text messages were held to the limit of mail (mautic#4761)."""
    stock = catalogue(offer(channels=("email", "sms")))
    rules = policy(
        caps=[{"limit": 1, "window": "7d", "channel": "email"}, {"limit": 5, "window": "7d", "channel": "sms"}]
    )
    decision = answer(rules, stock, known=state(pressure=(sent(NOON - DAY),)), horizon_hours=24)
    assert decision.channel == "sms"


def test_transactional_messages_are_neither_counted_nor_held_by_marketing_caps():
    """Elsewhere receipts waited for next week (mautic#2530, #6896)."""
    full = state(pressure=(sent(NOON - HOUR),))
    assert answer(limited(1), known=full, purpose="transactional").action == "send"
    receipts = state(pressure=tuple(sent(NOON - hours * HOUR, purpose="transactional") for hours in range(1, 9)))
    assert answer(limited(1), known=receipts).action == "send"


def test_a_cap_holds_for_every_road_a_message_may_come_by():
    """Elsewhere campaigns passed the limit that broadcasts were held to (mautic#6729)."""
    stock = catalogue(offer(), campaigns=({"campaign_id": "spring"},))
    known = state(pressure=(sent(NOON - HOUR),))
    assert codes(answer(limited(1), stock, known=known, horizon_hours=24, campaign_id="spring")) == ["cap"]
    assert codes(answer(limited(1), stock, known=known, horizon_hours=24)) == ["cap"]
    assert codes(answer(limited(1), stock, known=known, horizon_hours=24, trigger="cart")) == ["cap"]


def test_all_limits_hold_together_and_not_one_instead_of_another():
    """A cooldown that has passed does not excuse a full cap, nor room under a cap a running cooldown (adcp#1272)."""
    rules = policy(
        caps=[{"limit": 2, "window": "7d"}], cooldowns={"after_sent_days": 3, "after_conversion_days": 0}
    )
    rested = state(pressure=(sent(NOON - 5 * DAY, offer_id="tea"), sent(NOON - 4 * DAY, offer_id="tea")))
    assert codes(answer(rules, known=rested, horizon_hours=24)) == ["cap"]
    room = state(pressure=(sent(NOON - DAY, offer_id="tea"),))
    assert codes(answer(rules, known=room, horizon_hours=24)) == ["cooldown"]


def test_two_offers_of_one_day_do_not_both_slip_under_a_cap_of_one_because_one_is_only_planned():
    known = state(pressure=(sent(NOON + 3 * HOUR, until=NOON + 5 * HOUR),))
    assert codes(answer(limited(1, "day"), known=known, horizon_hours=11)) == ["cap"]


def test_a_day_begins_at_midnight_where_the_customer_is_and_not_where_the_server_is():
    tokyo = customer(time_zone="Asia/Tokyo")
    known = state(who=tokyo, pressure=(sent(at("2026-03-04T14:30")),))  # 23:30 there
    assert answer(limited(1, "day"), known=known, now=at("2026-03-04T14:50"), horizon_hours=1).send_at >= at(
        "2026-03-04T15:00"
    )


def test_a_cap_of_one_lets_one_through_when_two_workers_ask_at_once(database_url):
    rules = limited(1)

    def ask(number: int) -> str:
        question = Ask(request_id=f"r{number}", customer_id=CUSTOMER)
        with ledger.transaction(CUSTOMER) as transaction:
            known = transaction.state(CUSTOMER, NOON)
            decision = decide(
                question, policy=rules, catalogue=STOCK, scores=scores(STOCK), state=known, now=NOON, keys=KEYS
            )
            return transaction.record(decision, body_hash="", frozen=b"").action

    with opened(database_url) as ledger, ThreadPoolExecutor(2) as workers:
        ledger.put_customers([customer()])
        ledger.append_consents([consent()], NOON)
        assert sorted(workers.map(ask, range(8))) == ["hold"] * 7 + ["send"]


# Hours, zones and clocks


@pytest.mark.parametrize("hour", [0, 23])
def test_a_favourite_hour_at_the_edge_of_the_day_is_used_and_not_averaged_to_noon(hour):
    """The mean of 23 and 0 o'clock is not 11:30, and hour 0 is an hour, not “nothing known”."""
    love = tuple(3.0 if slot % 24 == hour else 0.2 for slot in range(168))
    worth = scores(STOCK, multiplier=dict.fromkeys(CHANNELS, love))
    assert answer(worth=worth).send_at.hour == hour


def test_quiet_hours_over_midnight_hold_on_both_sides_of_it():
    """Elsewhere they ended at midnight, or 22 to 7 named no hour at all because 22 is more than 7 (assistant-relay#218)."""
    for moment in ("2026-03-04T22:00", "2026-03-04T23:59", "2026-03-05T00:00", "2026-03-05T05:30"):
        assert codes(answer(policy(quiet_hours=NIGHT), now=at(moment), horizon_hours=1))[0] in {
            "quiet_hours",
            "no_room",
        }
    assert answer(policy(quiet_hours=NIGHT), now=at("2026-03-05T07:00"), horizon_hours=1).action == "send"


def test_quiet_hours_from_midnight_until_morning_do_not_hold_the_evening():
    """Elsewhere only the start was looked at (assistant-relay#60)."""
    rules = policy(quiet_hours=[{"from_hour": 0, "until_hour": 8}])
    assert answer(rules, now=at("2026-03-04T21:00"), horizon_hours=2).action == "send"


def test_quiet_from_and_until_the_same_hour_is_refused_rather_than_silence_for_ever():
    """Elsewhere it suppressed every message, and told nobody (worldmonitor#3061)."""
    with pytest.raises(ValueError, match="could mean the whole day or nothing"):
        policy(quiet_hours=[{"from_hour": 10, "until_hour": 10}])


def test_the_last_minute_of_the_day_is_quiet_too():
    rules = policy(quiet_hours=[{"from_hour": 20, "until_hour": 24}])
    decision = answer(rules, now=at("2026-03-04T23:40"), horizon_hours=1)
    assert decision.action == "send"
    assert decision.send_at >= at("2026-03-05T00:00")


def test_quiet_hours_are_read_on_the_clock_of_the_customer_and_not_of_the_server():
    """Elsewhere they were read in UTC (EcoTask-app#90)."""
    for name, now in (("America/Los_Angeles", "2026-03-04T08:00"), ("Australia/Sydney", "2026-03-04T13:00")):
        known = state(who=customer(time_zone=name))
        assert codes(answer(policy(quiet_hours=NIGHT), known=known, now=at(now), horizon_hours=2)) == [
            "quiet_hours"
        ]


def test_an_unknown_zone_is_not_taken_for_that_of_the_server_and_nobody_is_woken():
    """Elsewhere it was the system's own (ThirdSetMauticTimingBundle#25)."""
    known = state(who=customer(time_zone=None, country="US"))
    decision = answer(policy(quiet_hours=NIGHT), known=known, now=at("2026-03-04T12:00"), horizon_hours=5)
    assert codes(decision) == ["zone_unknown"]  # 7:00 in New York is 2:00 in Honolulu


def test_a_message_held_over_night_keeps_its_reason_and_the_hour_at_which_it_may_go():
    decision = answer(policy(quiet_hours=NIGHT), now=at("2026-03-04T22:30"), horizon_hours=2)
    assert (decision.reasons[0].code, decision.reasons[0].until) == ("quiet_hours", at("2026-03-05T07:00"))


def test_a_message_that_waits_with_a_slow_sender_is_not_sent_into_the_night(database_url):
    """Elsewhere the hour was looked at when the message was queued, and the queue was worked off at midnight (ThirdSetMauticTimingBundle#22)."""
    rules = policy(quiet_hours=NIGHT, window_hours=24)
    with opened(database_url, guard=guard_of(rules, STOCK)) as ledger:
        ledger.put_customers([customer()])
        ledger.append_consents([consent()], NOON)
        late = hand.send(CUSTOMER, at=NOON, lasts=24 * HOUR, offer_id="tea", campaign_id=None, now=NOON)
        hand.record(ledger, late)
        refused = ledger.confirm(late.decision_id, NOON + 11 * HOUR)
        assert (refused.status, refused.code, refused.state) == ("refused", "quiet_hours", "reserved")
        assert ledger.confirm(late.decision_id, NOON + 20 * HOUR).status == "confirmed"


@pytest.mark.parametrize(("day", "opens"), [("2026-03-28", 6), ("2026-03-29", 5), ("2026-10-25", 6)])
def test_the_morning_comes_when_the_clock_says_so_on_the_days_it_is_changed(day, opens):
    """Elsewhere all came an hour late from then on (matomo#7658). Berlin's 7 o'clock is 6 or 5 UTC."""
    known = state(who=customer(time_zone="Europe/Berlin"))
    decision = answer(policy(quiet_hours=NIGHT), known=known, now=at(f"{day}T02:30"), horizon_hours=1)
    assert decision.reasons[0].until == at(f"{day}T0{opens}:00")


def test_an_hour_that_comes_twice_is_one_day_and_brings_one_message():
    """Elsewhere what was set for the repeated hour went out twice (birday#365)."""
    known = state(
        who=customer(time_zone="America/New_York"), pressure=(sent(at("2026-11-01T05:30")),)
    )  # 1:30, first
    again = answer(limited(1, "day"), known=known, now=at("2026-11-01T06:30"), horizon_hours=2)  # 1:30, second
    assert codes(again) == ["cap"]


def test_a_day_off_moves_the_message_to_the_next_working_day():
    rules = policy(days_off={"public_holidays": True, "weekends": True}, countries=["DE"])
    known = state(who=customer(time_zone="Europe/Berlin", country="DE"))
    decision = answer(rules, known=known, now=at("2026-04-02T22:30"), horizon_hours=120)  # Good Friday begins
    assert decision.send_at >= at("2026-04-06T22:00")  # Easter Monday is over


# Consent


def test_somebody_who_unsubscribed_gets_nothing_that_was_planned_before(database_url):
    """Elsewhere what was scheduled went out all the same (leadcms.core#255, sendgrid/docs#2176)."""
    with opened(database_url) as ledger:
        ledger.append_consents([hand.consent()], hand.NOW)
        planned = hand.record(ledger, hand.send(at=hand.NOW + DAY))
        ledger.append_consents([hand.consent("withdrawn", at=hand.NOW)], hand.NOW)
        verdict = ledger.confirm(planned.decision_id, planned.send_at)
        assert (verdict.status, verdict.state) == ("refused", "withdrawn")
        assert ledger.lease(10, planned.send_at, HOUR) == []


def test_unsubscribing_from_marketing_does_not_stop_receipts():
    left = state(consents=(consent(status="withdrawn"),))
    assert answer(known=left, purpose="transactional").action == "send"
    assert codes(answer(known=left)) == ["consent_withdrawn"]


def test_importing_the_old_list_again_does_not_subscribe_anybody_anew(database_url):
    with opened(database_url) as ledger:
        ledger.append_consents([hand.consent()], hand.NOW)
        ledger.append_consents([hand.consent("withdrawn", at=hand.NOW)], hand.NOW)
        ledger.append_consents([hand.consent()], hand.NOW + DAY)
        (word,) = hand.state(ledger, now=hand.NOW + DAY).consents
        assert word.status == "withdrawn"


def test_a_dead_address_is_not_revived_by_importing_the_customers_again(database_url):
    with opened(database_url) as ledger:
        ledger.put_customers([hand.ada()])
        bounce = hand.event("bounced", channel="email", properties={"bounce": "hard"})
        ledger.take_events([bounce], hand.NOW)
        ledger.put_customers([hand.ada()])
        assert ledger.customer("ada").contacts["email"] == "hard_bounced"


# Sending and counting


def test_two_workers_that_pick_up_one_message_are_given_one_permission(database_url):
    """Elsewhere a text message came twice (notification-api#2473)."""
    with opened(database_url) as ledger, ThreadPoolExecutor(4) as workers:
        one = hand.record(ledger, hand.send())
        answers = workers.map(lambda _: ledger.confirm(one.decision_id, one.send_at).status, range(8))
        assert sorted(answers) == ["confirmed"] + ["refused"] * 7


def test_a_webhook_delivered_twice_counts_one_message(database_url):
    with opened(database_url) as ledger:
        event = hand.event("sent", channel="email", message_id="m1")
        assert [each.status for each in ledger.take_events([event, event], hand.NOW)] == ["accepted", "duplicate"]
        again = hand.event("sent", channel="email", message_id="m1")  # the same message under a new event id
        ledger.take_events([again], hand.NOW)
        assert len(hand.state(ledger).pressure) == 1


def test_a_machine_that_opens_everything_is_no_reader(database_url):
    """Elsewhere the mail proxy's opens kept the dead alive, and its hour became everybody's best hour (kannon#412)."""
    with opened(database_url) as ledger:
        ledger.put_customers([hand.ada()])
        ledger.take_events([hand.event("sent", channel="email", message_id="m1")], hand.NOW)
        ledger.take_events([hand.event("opened", channel="email", message_id="m1", automated=True)], hand.NOW)
        (message,) = hand.state(ledger, now=hand.NOW + 30 * DAY).pressure
        assert message.responded is None


def test_silence_behind_a_proxy_never_pauses_anybody():
    rules = policy(smart_pause={"after": 2})
    hidden = tuple(sent(NOON - day * DAY, responded=None) for day in (1, 2, 3))
    silent = tuple(sent(NOON - day * DAY, responded=False) for day in (1, 2, 3))
    assert answer(rules, known=state(pressure=hidden)).action == "send"
    assert codes(answer(rules, known=state(pressure=silent), horizon_hours=24)) == ["smart_pause"]


def test_what_was_bought_between_the_decision_and_its_hour_is_not_advertised(database_url):
    rules = policy(cooldowns={"after_conversion_days": 30})
    with opened(database_url, guard=guard_of(rules, STOCK)) as ledger:
        ledger.put_customers([customer()])
        ledger.append_consents([consent()], NOON)
        planned = hand.record(
            ledger, hand.send(CUSTOMER, at=NOON + DAY, offer_id="tea", campaign_id=None, now=NOON)
        )
        bought = hand.event("purchased", CUSTOMER, at=NOON + HOUR, offer_id="tea")
        ledger.take_events([bought], NOON + HOUR)
        assert ledger.confirm(planned.decision_id, planned.send_at).code == "cooldown"


def test_what_was_just_bought_is_not_offered_again():
    rules = policy(cooldowns={"after_conversion_days": 30})
    known = state(exposures=(Exposure(offer_id="tea", last_converted=NOON - DAY),))
    assert codes(answer(rules, known=known)) == ["cooldown"]


def test_a_test_of_two_arms_never_moves_a_customer_between_them():
    arms = [{"name": "control"}, {"name": "bold", "policy": {"min_gap_hours": 1}}]
    rules = policy(experiments=[{"experiment_id": "gap", "arms": arms}])
    seen = {answer(rules, request_id=str(number), now=NOON + number * DAY).experiments for number in range(20)}
    assert len(seen) == 1
