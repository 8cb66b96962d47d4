"""Delivery health counts messages, not reports of them."""

from collections import Counter
from datetime import timedelta

import ibis

from pipelines.monitor.delivery import _by_customer, _by_type
from tests.worlds.features import event, events_table, utc

NOW = utc(2018, 1, 29)
START = NOW - timedelta(days=28)


def _told_by_two(who, number, *, delivered=True):
    at = NOW - timedelta(days=2)
    rows = [
        event(who, "sent", at, channel="email", decision=f"d{number}", message=f"m{number}"),
        event(who, "sent", at + timedelta(seconds=30), channel="email", message=f"m{number}"),
    ]
    reports = (event(who, "delivered", at, channel=on, message=f"m{number}") for on in ("email", None))
    return [*rows, *(reports if delivered else ())]


def _events(rows):
    return ibis.duckdb.connect().create_table("events", events_table(rows))


def test_a_message_and_its_delivery_told_by_two_sources_count_once():
    rows = [*_told_by_two("a", 1), *_told_by_two("b", 1), *_told_by_two("b", 2, delivered=False)]
    found = _by_type(_events(rows), START, START, NOW).to_pyarrow().to_pylist()
    assert {(row["channel"], row["type"]): row["n"] for row in found} == {
        ("email", "sent"): 3,
        ("email", "delivered"): 2,
    }


def test_what_names_no_message_counts_for_itself_and_what_no_channel_is_left_out():
    rows = [event("a", "complained", START, channel=on) for on in ("email", "email", None)]
    (found,) = _by_type(_events(rows), START, START, NOW).to_pyarrow().to_pylist()
    assert (found["channel"], found["type"], found["n"]) == ("email", "complained", 2)


def test_the_load_of_a_customer_is_in_messages():
    rows = [*_told_by_two("a", 1), *_told_by_two("a", 2), *_told_by_two("b", 1)]
    found = _by_customer(_events(rows), START, NOW).to_pyarrow().to_pylist()
    assert Counter({row["customer_id"]: row["n"] for row in found}) == {"a": 2, "b": 1}
