"""What is asked again right before sending, on values alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from decisions.permission import denial
from decisions.records import Exposure
from features.contracts import Campaign, Preference
from tests.worlds.deciding import (
    CUSTOMER,
    NOON,
    answer,
    catalogue,
    consent,
    customer,
    offer,
    policy,
    sent,
    state,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
STOCK = catalogue(offer(), offer("coffee", exclusivity_group="hot"), offer("cocoa", exclusivity_group="hot"))
DECISION = answer(now=NOON, horizon_hours=4)


def denied(decision=DECISION, rules=None, stock=STOCK, *, known=None, now=None):
    found = denial(
        decision,
        policy=rules or policy(),
        catalogue=stock,
        state=known or state(),
        now=now or decision.send_at,
    )
    return (found.reason.code, found.again) if found else None


def wish(**fields):
    return state(preference=Preference(customer_id=CUSTOMER, **fields))


def test_what_nothing_came_between_may_go():
    assert denied() is None


@pytest.mark.parametrize(
    ("known", "code"),
    [
        (state(consents=()), "consent_missing"),
        (state(consents=(consent(status="withdrawn"),)), "consent_withdrawn"),
        (state(who=customer(contacts={})), "contact_absent"),
        (state(who=customer(contacts={"email": "soft_bounced"})), "contact_soft_bounced"),
        (wish(channels_off=("email",)), "preference_channel_off"),
        (wish(pause_until=NOON + DAY), "preference_pause"),
        (wish(quiet_from=0, quiet_until=24), "preference_quiet_hours"),
        (wish(max_per_week=0), "preference_cap"),
    ],
)
def test_the_customers_own_word_of_now_counts(known, code):
    assert denied(known=known) == (code, None)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"caps": [{"limit": 1, "window": "7d"}]}, "cap"),
        ({"caps": [{"limit": 1, "window": "week"}]}, "cap"),
        ({"caps": [{"limit": 1, "window": "7d", "offer_id": "tea"}]}, "cap"),
        ({"min_gap_hours": 24}, "min_gap"),
        ({"channel_gap_hours": {"email": 24}}, "min_gap"),
        ({"cooldowns": {"after_sent_days": 2}}, "cooldown"),
        ({"quiet_hours": [{"from_hour": 10, "until_hour": 22}]}, "quiet_hours"),
        ({"days_off": {"weekends": True}}, None),
        ({"blackouts": [{"start": "2026-03-04T00:00", "end": "2026-03-05T00:00"}]}, "blackout"),
        ({"channels": ("sms",)}, "channel_not_allowed"),
    ],
)
def test_the_policy_of_now_counts(changes, code):
    known = state(pressure=(sent(NOON - HOUR, offer_id="tea"),))
    assert denied(rules=policy(**changes), known=known) == (code and (code, None))


def test_an_offers_own_cap_cooldown_validity_and_rivals_count():
    about_tea = state(pressure=(sent(NOON - HOUR, offer_id="tea"),))
    for changes, code in (
        ({"caps": [{"limit": 1, "window": "7d"}]}, "cap"),
        ({"cooldown_days": 3}, "cooldown"),
        ({"valid_until": NOON - HOUR}, "offer_not_valid"),
    ):
        assert denied(stock=catalogue(offer(**changes)), known=about_tea) == (code, None)
    coffee = replace(DECISION, offer_id="coffee")
    rules = policy(cooldowns={"exclusivity_days": 7})
    assert denied(coffee, rules, known=state(pressure=(sent(NOON, offer_id="cocoa"),))) == ("exclusivity", None)


def test_an_offer_that_was_just_taken_up_is_not_offered_again():
    bought = state(exposures=(Exposure(offer_id="tea", last_converted=NOON - HOUR),))
    assert denied(rules=policy(cooldowns={"after_conversion_days": 30}), known=bought) == ("cooldown", None)


def test_what_passes_inside_the_window_may_be_asked_for_again():
    known = state(pressure=(sent(NOON - HOUR),))
    code, again = denied(rules=policy(min_gap_hours=2), known=known, now=NOON)
    assert (code, again) == ("min_gap", NOON + HOUR)
    assert DECISION.send_at < again < DECISION.expires_at
    assert denied(rules=policy(min_gap_hours=2), known=known, now=again) is None
    assert denied(rules=policy(min_gap_hours=2), known=known, now=again - timedelta(microseconds=1)) is not None


def test_a_zone_that_became_unknown_is_not_less_protected():
    rules = policy(quiet_hours=[{"from_hour": 21, "until_hour": 8}])
    assert denied(rules=rules) is None
    assert denied(rules=rules, known=state(who=customer(time_zone=None))) == ("zone_unknown", None)


def test_a_zone_that_changed_is_the_one_that_counts():
    rules = policy(quiet_hours=[{"from_hour": 21, "until_hour": 8}])
    assert denied(rules=rules, known=state(who=customer(time_zone="Asia/Tokyo"))) == ("quiet_hours", None)


def test_what_the_decision_was_for_is_not_asked_again():
    """Audience, condition and holdback chose the message; they do not stop it."""
    held_back = state(held_back={"tea": NOON + DAY})
    spring = Campaign(campaign_id="spring", audience="country = 'XX'", offers=("tea",))
    stock = catalogue(offer(eligibility="churn > 2"), campaigns=(spring,))
    assert denied(replace(DECISION, campaign_id="spring"), stock=stock, known=held_back) is None


@pytest.mark.parametrize(
    "stock",
    [
        catalogue(offer("coffee")),
        catalogue(offer(channels=("sms",))),
        catalogue(offer(), campaigns=(Campaign(campaign_id="autumn"),)),
        catalogue(offer(), campaigns=(Campaign(campaign_id="spring", purpose="service"),)),
        catalogue(offer(), offer("coffee"), campaigns=(Campaign(campaign_id="spring", offers=("coffee",)),)),
    ],
)
def test_what_has_left_the_catalogue_goes_no_more(stock):
    assert denied(replace(DECISION, campaign_id="spring"), stock=stock) == ("not_in_catalogue", None)


def test_the_arm_of_the_decision_says_which_policy_counts():
    arms = [{"name": "calm", "policy": {"caps": [{"limit": 0, "window": "day"}]}}, {"name": "usual"}]
    rules = policy(experiments=[{"experiment_id": "calm", "arms": arms}])
    decision = answer(rules, horizon_hours=4, known=state(), request_id="r2")
    (given,) = decision.experiments
    calm, usual = (replace(DECISION, experiments=(replace(given, arm=arm),)) for arm in ("calm", "usual"))
    assert denied(calm, rules) == ("cap", None)
    assert denied(usual, rules) is None


def test_a_transactional_message_passes_marketing_caps_and_the_pause():
    decision = answer(purpose="transactional")
    known = replace(wish(pause_until=NOON + DAY, max_per_week=0), pressure=(sent(NOON),))
    rules = policy(caps=[{"limit": 0, "window": "7d"}], min_gap_hours=24)
    assert denied(decision, rules, known=known) is None


def test_the_rule_named_is_one_that_will_not_pass():
    known = replace(wish(quiet_from=0, quiet_until=24), pressure=(sent(NOON - HOUR),))
    assert denied(rules=policy(min_gap_hours=2), known=known, now=NOON) == ("preference_quiet_hours", None)


def test_a_hold_has_nothing_to_permit():
    hold = answer(policy(caps=[{"limit": 0, "window": "day"}]))
    with pytest.raises(ValueError, match="nothing to permit"):
        denied(hold, now=NOON)


def test_a_confirm_that_comes_a_little_early_does_not_reach_into_quiet_hours():
    quiet_until_it_goes = policy(quiet_hours=[{"from_hour": 21, "until_hour": 12}])
    one_o_clock = replace(DECISION, send_at=NOON.replace(hour=12), expires_at=NOON.replace(hour=15))
    early = one_o_clock.send_at - timedelta(seconds=30)
    assert denied(one_o_clock, quiet_until_it_goes) is None
    assert denied(one_o_clock, quiet_until_it_goes, now=early) == ("quiet_hours", one_o_clock.send_at)
