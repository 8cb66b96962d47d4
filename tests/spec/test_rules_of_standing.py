"""Who may be written to at all: consent, contact, preferences, audience, holdout, holdback, budgets."""

from __future__ import annotations

from datetime import timedelta

import pytest

from decisions.decide import AskError
from decisions.records import BudgetState
from features.contracts import Campaign, Preference
from tests.worlds.deciding import (
    CUSTOMER,
    NOON,
    answer,
    catalogue,
    codes,
    consent,
    customer,
    offer,
    policy,
    scores,
    state,
)

DAY = timedelta(days=1)


def test_marketing_needs_a_granted_consent_for_its_channel_and_purpose():
    assert codes(answer(known=state(consents=()))) == ["consent_missing"]
    assert codes(answer(known=state(consents=(consent("sms"),)))) == ["consent_missing"]
    assert codes(answer(known=state(consents=(consent(purpose="service"),)))) == ["consent_missing"]
    assert answer(known=state(consents=(consent(),))).action == "send"


def test_a_consent_dated_later_than_now_is_none_yet():
    assert codes(answer(known=state(consents=(consent(at=NOON + DAY),)))) == ["consent_missing"]


def test_the_latest_entry_counts_and_a_withdrawal_wins_a_tie():
    back = (consent(status="withdrawn", at=NOON - 2 * DAY), consent(at=NOON - DAY))
    assert answer(known=state(consents=back)).action == "send"
    tie = (consent(status="withdrawn", at=NOON - DAY), consent(at=NOON - DAY))
    assert codes(answer(known=state(consents=tie))) == ["consent_withdrawn"]


def test_an_invoice_needs_no_consent_but_a_withdrawal_of_its_own_purpose_stops_it():
    assert answer(known=state(consents=()), purpose="transactional").action == "send"
    other = (consent(status="withdrawn"),)
    assert answer(known=state(consents=other), purpose="transactional").action == "send"
    own = (consent(purpose="transactional", status="withdrawn"),)
    assert codes(answer(known=state(consents=own), purpose="transactional")) == ["consent_withdrawn"]


@pytest.mark.parametrize(
    ("contact", "purpose", "code"),
    [
        ("absent", "transactional", "contact_absent"),
        ("hard_bounced", "transactional", "contact_hard_bounced"),
        ("soft_bounced", "marketing", "contact_soft_bounced"),
        ("soft_bounced", "transactional", "prompt"),
    ],
)
def test_a_dead_contact_gets_nothing_and_a_shaky_one_only_what_matters(contact, purpose, code):
    known = state(who=customer(contacts={"email": contact}))
    assert codes(answer(known=known, purpose=purpose)) == [code]


def test_a_channel_that_no_contact_names_is_absent():
    assert codes(answer(known=state(who=customer(contacts={})))) == ["contact_absent"]


def test_preferences_bind_on_top_of_the_policy():
    off = state(preference=Preference(customer_id=CUSTOMER, channels_off=("email",)))
    assert codes(answer(known=off, purpose="transactional")) == ["preference_channel_off"]
    resting = state(preference=Preference(customer_id=CUSTOMER, pause_until=NOON + 30 * DAY))
    assert answer(known=resting).reasons[0].until == NOON + 30 * DAY
    assert answer(known=resting, purpose="transactional").action == "send"
    quiet = state(preference=Preference(customer_id=CUSTOMER, quiet_from=0, quiet_until=24))
    assert codes(answer(known=quiet)) == ["preference_quiet_hours"]


def test_an_offers_rule_must_be_true_and_unknown_is_not_true():
    stock = catalogue(offer(eligibility="tier = 'gold'"))
    gold, tin = (state(who=customer(attributes={"tier": tier})) for tier in ("gold", "tin"))
    assert answer(stock=stock, known=gold).action == "send"
    assert codes(answer(stock=stock, known=tin)) == ["offer_rule"]
    assert codes(answer(stock=stock)) == ["offer_rule"]


def test_a_rule_may_speak_of_features_the_country_and_churn():
    stock = catalogue(offer(eligibility="recency_days < 30 and country = 'DE' and churn <= 0.5"))
    known = state(who=customer(country="DE"))
    worth = scores(stock, attributes={"recency_days": 3.0}, churn=0.2)
    assert answer(stock=stock, known=known, worth=worth).action == "send"


def campaign(**changes: object) -> Campaign:
    return Campaign.model_validate({"campaign_id": "spring"} | changes)


