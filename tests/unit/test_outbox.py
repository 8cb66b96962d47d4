"""The outbox: at least once, in order per customer, and with permission where a sender asks for both at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from decisions.ledger.places import outbox
from decisions.ledger.storage import schema
from features.contracts import Preference
from tests.worlds.ledger import DAY, HOUR, NOW, consent, event, fresh, opened, record, send

DUE = NOW + 2 * HOUR
TTL = timedelta(minutes=10)


@pytest.fixture
def ledger(database_url):
    with opened(database_url) as ledger:
        yield ledger


def ids(lent) -> list[str]:
    return [each.decision.decision_id for each in lent.leased]


def place(ledger, customer_id="ada", *, hours=1.0, **fields):
    return record(ledger, send(customer_id, at=NOW + timedelta(hours=hours), **fields)).decision_id


def test_within_one_answer_messages_come_by_due_time(ledger):
    later, first = place(ledger, hours=1.5), place(ledger, "bob", hours=1)
    assert ids(ledger.outbox.lend(9, DUE, TTL)) == [first, later]


@pytest.mark.parametrize("confirm", [False, True])
def test_a_customers_second_message_waits_while_the_first_is_lent(ledger, confirm):
    first, second = place(ledger, hours=1), place(ledger, hours=1.5)
    other = place(ledger, "bob", hours=1.8)
    assert ids(ledger.outbox.lend(1, DUE, TTL, confirm=confirm)) == [first]
    assert ids(ledger.outbox.lend(9, DUE, TTL, confirm=confirm)) == [other]
    ledger.outbox.acknowledge([first])
    assert ids(ledger.outbox.lend(9, DUE, TTL, confirm=confirm)) == [second]


def test_what_comes_free_between_two_pages_is_not_overtaken_by_the_customers_next(ledger, monkeypatch):
    first, second = place(ledger, hours=1), place(ledger, hours=1.1)
    ledger.outbox.lend(1, DUE, TTL, confirm=True)
    ledger.put_preference(Preference(customer_id="carol", channels_off=("email",)))
    bob, refused, third = (
        place(ledger, "bob", hours=1.2),
        place(ledger, "carol", hours=1.3),
        place(ledger, hours=1.4),
    )
    look = ledger.outbox._candidates

    def look_after_the_first_is_done(now, limit, last):
        if last.decision_id == refused:
            ledger.outbox.acknowledge([first])
        return look(now, limit, last)

    monkeypatch.setattr(ledger.outbox, "_candidates", look_after_the_first_is_done)
    assert ids(ledger.outbox.lend(2, DUE, TTL, confirm=True)) == [bob]
    assert ids(ledger.outbox.lend(9, DUE, TTL, confirm=True)) == [second, third]


def test_of_two_messages_due_at_once_one_is_the_first(ledger):
    pair = sorted([place(ledger), place(ledger)])
    assert ids(ledger.outbox.lend(1, DUE, TTL)) == pair[:1]
    assert ids(ledger.outbox.lend(1, DUE, TTL)) == []


def test_the_second_waits_no_longer_once_the_first_is_over(ledger):
    first, second = place(ledger, hours=1, lasts=2 * HOUR), place(ledger, hours=1.5, lasts=9 * HOUR)
    assert ids(ledger.outbox.lend(1, DUE, DAY)) == [first]
    assert ids(ledger.outbox.lend(9, NOW + 3 * HOUR, TTL)) == [second]


def test_after_the_lease_both_come_again_in_order(ledger):
    first, second = place(ledger, hours=1), place(ledger, hours=1.5)
    ledger.outbox.lend(1, DUE, TTL)
    assert ids(ledger.outbox.lend(9, DUE + TTL, TTL)) == [first, second]


def test_lending_with_permission_confirms_what_is_lent_and_nothing_else(ledger):
    first, second = place(ledger), place(ledger, "bob")
    (leased,) = ledger.outbox.lend(1, DUE, TTL, confirm=True).leased
    assert (leased.decision.decision_id, leased.decision.state) == (first, "confirmed")
    assert ledger.decision(first).state == "confirmed"
    assert ledger.decision(second).state == "reserved"
    assert ledger.confirm(first, DUE).code == "already_confirmed"


def test_a_confirmed_message_that_was_not_acknowledged_comes_again_as_confirmed(ledger):
    key = place(ledger)
    ledger.outbox.lend(1, DUE, TTL, confirm=True)
    assert ids(ledger.outbox.lend(1, DUE, TTL, confirm=True)) == []
    again = ledger.outbox.lend(1, DUE + TTL, TTL, confirm=True)
    assert (ids(again), again.leased[0].decision.state, again.refused) == ([key], "confirmed", ())


def test_what_somebody_confirmed_without_a_lease_is_lent_to_nobody(ledger):
    key = place(ledger)
    ledger.confirm(key, DUE)
    assert ids(ledger.outbox.lend(9, DUE, TTL)) == ids(ledger.outbox.lend(9, DUE, TTL, confirm=True)) == []


def test_what_is_refused_permission_is_reported_and_does_not_take_anybodys_turn(ledger):
    refused = [place(ledger, f"c{number}") for number in range(3)]
    good = place(ledger, "bob", hours=1.5)
    for number in range(3):
        ledger.put_preference(Preference(customer_id=f"c{number}", channels_off=("email",)))
    lent = ledger.outbox.lend(1, DUE, TTL, confirm=True)
    assert ids(lent) == [good]
    assert [(each.decision_id, each.code) for each in lent.refused] == [(key, "channel_off") for key in refused]


def test_a_withdrawal_takes_what_is_lent_out_of_the_outbox(ledger):
    ledger.append_consents([consent()], NOW)
    key = place(ledger)
    ledger.outbox.lend(1, DUE, TTL)
    ledger.append_consents([consent("withdrawn", at=NOW)], NOW)
    assert ids(ledger.outbox.lend(1, DUE + TTL, TTL)) == []
    assert ledger.confirm(key, DUE).status == "refused"


def test_a_message_reported_as_sent_needs_no_acknowledgement(ledger):
    key, following = place(ledger), place(ledger, hours=1.5)
    ledger.outbox.lend(1, DUE, TTL, confirm=True)
    ledger.take_events([event("sent", at=DUE, decision_id=key, channel="email")], DUE)
    assert ids(ledger.outbox.lend(9, DUE, TTL)) == [following]
    assert [each.status for each in ledger.outbox.acknowledge([key])] == ["not_waiting"]


def test_what_was_never_acknowledged_leaves_the_outbox_when_it_is_over(ledger):
    place(ledger)
    ledger.outbox.lend(1, DUE, TTL, confirm=True)
    assert ids(ledger.outbox.lend(1, NOW + DAY, TTL)) == []
    with ledger._database.reading() as session:
        assert session.rows(select(schema.outbox.c.decision_id)) == []


def test_more_than_a_block_is_lent_with_permission_in_one_call(ledger, monkeypatch):
    monkeypatch.setattr(outbox, "BLOCK", 3)
    keys = [place(ledger, f"c{number}", hours=1 + number / 100) for number in range(8)]
    assert ids(ledger.outbox.lend(7, DUE, TTL, confirm=True)) == keys[:7]


def test_what_another_sender_took_between_looking_and_locking_is_not_lent_twice(ledger, monkeypatch):
    keys = [place(ledger), place(ledger, "bob")]
    look = outbox.Outbox._candidates
    stolen = []

    def look_and_lose(self, *asked):
        found = look(self, *asked)
        stolen.extend(ids(self.lend(1, DUE, TTL)))
        return found

    monkeypatch.setattr(outbox.Outbox, "_candidates", look_and_lose)
    assert ids(ledger.outbox.lend(2, DUE, TTL, confirm=True)) == keys[1:]
    assert stolen == keys[:1]


def test_what_another_sender_gives_back_between_two_pages_is_not_overtaken(ledger, monkeypatch):
    first, second, third = [place(ledger, hours=1 + number / 10) for number in range(3)]
    monkeypatch.setattr(outbox, "BLOCK", 2)
    look, pages = outbox.Outbox._candidates, []

    def look_between(self, *asked):
        if pages:  # the other sender has sent the first: the second is free, and stood on the page before
            self.acknowledge([first])
        found = look(self, *asked)
        if not pages:
            assert ids(self.lend(1, DUE, TTL)) == [first]
        pages.append(found)
        return found

    monkeypatch.setattr(outbox.Outbox, "_candidates", look_between)
    assert ids(ledger.outbox.lend(9, DUE, TTL, confirm=True)) == []
    assert [each.decision_id for each in pages[1]] == [third]
    monkeypatch.setattr(outbox.Outbox, "_candidates", look)
    assert ids(ledger.outbox.lend(1, DUE, TTL, confirm=True)) == [second]


@pytest.mark.parametrize("confirm", [False, True])
def test_senders_that_ask_at_once_share_the_work_in_order(ledger, confirm):
    people = [f"c{number}" for number in range(8)]
    keys = {each: [place(ledger, each, hours=1 + number / 10) for number in range(5)] for each in people}
    given: list[tuple[str, str]] = []

    def work(sender):
        while lent := ledger.outbox.lend(1 + sender, DUE, TTL, confirm=confirm).leased:
            given.extend((each.decision.customer_id, each.decision.decision_id) for each in lent)
            ledger.outbox.acknowledge([each.decision.decision_id for each in lent])
            for each in lent:
                ledger.take_events([event("sent", each.decision.customer_id, channel="sms", at=DUE)], DUE)

    with ThreadPoolExecutor(4) as senders:
        list(senders.map(work, range(4)))
    while lent := ledger.outbox.lend(9, DUE, TTL, confirm=confirm).leased:  # what waited while others were lent
        given.extend((each.decision.customer_id, each.decision.decision_id) for each in lent)
        ledger.outbox.acknowledge([each.decision.decision_id for each in lent])
    assert {who: [key for person, key in given if person == who] for who in people} == keys


def plan_of(ledger, statement) -> list[str]:
    text = ledger._database._texts.of(statement)
    named = {"tick": 1, "at_most": 9, "last_due": 0, "last_id": ""} | text.constants
    with ledger._database.reading() as session:
        return [row[3] for row in session._cursor.execute(f"EXPLAIN QUERY PLAN {text.sql}", named).fetchall()]


@pytest.mark.parametrize("statement", [outbox.DUE, outbox.CANDIDATES])
def test_what_is_due_is_found_by_its_index_and_not_by_reading_all(tmp_path, statement):
    with fresh(tmp_path) as ledger:
        plan = plan_of(ledger, statement)
    assert any("outbox USING INDEX outbox_due" in step for step in plan), plan
    assert any("before USING INDEX outbox_by_customer" in step for step in plan), plan
    assert not any("SCAN" in step or "TEMP B-TREE FOR ORDER BY" in step for step in plan), plan
