"""Confirm, release, expire and the outbox."""

from datetime import timedelta

import pytest

from features.contracts import Preference
from tests.worlds.ledger import DAY, HOUR, NOW, ada, consent, event, opened, record, send, state


@pytest.fixture
def ledger(database_url):
    with opened(database_url) as ledger:
        ledger.put_customers([ada()])
        ledger.append_consents([consent()], NOW)
        yield ledger


@pytest.fixture
def decision(ledger):
    return record(ledger, send())


def test_permission_is_given_once(ledger, decision):
    first, second = (ledger.confirm(decision.decision_id, decision.send_at) for _ in range(2))
    assert (first.status, first.state) == ("confirmed", "confirmed")
    assert (second.status, second.code, second.state) == ("refused", "already_confirmed", "confirmed")


def test_a_decision_named_twice_in_one_bulk_confirm_is_confirmed_once(ledger, decision):
    verdicts = ledger.confirm_many([decision.decision_id, "no-such", decision.decision_id], decision.send_at)
    assert [each.code for each in verdicts] == ["confirmed", "unknown_decision", "already_confirmed"]


def test_a_confirmed_place_is_spent_for_good(ledger, decision):
    ledger.confirm(decision.decision_id, decision.send_at)
    assert ledger.release(decision.decision_id, NOW).code == "already_confirmed"
    assert ledger.expire(NOW + 9 * DAY) == 0
    assert len(state(ledger, now=NOW + 9 * DAY).pressure) == 1


def test_a_confirmed_message_counts_from_when_it_goes(ledger, decision):
    ledger.confirm(decision.decision_id, decision.send_at + 2 * HOUR)
    (place,) = state(ledger).pressure
    assert (place.at, place.until) == (decision.send_at + 2 * HOUR, None)


@pytest.mark.parametrize(
    ("shift", "code"),
    [
        (timedelta(minutes=-1, microseconds=-1), "too_early"),
        (timedelta(minutes=-1), "confirmed"),
        (6 * HOUR - timedelta(microseconds=1), "confirmed"),
        (6 * HOUR, "expired"),
    ],
)
def test_permission_is_given_inside_the_window_only(ledger, decision, shift, code):
    assert ledger.confirm(decision.decision_id, decision.send_at + shift).code == code


def test_a_refusal_for_being_early_leaves_the_place_reserved(ledger, decision):
    assert ledger.confirm(decision.decision_id, NOW).state == "reserved"
    assert ledger.confirm(decision.decision_id, decision.send_at).status == "confirmed"


def test_a_withdrawal_stops_what_is_not_confirmed_at_once(ledger, decision):
    other = record(ledger, send(purpose="service", at=NOW + DAY))
    ledger.append_consents([consent("withdrawn", at=NOW)], NOW)
    assert ledger.decision(decision.decision_id).state == "withdrawn"
    assert ledger.decision(other.decision_id).state == "reserved"
    assert ledger.confirm(decision.decision_id, decision.send_at).code == "withdrawn"
    assert [each.purpose for each in state(ledger).pressure] == ["service"]


def test_a_withdrawal_does_not_undo_what_is_confirmed(ledger, decision):
    ledger.confirm(decision.decision_id, decision.send_at)
    ledger.append_consents([consent("withdrawn", at=NOW)], NOW)
    assert ledger.decision(decision.decision_id).state == "confirmed"


def test_confirm_looks_at_consent_again_even_where_nothing_swept_before(ledger):
    ledger.append_consents([consent("withdrawn", at=NOW - HOUR)], NOW)
    decision = record(ledger, send())
    verdict = ledger.confirm(decision.decision_id, decision.send_at)
    assert (verdict.code, verdict.state) == ("consent_withdrawn", "withdrawn")


def test_a_hard_bounce_between_decision_and_sending_stops_it(ledger, decision):
    ledger.take_events([event("bounced", channel="email", properties={"bounce": "hard"})], NOW)
    assert ledger.confirm(decision.decision_id, decision.send_at).code == "hard_bounced"
    assert state(ledger).pressure == ()


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"pause_until": NOW + DAY}, "paused"),
        ({"channels_off": ("email",)}, "channel_off"),
        ({"max_per_week": 1}, "confirmed"),
    ],
)
def test_the_customers_own_wish_between_decision_and_sending_counts(ledger, decision, wish, code):
    ledger.put_preference(Preference(customer_id="ada", **wish))
    assert ledger.confirm(decision.decision_id, decision.send_at).code == code


def test_a_transactional_message_passes_the_pause(ledger):
    ledger.put_preference(Preference(customer_id="ada", pause_until=NOW + DAY))
    decision = record(ledger, send(purpose="transactional"))
    assert ledger.confirm(decision.decision_id, decision.send_at).status == "confirmed"


def test_a_channel_that_is_switched_off_stops_a_transactional_message_too(ledger):
    decision = record(ledger, send(purpose="transactional"))
    ledger.put_preference(Preference(customer_id="ada", channels_off=("email",)))
    assert ledger.confirm(decision.decision_id, decision.send_at).code == "channel_off"


def test_releasing_twice_is_one_release(ledger, decision):
    codes = [ledger.release(decision.decision_id, NOW, reason="sold out").code for _ in range(2)]
    assert codes == ["released", "already_released"]
    assert state(ledger).pressure == ()
    assert [each.what for each in ledger.timeline("ada") if each.kind == "change"] == ["released"]


def test_a_released_place_cannot_be_confirmed(ledger, decision):
    ledger.release(decision.decision_id, NOW)
    assert ledger.confirm(decision.decision_id, decision.send_at).code == "released"


def test_an_unknown_decision_is_refused_without_raising(ledger):
    assert ledger.confirm("no-such", NOW).code == "unknown_decision"
    assert ledger.release("no-such", NOW).state is None


def test_expiry_frees_every_lapsed_place_and_no_other(ledger, decision):
    later = record(ledger, send(at=NOW + DAY))
    assert ledger.expire(decision.expires_at) == 1
    assert ledger.expire(decision.expires_at) == 0
    assert [each.decision_id for each in state(ledger).pressure] == [later.decision_id]


def test_what_is_due_is_lent_to_one_sender_until_the_lease_ends(ledger, decision):
    assert ledger.lease(9, decision.send_at - HOUR, HOUR) == []
    (leased,) = ledger.lease(9, decision.send_at, HOUR)
    assert (leased.decision, leased.leased_until) == (decision, decision.send_at + HOUR)
    assert ledger.lease(9, decision.send_at + HOUR / 2, HOUR) == []
    assert len(ledger.lease(9, decision.send_at + HOUR, HOUR)) == 1


def test_what_is_acknowledged_or_released_or_over_is_not_lent_again(ledger, decision):
    second, third = record(ledger, send()), record(ledger, send(lasts=HOUR))
    assert ledger.ack([decision.decision_id]) == 1
    ledger.release(second.decision_id, NOW)
    assert ledger.lease(9, third.expires_at, HOUR) == []
    assert ledger.ack([decision.decision_id]) == 0
