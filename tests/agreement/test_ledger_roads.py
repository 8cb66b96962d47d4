"""Events one by one over the API, and the same history in bulk, leave the same ledger."""

import itertools
from dataclasses import replace

import orjson
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.contracts import EVENT_SCHEMA, Event
from tests.worlds.ledger import DAY, HOUR, NOW, ada, consent, opened, record, send

STATES = ("reserved", "confirmed", "released")
_examples = itertools.count()
NAMES = {"message_id": ("m1", "m2", None), "channel": ("email", "sms", None), "campaign_id": ("spring", None)}


@st.composite
def histories(draw):
    """Sends in the first hours, what they led to after them: an effect before its cause is no history."""
    sends = draw(st.lists(rows(("sent",), 0), max_size=5))
    later = draw(
        st.lists(
            rows(("delivered", "bounced", "opened", "clicked", "converted", "purchased", "complained"), 10),
            max_size=8,
        )
    )
    return sends + later


def rows(kinds, start):
    return st.fixed_dictionaries(
        {
            "type": st.sampled_from(kinds),
            "occurred_at": st.integers(start, start + 8).map(lambda hours: NOW + hours * HOUR),
            "customer_id": st.sampled_from(("ada", "bob")),
            "decision_id": st.sampled_from((None, None, *STATES)),
            "offer_id": st.sampled_from(("coffee", None)),
            "automated": st.sampled_from((False, False, True)),
            "properties": st.sampled_from(({}, {"bounce": "hard"}, {"kind": "soft"})),
            **{name: st.sampled_from(values) for name, values in NAMES.items()},
        }
    )


@pytest.fixture(scope="module")
def ledgers(database_urls):
    with opened(database_urls()) as api, opened(database_urls()) as bulk:
        yield api, bulk


def prepare(ledger, run):
    """Two customers, each with one decision in every state."""
    people = [f"ada{run}", f"bob{run}"]
    ledger.put_customers([ada(customer_id=each) for each in people])
    ledger.append_consents([consent(customer_id=each) for each in people], NOW)
    for each, state in itertools.product(people, STATES):
        name = f"{state}-{each}"
        record(ledger, send(each, decision_id=name, request_id=name))
        if state != "reserved":
            (ledger.confirm if state == "confirmed" else ledger.release)(name, NOW + HOUR)
    return people


def events_of(history, run):
    for number, row in enumerate(history):
        person = f"{row['customer_id']}{run}"
        decision = row["decision_id"] and f"{row['decision_id']}-{person}"
        yield Event(event_id=f"{run}-{number}", **{**row, "customer_id": person, "decision_id": decision})


def as_table(events):
    dumped = [{**each.model_dump(), "properties": orjson.dumps(each.properties).decode()} for each in events]
    return pa.Table.from_pylist(dumped, schema=EVENT_SCHEMA)


def known(ledger, people):
    """What the ledger says of the people, places in an order of their own: equal moments have none."""
    states = ledger.states(people, NOW + 9 * DAY).values()
    return (
        [replace(each, pressure=frozenset(each.pressure)) for each in states],
        [ledger.decision(f"{state}-{each}").state for state in STATES for each in people],
    )


@given(histories())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_api_and_the_bulk_load_leave_the_same_ledger(ledgers, history):
    run = next(_examples)
    api, bulk = ledgers
    people = prepare(api, run)
    prepare(bulk, run)
    events = list(events_of(history, run))
    api.take_events(events, NOW + DAY)
    bulk.load_events(as_table(events), NOW + DAY)
    assert known(api, people) == known(bulk, people)
