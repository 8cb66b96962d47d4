"""Who changed what: consents, wishes, customers, policies and whatever else is noted, with the actor."""

import pytest

from decisions.ledger.actor import acting
from features.contracts import Preference
from tests.worlds.ledger import DAY, NOW, ada, consent, event, fresh


@pytest.fixture
def ledger(tmp_path):
    with fresh(tmp_path) as opened:
        yield opened


def of(ledger, customer=""):
    return [(change.what, change.detail, change.actor, change.at) for change in ledger.trail.entries(customer)]


def test_a_new_consent_is_on_the_trail_once_with_who_brought_it(ledger):
    with acting("key-1"):
        ledger.append_consents([consent(), consent(customer_id="bob", channel="sms")], NOW)
    with acting("key-2"):
        ledger.append_consents([consent(), consent("withdrawn", at=NOW)], NOW + DAY)
    assert of(ledger, "ada") == [
        ("consent_granted", "email marketing", "key-1", NOW),
        ("consent_withdrawn", "email marketing", "key-2", NOW + DAY),
    ]
    assert of(ledger, "bob") == [("consent_granted", "sms marketing", "key-1", NOW)]


def test_the_trail_does_not_repeat_the_evidence(ledger):
    ledger.append_consents([consent()], NOW)
    assert "ip" not in str(ledger.trail.entries("ada"))


def test_an_unsubscribe_event_is_on_the_trail_with_the_key_that_sent_it(ledger):
    ledger.append_consents([consent()], NOW - DAY)
    with acting("gateway"):
        ledger.take_events([event("unsubscribed", channel="email")], NOW)
    assert ("consent_withdrawn", "email marketing", "gateway", NOW) in of(ledger, "ada")


def test_the_timeline_tells_of_a_consent_once(ledger):
    ledger.append_consents([consent()], NOW)
    assert [moment.kind for moment in ledger.timeline("ada")] == ["consent"]


def test_a_wish_is_on_the_trail_without_what_was_wished(ledger):
    with acting("key-1"):
        ledger.put_preference(Preference(customer_id="ada", pause_until=NOW + DAY), now=NOW)
    assert of(ledger, "ada") == [("preference_put", None, "key-1", NOW)]


def test_a_batch_of_customers_is_one_entry(ledger):
    with acting("kairos import"):
        assert ledger.put_customers([ada(customer_id=f"c{n}") for n in range(1200)], now=NOW) == 1200
    assert of(ledger) == [("customers_put", None, "kairos import", NOW)]
    ledger.put_customers([], now=NOW)
    assert len(of(ledger)) == 1, "nothing was put"


def test_a_version_is_on_the_trail_when_it_is_new(ledger):
    for _ in range(2):
        ledger.keep("policy", "p1", b"{}", now=NOW)
    ledger.keep("catalogue", "c1", b"{}", now=NOW)
    assert [(what, detail) for what, detail, _, _ in of(ledger)] == [
        ("policy_kept", "p1"),
        ("catalogue_kept", "c1"),
    ]


def test_without_a_moment_an_entry_bears_that_of_the_entry_before(ledger):
    ledger.trail.note("champions_switched", NOW, detail="churn 3")
    ledger.put_customers([ada()])
    assert of(ledger)[-1] == ("customers_put", None, None, NOW)


def test_the_last_changes_come_oldest_first(ledger):
    for number in range(5):
        ledger.trail.note(f"change_{number}", NOW)
    assert [change.what for change in ledger.trail.entries(last=2)] == ["change_3", "change_4"]


def test_an_erased_customer_leaves_the_trail_and_the_installation_stays(ledger):
    ledger.append_consents([consent()], NOW)
    ledger.trail.note("key_added", NOW)
    ledger.erase("ada", NOW)
    assert of(ledger, "ada") == []
    assert ("key_added", None, None, NOW) in of(ledger)
