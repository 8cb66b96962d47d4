"""Ledger and feature table say the same of where a customer can be reached, whatever is told of bounces and life."""

import functools

import ibis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.tables.contact import contact
from tests.worlds.arrival import events_table
from tests.worlds.features import customer as declared
from tests.worlds.features import customers_table
from tests.worlds.ledger import DAY, HOUR, NOW, ada, event, fresh, state

CHANNELS = ("email", "sms")
_number = iter(range(10**9))
KINDS = ("bounced", "bounced", "delivered", "opened", "clicked", "converted")
moments = st.integers(0, 4).map(lambda hours: NOW + hours * HOUR)  # few: ties are what is likely to differ


@st.composite
def histories(draw):
    """Messages, and what is told of them with or without their channel; then the channels as they are declared."""
    sent = st.fixed_dictionaries(
        {
            "kind": st.just("sent"),
            "at": moments,
            "channel": st.sampled_from((*CHANNELS, None)),
            "decision_id": st.sampled_from(("d1", "d2", None)),
            "message_id": st.sampled_from(("m1", "m2", None)),
        }
    )
    sends = draw(st.lists(sent, max_size=4))
    told = st.fixed_dictionaries(
        {
            "kind": st.sampled_from(KINDS),
            "at": moments,
            "channel": st.sampled_from((*CHANNELS, None)),
            "decision_id": st.sampled_from(("d1", None)),
            "message_id": st.sampled_from(("m1", "m2", None)),
            "automated": st.booleans(),
            "properties": st.sampled_from(({}, {"bounce": "hard"}, {"bounce": "soft"})),
        }
    )
    contacts = st.dictionaries(
        st.sampled_from(CHANNELS), st.sampled_from(("valid", "valid", "absent", "soft_bounced"))
    )
    return draw(st.permutations(sends + draw(st.lists(told, max_size=6)))), draw(contacts)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    with fresh(tmp_path_factory.mktemp("contacts")) as ledger:
        yield ledger


@functools.cache
def _connection():
    return ibis.duckdb.connect()


def _by_features(events, person, contacts):
    tables = (events_table(events), customers_table([declared(person, **contacts)]))
    known, people = (ibis.memtable(table) for table in tables)
    (row,) = (
        _connection().to_pyarrow(contact(known, people, as_of=(NOW + DAY).date(), channels=CHANNELS)).to_pylist()
    )
    return {channel: row[f"{channel}_contact"] for channel in CHANNELS}


@given(histories())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_ledger_and_the_feature_table_agree_on_every_contact(ledger, history):
    told, contacts = history
    person = f"ada{next(_number)}"
    events = [event(each["kind"], person, **{k: v for k, v in each.items() if k != "kind"}) for each in told]
    for each in events:
        ledger.take_events([each], NOW + DAY)
    ledger.put_customers([ada(customer_id=person, contacts=contacts)])
    known = state(ledger, person).customer.contacts
    assert {each: known.get(each, "absent") for each in CHANNELS} == _by_features(events, person, contacts)
