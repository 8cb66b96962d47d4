"""Events come back as the sender saw them: some twice, some broken, and they count at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from serving.answers import EventVerdictsOut
from tests.worlds.service import NOW, ask


def event(event_id, customer_id, kind="purchased", **fields) -> dict:
    return {
        "event_id": event_id,
        "customer_id": customer_id,
        "type": kind,
        "occurred_at": NOW.isoformat(),
        **fields,
    }


def test_a_good_event_beside_a_bad_one_gets_through(http, person):
    batch = [
        event(f"{person}-1", person, value=12.5, properties={"category": "drinks"}),
        event(f"{person}-2", person, kind="teleported"),
        {**event(f"{person}-3", person), "occurred_at": "2026-03-02T09:00:00"},
        "not an object",
        event(f"{person}-4", person, kind="x_own"),
    ]
    answer = http.post("/v1/events", json={"events": batch})
    assert answer.status_code == 200
    body = answer.json()
    assert [each["status"] for each in body["verdicts"]] == [
        "accepted",
        "refused",
        "refused",
        "refused",
        "accepted",
    ]
    assert body["counts"] == {"accepted": 2, "refused": 3}
    fields = [each["problem"]["errors"][0]["field"] for each in body["verdicts"] if each["status"] == "refused"]
    assert fields == ["events[1].type", "events[2].occurred_at", "events[3]"]
    EventVerdictsOut.model_validate(body)


def test_an_event_of_next_week_is_refused_by_the_services_own_clock(http, person):
    soon, later = (NOW + timedelta(days=days) for days in (1, 7))
    batch = [
        event(f"{person}-soon", person, occurred_at=soon.isoformat()),
        event(f"{person}-later", person, occurred_at=later.isoformat()),
    ]
    verdicts = http.post("/v1/events", json={"events": batch}).json()["verdicts"]
    assert [each["status"] for each in verdicts] == ["accepted", "refused"]
    assert verdicts[1]["problem"]["errors"][0]["field"] == "events[1].occurred_at"


def test_the_second_arrival_of_an_event_changes_nothing(http, person):
    batch = {"events": [event(f"{person}-again", person)]}
    first, second = (http.post("/v1/events", json=batch).json() for _ in range(2))
    assert (first["counts"], second["counts"]) == ({"accepted": 1}, {"duplicate": 1})
    assert "conflict" not in second["verdicts"][0]


def test_a_second_arrival_that_says_something_else_is_told_and_changes_nothing(http, person):
    first, other = (event(f"{person}-two", person, kind=kind) for kind in ("viewed", "complained"))
    assert http.post("/v1/events", json={"events": [first]}).json()["counts"] == {"accepted": 1}
    (verdict,) = http.post("/v1/events", json={"events": [other]}).json()["verdicts"]
    assert verdict == {"event_id": f"{person}-two", "status": "duplicate", "conflict": True}


def test_an_unsubscribe_binds_the_very_next_decision(http, person):
    batch = {"events": [event(f"{person}-off", person, kind="unsubscribed", channel="email")]}
    assert http.post("/v1/events", json=batch).json()["counts"] == {"accepted": 1}
    decision = http.post("/v1/decisions", json=ask(person, purpose="marketing")).json()
    assert decision["action"] == "hold"
    assert "consent_withdrawn" in {reason["code"] for reason in decision["reasons"]}


def test_a_withdrawal_stops_what_was_not_yet_confirmed(http, person):
    decision = http.post("/v1/decisions", json=ask(person, purpose="marketing", request_id=f"{person}-m")).json()
    unsubscribed = event(f"{person}-off", person, kind="unsubscribed", channel="email")
    http.post("/v1/events", json={"events": [unsubscribed]})
    answer = http.post(f"/v1/decisions/{decision['decision_id']}/confirm")
    assert answer.status_code == 409


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**400, 1e308])
def test_a_number_of_any_size_among_the_properties_is_no_fault_of_ours(http, person, number):
    batch = {"events": [event(f"{person}-big", person, properties={"number": number})]}
    answer = http.post("/v1/events", json=batch)
    assert answer.status_code == 200
    assert answer.json()["verdicts"][0]["status"] in {"accepted", "refused"}


@pytest.mark.parametrize(
    "stated", [0, "0", "0001-01-01T00:00:00Z", "1900-01-01T00:00:00Z", 1772618400, "2031-01-01T00:00:00Z", None]
)
def test_an_unsubscription_counts_whatever_its_date(http, person, stated):
    moved = [event(f"{person}-{stated}-u", person, kind="unsubscribed", channel="email", occurred_at=stated)]
    moved += [event(f"{person}-{stated}-p", person, occurred_at=stated)]
    verdicts = http.post("/v1/events", json={"events": moved}).json()["verdicts"]
    assert [each["status"] for each in verdicts] == ["accepted", "refused"]
    current = http.get(f"/v1/customers/{person}/consent").json()["current"]
    assert [(each["channel"], each["at"]) for each in current if each["status"] == "withdrawn"] == [
        ("email", NOW.isoformat().replace("+00:00", "Z"))
    ]