def test_a_campaign_speaks_to_its_audience_with_its_offers():
    stock = catalogue(offer("tea"), offer("coffee"), campaigns=(campaign(audience="vip", offers=("coffee",)),))
    vip = state(who=customer(attributes={"vip": True}))
    assert answer(stock=stock, known=vip, campaign_id="spring").offer_id == "coffee"
    assert codes(answer(stock=stock, campaign_id="spring")) == ["not_in_audience"]


def test_a_campaigns_answer_lives_no_longer_than_its_time_to_live():
    stock = catalogue(campaigns=(campaign(ttl_hours=2),))
    decision = answer(stock=stock, campaign_id="spring")
    assert decision.expires_at is not None
    assert decision.expires_at <= NOON + timedelta(hours=2)


def test_a_question_that_does_not_fit_the_catalogue_is_the_callers_to_mend():
    stock = catalogue(campaigns=(campaign(purpose="service"),))
    with pytest.raises(AskError, match=r"campaign_id: 'autumn'.*spring"):
        answer(stock=stock, campaign_id="autumn")
    with pytest.raises(AskError, match=r"purpose: 'marketing'.*'service'"):
        answer(stock=stock, campaign_id="spring")
    with pytest.raises(AskError, match=r"offers: \['milk'\].*tea"):
        answer(stock=stock, offers=("milk",))
    with pytest.raises(AskError, match="horizon_hours: 0"):
        answer(stock=stock, horizon_hours=0)


def test_a_request_that_leaves_no_offer_is_held_with_that_reason():
    assert codes(answer(offers=())) == ["no_offer"]


def test_a_channel_must_be_allowed_by_policy_and_request():
    assert codes(answer(policy(channels=("sms",)))) == ["channel_not_allowed"]
    assert codes(answer(channels=("sms",))) == ["channel_not_allowed"]


def test_a_spent_budget_closes_its_channel_but_not_to_an_invoice():
    stock = catalogue(offer(channels=("email", "sms")))
    spent = BudgetState(exhausted=frozenset({"email"}))
    assert answer(stock=stock, budgets=spent).channel == "sms"
    assert answer(budgets=spent, purpose="transactional").channel == "email"


def test_the_holdout_gets_no_marketing_but_its_invoices():
    rules = policy(holdout_share=0.999999)
    assert codes(answer(rules)) == ["holdout"]
    assert answer(rules, purpose="transactional").action == "send"


def test_while_a_holdback_runs_nothing_takes_its_place():
    stock = catalogue(offer("tea"), offer("coffee"))
    known = state(held_back={"tea": NOON + DAY})
    decision = answer(stock=stock, known=known)
    assert (codes(decision), decision.reasons[0].until) == (["holdback_running"], NOON + DAY)
    assert answer(stock=stock, known=known, now=NOON + DAY).action == "send"


def test_a_holdback_may_be_told_to_block_its_offer_and_group_only():
    stock = catalogue(
        offer("tea", exclusivity_group="hot"), offer("coffee", exclusivity_group="hot"), offer("bread")
    )
    rules = policy(holdback={"share": 0, "blocks": "offer"})
    decision = answer(rules, stock, known=state(held_back={"tea": NOON + DAY}))
    assert decision.offer_id == "bread"
    assert {reason.offer_id for reason in decision.reasons[1:]} == {"tea", "coffee"}


def test_marketing_without_a_score_is_held_and_an_invoice_needs_none():
    worth = scores(catalogue(), tau={}, multiplier={}, hazard={})
    assert codes(answer(worth=worth)) == ["no_score"]
    assert answer(worth=worth, purpose="transactional").action == "send"


def test_an_unknown_customer_is_held_for_want_of_consent_and_said_to_be_unknown():
    known = state(who=customer(contacts={}), consents=(), known=False)
    assert codes(answer(known=known)) == ["customer_unknown", "consent_missing", "contact_absent"]


def test_what_is_assumed_is_said():
    worth = scores(catalogue(), notes=("prior:channel:email:no_labels",))
    decision = answer(worth=worth)
    assert [(each.code, each.detail) for each in decision.reasons[1:]] == [
        ("prior", "prior:channel:email:no_labels")
    ]


def test_keys_of_another_deployment_give_other_ids():
    assert answer().decision_id == answer().decision_id
    assert answer().decision_id != answer(request_id="request-2").decision_id
