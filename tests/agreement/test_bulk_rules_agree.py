"""The importer's rules over columns and the pydantic contracts accept and refuse the same rows."""

# ruff: noqa: DTZ001 - Hypothesis wants naive bounds
from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from features.contracts import (
    CONSENT_SCHEMA,
    CUSTOMER_SCHEMA,
    EVENT_SCHEMA,
    EVENT_TYPES,
    PREFERENCE_SCHEMA,
    Consent,
    Customer,
    Event,
    Preference,
)
from features.contracts.ids import PLACEHOLDERS
from features.importing.macros import define_macros
from features.importing.rules import contract_rules, first_broken
from features.lake import connect

NOW = datetime(2018, 1, 1, tzinfo=UTC)
_CONNECTION = connect()
define_macros(_CONNECTION)

CONTRACTS = {
    "events": (Event, EVENT_SCHEMA, ("properties",)),
    "customers": (Customer, CUSTOMER_SCHEMA, ("attributes", "contacts")),
    "consents": (Consent, CONSENT_SCHEMA, ()),
    "preferences": (Preference, PREFERENCE_SCHEMA, ()),
}


def refused_in_bulk(target: str, rows: list[dict[str, Any]]) -> list[str | None]:
    """The rule each row breaks by the importer."""
    _, schema, _ = CONTRACTS[target]
    loose = pa.schema([pa.field(f.name, f.type) for f in schema] + [pa.field("n", pa.int64())])
    table = pa.Table.from_pylist([{**row, "n": n} for n, row in enumerate(rows)], schema=loose)
    _CONNECTION.con.register("candidates", table)
    candidates = _CONNECTION.table("candidates")
    rules = [(rule.name, rule.broken(candidates)) for rule in contract_rules(target, NOW)]
    return candidates.select("n", rule=first_broken(rules)).order_by("n").to_pyarrow()["rule"].to_pylist()


def refused_by_contract(target: str, row: dict[str, Any]) -> bool:
    contract, _, objects = CONTRACTS[target]
    try:
        contract.model_validate({**row, **{name: json.loads(row[name]) for name in objects}})
    except ValueError:  # JSON and validation errors both
        return True
    return False


def agree(target: str, rows: list[dict[str, Any]]) -> None:
    for row, rule in zip(rows, refused_in_bulk(target, rows), strict=True):
        assert refused_by_contract(target, row) == (rule is not None), (rule, row)


nasty = st.sampled_from(
    [
        "",
        " ",
        "a",
        "é",
        "a\n",
        "\n",
        "a\tb",
        "\x00",
        "\x7f",
        "\x80",
        "x" * 200,
        "x" * 201,
        "🤦🏼‍♂️" * 40,
        "🤦🏼‍♂️" * 50,
        *PLACEHOLDERS,
        "NULL",
        "N/A",
        "nİl",
        "null\n",
        "nulls",
        "0",
        " 7",
        "7 ",
        "7\u00a0",
        "\ufeff7",
        "7\u200b8",
    ]
)
ids = st.one_of(nasty, st.text(max_size=12), st.from_regex(r"[a-z0-9:-]{1,20}", fullmatch=True))
maybe = st.one_of(st.none(), ids)
channels = st.one_of(st.sampled_from(["email", "sms", "in_app", "E", "1a", "a" * 32, "a" * 33, "mail\n", ""]), ids)
# Events from before 1990 are imported with a warning, and refused where a program sends them one by one.
moments = st.datetimes(datetime(1990, 1, 1), datetime(2018, 1, 1), timezones=st.just(UTC))
types = st.one_of(
    st.sampled_from([*EVENT_TYPES, "x_a", "x_", "x_a\n", "x_A", "x_" + "a" * 48, "x_" + "a" * 49]), ids
)
codes = st.one_of(
    st.none(),
    st.sampled_from(["USD", "usd", "US", "DE", "USDX", "US\n", "ÜS", "", "UK", "EL", "EU", "XK", "ZZ"]),
    ids,
)
members = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=1),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
)  # fmt: skip
objects = st.one_of(
    st.dictionaries(st.text(max_size=5), members, max_size=3).map(json.dumps),
    st.sampled_from(["", "{", "[]", "null", "1", '"a"', '{"a":1e999}', '{"a":-0.0}', "{'a':1}", '{"a":Infinity}']),
)
contacts = st.one_of(
    st.dictionaries(
        channels,
        st.sampled_from(["valid", "absent", "soft_bounced", "hard_bounced", "Valid", None, 1]),
        max_size=2,
    ).map(json.dumps),
    objects,
)
zones = st.sampled_from(
    [
        None,
        "UTC",
        "Europe/Berlin",
        "europe/berlin",
        "Mars",
        "",
        "../etc/passwd",
        "America/",
        "UTC\n",
        "localtime",
        "Factory",
        "posix/UTC",
        "right/UTC",
        "posixrules",
        "EST5EDT",
        "ACT",
    ]
)
hours = st.one_of(st.none(), st.integers(-2, 26))

