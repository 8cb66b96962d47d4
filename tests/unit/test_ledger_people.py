"""Customers, the consent journal, preferences, erasure, the timeline."""

from datetime import date

import orjson
import pyarrow as pa
import pytest

from features.contracts import Preference
from tests.worlds.ledger import DAY, HOUR, NOW, ada, consent, event, hold, opened, record, send, state


@pytest.fixture
def ledger(database_url):
    with opened(database_url, key=b"secret") as ledger:
        yield ledger


def test_a_customer_comes_back_as_it_was_put(ledger):
    customer = ada(household_id="h", country="DE", locale="de", registered_at=NOW, birthday=date(1990, 2, 28))
    assert ledger.put_customers([customer]) == 1
    assert ledger.customer("ada") == customer
    assert ledger.customer("nobody") is None


def test_the_latest_statement_about_a_customer_wins_and_keeps_their_wishes(ledger):
    ledger.put_customers([ada(country="DE")])
    ledger.put_preference(Preference(customer_id="ada", quiet_from=20, quiet_until=9))
    ledger.put_customers([ada(contacts={"sms": "valid"})])
    assert ledger.customer("ada") == ada(contacts={"email": "absent", "sms": "valid"})
    assert ledger.preference("ada") == Preference(customer_id="ada", quiet_from=20, quiet_until=9)


def test_a_wish_of_a_customer_not_yet_known_is_kept(ledger):
    ledger.put_preference(Preference(customer_id="ada", pause_until=NOW))
    assert state(ledger).preference == Preference(customer_id="ada", pause_until=NOW)
    assert ledger.preference("bob") is None


def test_customers_and_consents_come_as_tables_too(ledger):
    people = [ada(), ada(customer_id="bob", birthday=date(1990, 1, 1))]
    rows = [
        {
            **each.model_dump(),
            "attributes": orjson.dumps(each.attributes).decode(),
            "contacts": list(each.contacts.items()),
        }
        for each in people
    ]
    schema = pa.table({name: [row[name] for row in rows] for name in rows[0] if name != "contacts"})
    contacts = pa.array([row["contacts"] for row in rows], pa.map_(pa.string(), pa.string()))
    assert ledger.put_customers(schema.append_column("contacts", contacts)) == 2
    assert [ledger.customer(each.customer_id) for each in people] == people
    journal = pa.Table.from_pylist([consent().model_dump(), consent(customer_id="bob").model_dump()])
    assert ledger.append_consents(journal, NOW) == 2
    assert ledger.consents("bob") == [consent(customer_id="bob")]


def test_ids_come_sorted_and_by_the_page(ledger):
    ledger.put_customers([ada(customer_id=each) for each in ("c", "a", "b")])
    assert ledger.customer_ids() == ["a", "b", "c"]
    assert ledger.customer_ids(after="a") == ["b", "c"]


def test_an_identical_entry_is_appended_once(ledger):
    assert ledger.append_consents([consent(), consent()], NOW) == 1
    assert ledger.append_consents([consent()], NOW) == 0
    assert ledger.consents("ada") == [consent()]


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_entries_at_the_same_moment_the_withdrawal_counts(ledger, order):
    ledger.append_consents([consent("granted"), consent("withdrawn")][::order], NOW)
    assert [each.status for each in state(ledger).consents] == ["withdrawn"]


def test_the_latest_entry_counts_whenever_it_was_written(ledger):
    ledger.append_consents([consent("granted", at=NOW)], NOW)
    ledger.append_consents([consent("withdrawn", at=NOW - DAY)], NOW)
    assert [each.status for each in state(ledger).consents] == ["granted"]


def test_a_grant_dated_in_the_future_does_not_count_yet_but_a_withdrawal_does(ledger):
    ledger.append_consents(
        [consent("granted", at=NOW + HOUR), consent("withdrawn", channel="sms", at=NOW + HOUR)], NOW
    )
    assert [(each.channel, each.status) for each in state(ledger).consents] == [("sms", "withdrawn")]
    assert len(state(ledger, now=NOW + HOUR).consents) == 2


def test_the_timeline_tells_everything_in_order(ledger):
    ledger.append_consents([consent()], NOW)
    decision = record(ledger, send(now=NOW))
    ledger.confirm(decision.decision_id, decision.send_at)
    ledger.take_events([event("clicked", at=decision.send_at + HOUR, decision_id=decision.decision_id)], NOW)
    told = [(each.kind, each.what) for each in ledger.timeline("ada")]
    assert told[:2] == [("consent", "granted"), ("decision", "send")]
    assert set(told[2:4]) == {("change", "confirmed"), ("message", "confirmed")}
    assert told[4:] == [("event", "clicked")]


def test_erasure_leaves_nothing_but_a_tombstone_that_names_nobody(ledger):
    ledger.put_customers([ada(), ada(customer_id="bob")])
    ledger.append_consents([consent()], NOW)
    decision = record(ledger, send())
    record(ledger, hold(held_back=True, held_back_until=NOW + DAY, offer_id="coffee"))
    ledger.take_events([event("sent", channel="sms")], NOW)
    assert ledger.erase("ada", NOW) > 5
    assert ledger.timeline("ada") == ()
    assert not state(ledger).known
    assert ledger.confirm(decision.decision_id, NOW).code == "unknown_decision"
    assert [each.status for each in ledger.take_events([event("sent"), event("sent", "bob")], NOW)] == [
        "erased",
        "accepted",
    ]
    assert ledger.customer_ids() == ["bob"]


def test_without_a_key_an_erased_customer_may_come_back(database_url):
    with opened(database_url) as ledger:
        ledger.put_customers([ada()])
        ledger.erase("ada", NOW)
        assert [each.status for each in ledger.take_events([event("sent")], NOW)] == ["accepted"]


TAKEN = "crm (dated 0: taken when received)"


def test_a_withdrawal_taken_when_received_is_dated_after_every_grant_and_imported_once(ledger):
    told = consent("withdrawn", at=NOW).model_copy(update={"source": TAKEN})
    assert ledger.append_consents([consent("granted", at=NOW + HOUR), told], NOW) == 2
    (withdrawn,) = state(ledger, now=NOW + 2 * HOUR).consents
    assert (withdrawn.status, withdrawn.at) == ("withdrawn", NOW + HOUR)
    assert ledger.append_consents([consent("granted", at=NOW + DAY)], NOW + DAY) == 1
    again = told.model_copy(update={"at": NOW + 2 * DAY})
    assert ledger.append_consents([again], NOW + 2 * DAY) == 0
    (granted,) = state(ledger, now=NOW + 2 * DAY).consents
    assert granted.status == "granted"


def test_a_complaint_whose_date_cannot_be_withdraws_from_now(ledger):
    ledger.append_consents([consent("granted", at=NOW - DAY)], NOW)
    old = event("complained", channel="email").model_copy(update={"occurred_at": NOW.replace(year=1970)})
    ledger.take_events([old], NOW)
    (withdrawn,) = state(ledger).consents
    assert (withdrawn.status, withdrawn.at) == ("withdrawn", NOW)


def test_what_rules_now_refuse_is_read_back_as_unknown_and_breaks_nothing(ledger):
    row = {"customer_id": "null", "time_zone": "localtime", "country": "EU", "attributes": "{}", "contacts": "{}"}
    ledger.put_customers(pa.Table.from_pylist([row]))
    kept = ledger.customer("null")
    assert (kept.time_zone, kept.country) == (None, "EU")
