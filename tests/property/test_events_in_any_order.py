"""What is told of a message leaves the same pressure, in whatever order, calls and bulk loads it comes."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import orjson
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from decisions.ledger.storage import schema
from features.contracts import EVENT_SCHEMA, Event
from tests.worlds.ledger import DAY, HOUR, NOW, ada, consent, event, opened, record, send, state

if TYPE_CHECKING:
    import random

PLACES = ("reserved", "confirmed", "released", None)
"""What became of a message's decision before anything was told; None: nobody here decided it."""
REACTIONS = ("delivered", "opened", "clicked", "converted", "bounced", "machine")
_runs = itertools.count()


@st.composite
def messages(draw):
    """One message: its place, the reports that it went, and what was heard of it, each naming it in its own way."""
    place = draw(st.sampled_from(PLACES))
    names = st.sampled_from(
        ((True, True), (True, True), (True, False), (False, True)) if place else ((False, True),)
    )
    reports = [] if place in {"reserved", "confirmed"} and draw(st.booleans()) else [draw(names)]
    if reports and reports[0] != (False, True) and draw(st.booleans()):
        reports.append((False, True))  # the provider tells it too, under its own name alone
    by_decision_alone = bool(place) and not any(names_message for _, names_message in reports)
    hearing = st.just((True, False)) if by_decision_alone else names
    if not any(names_decision for names_decision, _ in reports):
        hearing = hearing if by_decision_alone else st.just((False, True))
    heard = draw(st.lists(st.tuples(st.sampled_from(REACTIONS), hearing), max_size=4))
    hours = draw(st.lists(st.integers(0, 12), min_size=9, max_size=9))
    return place, reports, heard, hours


def events_of(number, message, run, person):
    _, reports, heard, hours = message
    clock = iter(hours)

    def named(names):
        decision, message_id = names
        return {
            "decision_id": f"d{run}-{number}" if decision else None,
            "message_id": f"m{number}" if message_id else None,
        }

    def told(kind, names, **fields):
        at = NOW + next(clock) * HOUR
        return event(
            kind, person, at=at, event_id=f"{run}-{number}-{kind}-{next(_runs)}", **named(names), **fields
        )

    for names in reports:
        yield told("sent", names, channel="email", campaign_id="spring")
    for kind, names in heard:
        if kind == "machine":
            yield told("opened", names, automated=True)
        else:
            yield told(kind, names, campaign_id="spring")


def prepare(ledger, run, drawn, person):
    ledger.put_customers([ada(customer_id=person)])
    ledger.append_consents([consent(customer_id=person)], NOW)
    for number, (place, *_) in enumerate(drawn):
        if place:
            key = f"d{run}-{number}"
            record(ledger, send(person, decision_id=key, request_id=key, at=NOW + (1 + number) * HOUR))
        if place == "confirmed":
            ledger.confirm(key, NOW + (1 + number) * HOUR)
        if place == "released":
            ledger.release(key, NOW)


def as_table(events):
    rows = [{**each.model_dump(), "properties": orjson.dumps(each.properties).decode()} for each in events]
    return pa.Table.from_pylist(rows, schema=EVENT_SCHEMA)


