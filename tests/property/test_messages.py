"""What one message is, against plain Python that hears the reports in turn."""

from datetime import timedelta
from functools import cache

import ibis
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contracts import EVENT_SCHEMA
from features.tables.messages import about, messages, reports
from tests.worlds.features import event, events_table, utc
from tests.worlds.features import messages as by_hand

BEGIN = utc(2018, 1, 1)

_names = st.sampled_from([None, "1", "2", "3", "4", "5"])  # of decisions and of messages alike
_sends = st.builds(
    lambda who, hour, channel, decision, message: event(
        who, "sent", BEGIN + timedelta(hours=hour), channel=channel, decision=decision, message=message
    ),
    st.sampled_from(["a", "b"]),
    st.integers(0, 12),
    st.sampled_from([None, None, "email", "push"]),
    _names,
    _names,
)


@cache
def _engine():
    unbound = ibis.table(ibis.Schema.from_pyarrow(EVENT_SCHEMA), name="events")
    return ibis.duckdb.connect(threads=1), str(ibis.to_sql(reports(unbound), dialect="duckdb"))


def _reports(rows):
    connection, sql = _engine()
    connection.create_table("events", events_table(rows), temp=True, overwrite=True)
    return connection.raw_sql(sql).to_arrow_table().to_pylist()


@settings(max_examples=80, deadline=None)
@given(st.lists(_sends, max_size=24))
def test_at_every_moment_is_known_of_each_message_what_the_reports_before_it_say(rows):
    found = _reports(rows)
    assert sorted(row["event_id"] for row in found) == sorted(row["event_id"] for row in rows)
    for hour in (*range(14), None):
        moment = hour if hour is None else BEGIN + timedelta(hours=hour, minutes=1)
        assert sorted(_stand(found, moment)) == sorted(_said(rows, moment)), moment


def _stand(found, moment):
    for row in found:
        begun = moment is None or row["heard_at"] < moment
        if begun and (row["stands_until"] is None or (moment and row["stands_until"] >= moment)):
            yield row["customer_id"], row["occurred_at"], row["channel"] or "", row["told_by"]


def _said(rows, moment):
    known = [row for row in rows if moment is None or row["occurred_at"] < moment]
    for who in ("a", "b"):
        for each in by_hand([row for row in known if row["customer_id"] == who]):
            yield who, each["occurred_at"], each["channel"] or "", each["told_by"]


@settings(max_examples=40, deadline=None)
@given(st.lists(_sends, max_size=24))
def test_reports_of_one_customer_that_are_tied_by_any_chain_of_names_are_one_message(rows):
    found = {row["event_id"]: row["message"] for row in _reports(rows)}
    told = [each for who in ("a", "b") for each in by_hand([row for row in rows if row["customer_id"] == who])]
    assert found == {row["event_id"]: each["event_id"] for each in told for row in each["reports"]}


def _bound(rows):
    return ibis.duckdb.connect().create_table("events", events_table(rows))


def test_a_message_has_the_facts_of_its_earliest_report_whatever_the_order_of_rows():
    rows = [
        event("a", "sent", BEGIN + timedelta(minutes=1), channel="push", message="m", decision="d", event_id="e2"),
        event("a", "sent", BEGIN, channel="email", message="m", event_id="e1"),
        event("a", "sent", BEGIN + timedelta(hours=1), channel="sms", decision="d", event_id="e3"),
    ]
    for order in (rows, rows[::-1]):
        (found,) = messages(_bound(order)).to_pyarrow().to_pylist()
        assert (found["message"], found["channel"], found["occurred_at"]) == ("e1", "email", BEGIN)


def test_a_message_whose_first_report_names_no_channel_is_what_the_first_says_that_names_one_from_then_on():
    rows = [
        event("a", "sent", BEGIN, message="m", event_id="e1"),
        event("a", "sent", BEGIN + timedelta(days=1), channel="push", message="m", event_id="e2"),
        event("a", "sent", BEGIN + timedelta(days=2), channel="email", message="m", event_id="e3"),
    ]
    for order in (rows, rows[::-1]):
        (found,) = messages(_bound(order)).to_pyarrow().to_pylist()
        assert (found["message"], found["occurred_at"], found["channel"], found["told_by"]) == (
            "e1", BEGIN, "push", "e2",
        )  # fmt: skip
    until = {row["event_id"]: row["stands_until"] for row in _reports(rows)}
    assert until == {"e1": rows[1]["occurred_at"], "e2": None, "e3": rows[2]["occurred_at"]}


def test_a_tie_told_later_leaves_two_messages_until_it_was_told():
    rows = [
        event("a", "sent", BEGIN, decision="d", event_id="e1"),
        event("a", "sent", BEGIN + timedelta(days=1), message="m", event_id="e2"),
        event("a", "sent", BEGIN + timedelta(days=2), decision="d", message="m", event_id="e3"),
    ]
    until = {row["event_id"]: row["stands_until"] for row in _reports(rows)}
    told = BEGIN + timedelta(days=2)
    assert until == {"e1": None, "e2": told, "e3": told}


def test_an_id_belongs_to_its_customer_alone():
    rows = [event(who, "sent", BEGIN, message="m") for who in ("a", "b")]
    reaction = event("b", "clicked", BEGIN, message="m")
    events = _bound([*rows, reaction])
    (found,) = about(events.filter(events.type == "clicked"), reports(events)).to_pyarrow().to_pylist()
    assert found["message"] == rows[1]["event_id"]


def test_a_reaction_that_names_a_message_twice_is_one_and_one_that_names_two_is_about_both():
    one = event("a", "sent", BEGIN, message="m", decision="d", event_id="one")
    two = event("a", "sent", BEGIN, message="n", event_id="two")
    reactions = [
        event("a", "clicked", BEGIN, message="m", decision="d", event_id="r"),
        event("a", "clicked", BEGIN, message="n", decision="d", event_id="s"),
        event("a", "clicked", BEGIN, event_id="nameless"),
    ]
    events = _bound([one, two, *reactions])
    found = about(events.filter(events.type == "clicked"), reports(events)).to_pyarrow().to_pylist()
    assert sorted((row["event_id"], row["message"]) for row in found) == [("r", "one"), ("s", "one"), ("s", "two")]