events = st.fixed_dictionaries(
    {
        "event_id": maybe, "customer_id": maybe, "type": types, "occurred_at": st.one_of(st.none(), moments),
        "channel": st.one_of(st.none(), channels), "decision_id": maybe, "message_id": maybe, "campaign_id": maybe,
        "offer_id": maybe, "value": st.one_of(st.none(), st.floats()), "currency": codes, "automated": st.booleans(),
        "properties": objects,
    }
)  # fmt: skip
customers = st.fixed_dictionaries(
    {
        "customer_id": maybe, "household_id": maybe, "time_zone": zones, "country": codes,
        "locale": st.one_of(st.none(), st.text(max_size=5)), "registered_at": st.one_of(st.none(), moments),
        "birthday": st.one_of(st.none(), st.dates()), "attributes": objects, "contacts": contacts,
    }
)  # fmt: skip
consents = st.fixed_dictionaries(
    {
        "customer_id": maybe, "channel": st.one_of(st.none(), channels),
        "purpose": st.sampled_from([None, "marketing", "service", "transactional", "Marketing", ""]),
        "status": st.sampled_from([None, "granted", "withdrawn", "maybe", ""]),
        "at": st.one_of(st.none(), moments), "source": st.one_of(st.none(), st.text(max_size=5)),
        "evidence": st.one_of(st.none(), st.text(max_size=5)),
    }
)  # fmt: skip
preferences = st.fixed_dictionaries(
    {
        "customer_id": maybe, "channels_off": st.lists(channels, max_size=3), "quiet_from": hours,
        "quiet_until": hours, "max_per_week": st.one_of(st.none(), st.integers(-2, 9)),
        "pause_until": st.one_of(st.none(), moments),
    }
)  # fmt: skip

GOOD = {
    "events": {
        **dict.fromkeys(EVENT_SCHEMA.names), "event_id": "e", "customer_id": "c", "type": "purchased",
        "occurred_at": NOW, "automated": False, "properties": '{"a":1,"b":"x","c":null,"d":true,"e":1.5}',
    },
    "customers": {
        **dict.fromkeys(CUSTOMER_SCHEMA.names), "customer_id": "c", "time_zone": "Europe/Berlin",
        "attributes": "{}", "contacts": '{"email":"valid"}',
    },
    "consents": {
        "customer_id": "c", "channel": "email", "purpose": "marketing", "status": "granted", "at": NOW,
        "source": "s", "evidence": None,
    },
    "preferences": {
        "customer_id": "c", "channels_off": ["sms"], "quiet_from": 21, "quiet_until": 8, "max_per_week": 0,
        "pause_until": NOW + timedelta(days=99),
    },
}  # fmt: skip
STRATEGIES = {"events": events, "customers": customers, "consents": consents, "preferences": preferences}


def _one_flaw(target: str) -> st.SearchStrategy[dict[str, Any]]:
    """A good row with one column drawn anew: where whole random rows would all fail, this meets each rule alone."""
    wild = STRATEGIES[target]
    return st.tuples(wild, st.sampled_from(list(GOOD[target]))).map(lambda t: {**GOOD[target], t[1]: t[0][t[1]]})


@pytest.mark.parametrize("target", CONTRACTS)
def test_good_rows_break_no_rule(target):
    assert refused_in_bulk(target, [GOOD[target]]) == [None]
    agree(target, [GOOD[target]])


@settings(max_examples=10, deadline=None)
@given(rows=st.lists(st.one_of(_one_flaw("events"), events), min_size=1, max_size=30))
@example(rows=[{**GOOD["events"], "type": "x_a\n"}])
def test_events(rows):
    agree("events", rows)


@settings(max_examples=10, deadline=None)
@given(rows=st.lists(st.one_of(_one_flaw("customers"), customers), min_size=1, max_size=30))
def test_customers(rows):
    agree("customers", rows)


@settings(max_examples=8, deadline=None)
@given(rows=st.lists(st.one_of(_one_flaw("consents"), consents), min_size=1, max_size=30))
def test_consents(rows):
    agree("consents", rows)


@settings(max_examples=8, deadline=None)
@given(rows=st.lists(st.one_of(_one_flaw("preferences"), preferences), min_size=1, max_size=30))
def test_preferences(rows):
    agree("preferences", rows)


@pytest.mark.parametrize(
    ("at", "rule"),
    [
        (datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "occurred_at_plausible"),
        (datetime(1970, 1, 1, tzinfo=UTC), None),
        (NOW + timedelta(days=1), None),
        (NOW + timedelta(days=1, microseconds=1), "occurred_at_plausible"),
    ],
)
def test_a_moment_is_plausible_from_1970_to_a_day_from_now(at, rule):
    assert refused_in_bulk("events", [{**GOOD["events"], "occurred_at": at}]) == [rule]


def test_a_contract_error_is_what_it_seems():
    with pytest.raises(ValidationError):
        Event.model_validate({**GOOD["events"], "properties": {}, "type": "bought"})


@pytest.mark.parametrize(("status", "rule"), [("granted", "at_plausible"), ("withdrawn", "at_plausible")])
def test_a_consent_from_before_1990_is_refused_by_both(status, rule):
    row = {**GOOD["consents"], "status": status, "at": datetime(1989, 12, 31, tzinfo=UTC)}
    assert refused_in_bulk("consents", [row]) == [rule]
    agree("consents", [row])


@pytest.mark.parametrize("name", ["event_id", "customer_id", "decision_id", "message_id"])
@pytest.mark.parametrize("value", [*PLACEHOLDERS, "Undefined", "\ufeff7", " "])
def test_an_id_that_stands_for_none_is_refused_by_both_under_a_name_of_its_own(name, value):
    row = {**GOOD["events"], name: value}
    assert refused_in_bulk("events", [row]) == [f"{name}_placeholder"]
    agree("events", [row])


@pytest.mark.parametrize("value", ["0", "00", "nobody", "none-7", "N", "a-b", "-1", "null.null"])
def test_an_id_that_only_looks_odd_is_one(value):
    rows = [{**GOOD["events"], "customer_id": value}]
    assert refused_in_bulk("events", rows) == [None]
    agree("events", rows)


def test_a_campaign_may_be_called_none():
    row = {**GOOD["events"], "campaign_id": "none", "offer_id": "-"}
    assert refused_in_bulk("events", [row]) == [None]
    agree("events", [row])