def tell(ledger, events: list[Event], dice: random.Random):
    """Tell the events shuffled, in pieces, some twice, some in bulk."""
    shuffled = dice.sample(events, len(events)) + dice.sample(events, len(events) // 2)
    while shuffled:
        size = dice.randint(1, len(shuffled))
        piece, shuffled = shuffled[:size], shuffled[size:]
        if dice.random() < 0.3:
            ledger.load_events(as_table(piece), NOW + DAY)
        else:
            ledger.take_events(piece, NOW + DAY)


@pytest.fixture(scope="module")
def ledgers(database_urls):
    """One told everything in order, one in pieces; on each database."""
    with opened(database_urls()) as ordered, opened(database_urls()) as shuffled:
        yield ordered, shuffled


@given(st.lists(messages(), min_size=2, max_size=4), st.booleans(), st.randoms(use_true_random=False))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_and_any_splitting_leaves_the_same_pressure(ledgers, drawn, leaves, dice):
    run = next(_runs)
    person = f"ada{run}"
    for ledger in ledgers:
        prepare(ledger, run, drawn, person)
    events = [each for number, message in enumerate(drawn) for each in events_of(number, message, run, person)]
    if leaves and all(reports for _, reports, *_ in drawn):  # who leaves ends what nobody has told of yet
        events.append(event("unsubscribed", person, channel="email", at=NOW + 6 * HOUR, event_id=f"{run}-left"))
    ordered, shuffled = ledgers
    ordered.take_events(events, NOW + DAY)
    tell(shuffled, events, dice)
    expected, found = (state(ledger, person, NOW + 9 * DAY) for ledger in ledgers)
    assert sorted(map(repr, found.pressure)) == sorted(map(repr, expected.pressure))


@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize("kind", ["delivered", "opened", "clicked", "converted", "purchased"])
def test_a_reaction_that_comes_before_its_message_counts_when_that_comes(database_url, kind, bulk):
    with opened(database_url) as ledger:
        ledger.put_customers([ada()])
        tell_one(ledger, event(kind, message_id="m1", at=NOW), bulk=bulk)
        assert state(ledger).pressure == ()
        tell_one(ledger, event("sent", message_id="m1", channel="email", at=NOW), bulk=bulk)
        (place,) = state(ledger, now=NOW + 8 * DAY).pressure
        assert place.responded is (kind != "delivered")
        assert waiting(ledger) == 0


def tell_one(ledger, told, *, bulk):
    if bulk:
        ledger.load_events(as_table([told]), NOW)
    else:
        ledger.take_events([told], NOW)


def waiting(ledger) -> int:
    with ledger._database.reading() as session:
        return len(session.rows(select(schema.reaction.c.name)))


def test_what_waits_is_forgotten_with_its_customer(database_url):
    with opened(database_url, key=b"k") as ledger:
        ledger.take_events([event("clicked", message_id="m1", decision_id="d1")], NOW)
        assert waiting(ledger) == 2
        ledger.erase("ada", NOW)
        assert waiting(ledger) == 0


def test_a_reaction_of_somebody_else_under_the_same_name_is_not_taken(database_url):
    with opened(database_url) as ledger:
        ledger.take_events([event("clicked", "bob", message_id="m1")], NOW)
        ledger.take_events([event("sent", "ada", message_id="m1", channel="email")], NOW)
        assert [each.responded for each in state(ledger).pressure] == [None]
        assert waiting(ledger) == 1


def test_a_machines_early_open_teaches_that_silence_says_nothing(database_url):
    with opened(database_url) as ledger:
        ledger.put_customers([ada()])
        ledger.take_events([event("opened", message_id="m1", automated=True)], NOW)
        ledger.take_events([event("sent", message_id="m1", channel="email")], NOW)
        ledger.take_events([event("delivered", message_id="m1", channel="email")], NOW)
        assert [each.responded for each in state(ledger, now=NOW + 9 * DAY).pressure] == [None]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("released", [False, True])
def test_the_providers_report_the_senders_report_and_a_click_make_one_message_in_any_order(
    database_url, order, released
):
    with opened(database_url) as ledger:
        decision = record(ledger, send())
        if released:
            ledger.release(decision.decision_id, NOW)
        told = (
            event("sent", message_id="m1", channel="sms", at=NOW + 3 * HOUR),
            event("sent", message_id="m1", decision_id=decision.decision_id, at=NOW + 2 * HOUR),
            event("clicked", message_id="m1", at=NOW + 4 * HOUR),
        )
        for number in order:
            ledger.take_events([told[number]], NOW + DAY)
        (place,) = state(ledger, now=NOW + DAY).pressure
        assert (place.decision_id, place.channel, place.at) == (decision.decision_id, "email", NOW + 2 * HOUR)
        assert place.responded is True
        assert waiting(ledger) == 0
