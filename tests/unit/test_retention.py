"""What is too old goes, in bounded blocks; what decisions still look at stays, and what stays is whole."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from decisions.ledger import Reading, retention
from decisions.ledger.retention import RULES
from pipelines.recount import PROMISES, Rules, recount
from runtime.retention import LOOK_BACK_DAYS, Retention
from runtime.settings import Settings
from tests.worlds.ledger import DAY, HOUR, NOW, ada, consent, event, hold, opened, record, send

YEARS = 1000 * DAY
THEN = NOW - YEARS


@pytest.fixture
def ledger(database_url):
    with opened(database_url) as ledger:
        yield ledger


def confirmed(ledger, at, **fields):
    decision = record(ledger, send(at=at + HOUR, now=at, **fields))
    assert ledger.confirm(decision.decision_id, at + HOUR).status == "confirmed"
    return decision


def test_each_name_of_the_ledger_is_a_setting():
    assert set(RULES) < set(Retention.model_fields)
    assert set(Retention.model_fields) - set(RULES) == {"events", "quarantine", "materializations"}


def test_the_settings_look_back_as_far_as_decisions_do():
    assert Reading().look_back == timedelta(days=LOOK_BACK_DAYS)


def test_a_decision_goes_with_all_that_belongs_to_it(ledger):
    ledger.append_consents([consent(at=THEN - DAY)], THEN)
    old = confirmed(ledger, THEN)
    young = confirmed(ledger, NOW - 10 * DAY)
    record(ledger, hold(now=THEN))
    assert ledger.retaining.count("sends", NOW - 730 * DAY, NOW) == 1
    assert ledger.retaining.forget("sends", NOW - 730 * DAY, NOW) == 1
    assert ledger.retaining.forget("holds", NOW - 730 * DAY, NOW) == 1
    held = ledger.privacy.holdings("ada")
    assert {name: held.counts[name] for name in ("decision", "pressure", "outbox")} == {
        "decision": 1,
        "pressure": 1,
        "outbox": 1,
    }
    assert {row["decision_id"] for row in held.rows["audit"]} == {young.decision_id, None}  # None: the consent
    assert held.decisions[0]["decision_id"] != old.decision_id


def test_what_retention_leaves_breaks_no_promise(ledger, database_url):
    ledger.append_consents([consent(at=THEN - DAY)], THEN)
    for days in range(0, 1000, 50):
        confirmed(ledger, THEN + days * DAY)
        ledger.take_events([event("sent", at=THEN + days * DAY, channel="sms")], THEN + days * DAY)
    for name in RULES:
        ledger.retaining.forget(name, NOW - 730 * DAY, NOW)
    report = recount(database_url, Rules.of({"caps": [{"limit": 1, "window": "40d"}]}))
    assert 0 < report.sends < 20
    assert report.counts == dict.fromkeys(PROMISES, 0)


def test_what_is_reserved_stays_however_old(ledger):
    record(ledger, send(at=THEN, now=THEN, lasts=HOUR))
    assert ledger.retaining.forget("sends", NOW, NOW) == 0
    assert ledger.privacy.holdings("ada").counts["decision"] == 1


def test_a_message_that_decisions_still_look_at_stays_with_its_decision(ledger):
    ledger.append_consents([consent(at=THEN)], THEN)
    confirmed(ledger, NOW - 399 * DAY)
    ledger.take_events([event("sent", at=NOW - 399 * DAY, channel="sms")], NOW)
    assert ledger.retaining.forget("sends", NOW, NOW) == 0
    assert ledger.retaining.forget("foreign_pressure", NOW, NOW) == 0
    assert ledger.retaining.forget("sends", NOW, NOW + 2 * DAY) == 1
    assert ledger.retaining.forget("foreign_pressure", NOW, NOW + 2 * DAY) == 1


def test_a_second_arrival_is_known_for_as_long_as_the_first_counts(ledger):
    taken = [event("sent", at=NOW - 300 * DAY, channel="sms"), event("session", at=NOW - 300 * DAY)]
    ledger.take_events(taken, NOW - 299 * DAY)
    ledger.mark_drained([each.event_id for each in taken])
    assert ledger.retaining.forget("inbox", NOW - 90 * DAY, NOW) == 1
    assert [each.status for each in ledger.take_events(taken, NOW)] == ["duplicate", "accepted"]
    assert ledger.retaining.forget("inbox", NOW - 90 * DAY, NOW + 101 * DAY) == 1


def test_an_event_the_lake_does_not_have_stays(ledger):
    ledger.take_events([event("session", at=THEN)], THEN)
    assert ledger.retaining.forget("inbox", NOW, NOW) == 0
    assert len(ledger.drain_inbox(10)) == 1


def test_the_audit_of_a_decision_that_is_there_stays(ledger):
    ledger.append_consents([consent(at=THEN)], THEN)
    decision = confirmed(ledger, THEN)
    ledger.erase("bob", THEN)
    assert ledger.retaining.forget("audit", NOW, NOW) == 2  # the consent and the erasure
    kept = ledger.privacy.holdings("ada").rows["audit"]
    assert [(row["what"], row["decision_id"]) for row in kept] == [
        ("reserved", decision.decision_id),
        ("confirmed", decision.decision_id),
    ]
    assert ledger.privacy.holdings("").rows["audit"] == ()


def test_exposures_and_outbox_lines_go_when_they_are_over(ledger):
    record(ledger, hold(held_back=True, held_back_until=NOW, offer_id="coffee", now=NOW - DAY))
    record(ledger, send(at=NOW, lasts=HOUR))
    assert ledger.retaining.forget("exposures", NOW, NOW) == 0
    assert ledger.retaining.forget("exposures", NOW + HOUR, NOW) == 1
    ledger.take_events([event("purchased", offer_id="tea", at=NOW - 399 * DAY)], NOW)
    assert ledger.retaining.forget("exposures", NOW + HOUR, NOW) == 0
    assert ledger.retaining.forget("exposures", NOW + HOUR, NOW + 2 * DAY) == 1
    assert ledger.retaining.forget("outbox", NOW + HOUR, NOW) == 0
    assert ledger.retaining.forget("outbox", NOW + 2 * HOUR, NOW) == 1


@pytest.mark.parametrize("name", ["holds", "inbox", "audit"])
def test_blocks_are_bounded_and_nothing_is_left_between_them(ledger, monkeypatch, name):
    monkeypatch.setattr(retention, "BLOCK", 3)
    for number in range(10):
        record(ledger, hold(f"c{number % 4}", now=THEN))
        ledger.erase(f"gone-{number}", THEN)
    taken = [event("session", f"c{number % 4}", at=THEN) for number in range(10)]
    ledger.take_events(taken, THEN)
    ledger.mark_drained([each.event_id for each in taken])
    assert ledger.retaining.count(name, NOW, NOW) == 10
    assert ledger.retaining.forget(name, NOW, NOW) == 10
    assert ledger.retaining.count(name, NOW, NOW) == 0


def test_customers_consents_and_tombstones_are_never_too_old(ledger):
    ledger.put_customers([ada()])
    ledger.append_consents([consent(at=THEN)], THEN)
    for name in RULES:
        ledger.retaining.forget(name, NOW, NOW)
    assert ledger.consents("ada")
    assert ledger.customer("ada") is not None


def test_a_setting_that_would_break_a_promise_is_refused():
    for name, days in (("sends", 399), ("foreign_pressure", 30), ("inbox", 29), ("outbox", 0)):
        with pytest.raises(ValidationError, match=name):
            Retention.model_validate({name: days})
    assert Retention(sends=None).sends is None


def test_retention_is_set_one_thing_at_a_time(monkeypatch, tmp_path):
    monkeypatch.setenv("KAIROS_RETENTION__INBOX", "60")
    settings = Settings(home=tmp_path)
    assert (settings.retention.inbox, settings.retention.holds) == (60, 730)
