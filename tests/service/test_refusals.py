"""A caller's mistake is 4xx with the field named; a fault of ours is 5xx and tells nothing; in this process."""

from __future__ import annotations

import dataclasses
import json

import pytest

from decisions.ledger import LedgerBusy
from serving.app import BODY_LIMIT, create_app
from tests.worlds.service import API_KEY, ask, call

GOOD = {"request_id": "r", "customer_id": "c"}


def refused(app, body, **options) -> dict:
    answer = call(app, "POST", "/v1/decisions", json=body, **options)
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["detail"]
    return document


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "request_id"),
        ({"request_id": "r"}, "customer_id"),
        ({**GOOD, "customer_id": ""}, "customer_id"),
        ({**GOOD, "customer_id": "a\nb"}, "customer_id"),
        ({**GOOD, "customer_id": 7}, "customer_id"),
        ({**GOOD, "customer_id": "x" * 201}, "customer_id"),
        ({**GOOD, "purpose": "spam"}, "purpose"),
        ({**GOOD, "channels": ["E-Mail"]}, "channels[0]"),
        ({**GOOD, "channels": []}, "channels"),
        ({**GOOD, "horizon_hours": 0}, "horizon_hours"),
        ({**GOOD, "horizon_hours": 1e9}, "horizon_hours"),
        ({**GOOD, "colour": "red"}, "colour"),
        ({**GOOD, "offers": ["cocoa"]}, "offers"),
        ({**GOOD, "campaign_id": "autumn"}, "campaign_id"),
        ({"asks": []}, "asks"),
        ({"asks": [GOOD] * 1001}, "asks"),
        ({"asks": "all"}, "asks"),
        ([], "body"),
        (None, "body"),
        ("text", "body"),
    ],
)
def test_what_breaks_a_rule_is_named(app, body, field):
    document = refused(app, body)
    assert document["status"] == 422
    assert document["errors"][0]["field"] == field


@pytest.mark.parametrize("odd", [{"\ud800": 1}, {"customer_id": "\ud800"}, {"offers": ["\ud800"]}])
def test_half_a_surrogate_pair_is_no_fault_of_ours(app, odd):
    body = json.dumps({**GOOD, **odd})
    answer = call(app, "POST", "/v1/decisions", content=body, headers=keyed({"Content-Type": "application/json"}))
    assert answer.status_code == 422


def refused_event(app, field, **fields) -> bool:
    good = {"event_id": "e", "customer_id": "c", "type": "viewed", "occurred_at": "2026-03-02T09:00:00Z"}
    body = json.dumps({"events": [{**good, **fields}]})
    answer = call(app, "POST", "/v1/events", content=body, headers=keyed({"Content-Type": "application/json"}))
    assert answer.status_code == 200
    (verdict,) = answer.json()["verdicts"]
    return verdict["status"] == "refused" and verdict["problem"]["errors"][0]["field"] == field


def test_half_a_surrogate_pair_among_the_properties_refuses_the_event_alone(app):
    assert refused_event(app, "events[0].properties", properties={"note": "\ud800"})


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**400])
def test_a_number_that_no_lake_can_keep_refuses_the_event_alone(app, number):
    assert refused_event(app, "events[0].properties", properties={"note": number})


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_that_utc_cannot_name_refuses_the_event_alone(app, moment):
    assert refused_event(app, "events[0].occurred_at", occurred_at=moment)


def keyed(headers) -> dict:
    return {"X-API-Key": API_KEY, **headers}


@pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe", b"[1,", b"[" * 20_000])
def test_what_is_not_json_is_a_bad_request(app, body):
    headers = keyed({"Content-Type": "application/json"})
    answer = call(app, "POST", "/v1/decisions", content=body, headers=headers)
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_value_that_was_sent_is_not_repeated(app):
    assert "my secret" not in json.dumps(refused(app, {**GOOD, "purpose": "my secret"}))


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_only_json_is_read(app, kind):
    answer = call(app, "POST", "/v1/decisions", content=b"{}", headers=keyed({"Content-Type": kind}))
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:kairos:problem:unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.x+json"])
def test_json_may_come_under_its_other_names(app, kind):
    body = json.dumps(ask("c")).encode()
    answer = call(app, "POST", "/v1/decisions", content=body, headers=keyed({"Content-Type": kind}))
    assert answer.status_code == 200


def test_a_body_over_the_limit_is_refused_whatever_its_header_says(app):
    async def chunks():
        for _ in range(BODY_LIMIT // 2**16 + 1):
            yield b" " * 2**16

    headers = keyed({"Content-Type": "application/json"})
    answer = call(app, "POST", "/v1/decisions", content=chunks(), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:kairos:problem:too_large")


def test_nowhere_is_not_found(app):
    for path in ("/v1/decision", "/v2/decisions", "/x"):
        assert call(app, "GET", path).json()["type"] == "urn:kairos:problem:not_found"


def test_another_method_is_not_allowed(app):
    answer = call(app, "DELETE", "/v1/decisions")
    assert (answer.status_code, answer.json()["type"]) == (405, "urn:kairos:problem:method_not_allowed")


class BrokenLedger:
    def __init__(self, error):
        self.error = error

    def decision(self, _):
        raise self.error


def broken(kairos, error):
    return create_app(dataclasses.replace(kairos, ledger=BrokenLedger(error)))


def test_a_ledger_that_is_busy_asks_to_come_again(kairos):
    answer = call(broken(kairos, LedgerBusy("locked")), "GET", "/v1/decisions/x")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["type"] == "urn:kairos:problem:ledger_away"


def test_a_fault_of_ours_tells_the_caller_and_the_log_no_data(kairos, capsys):
    answer = call(broken(kairos, RuntimeError("person-1 lives here")), "GET", "/v1/decisions/x")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:kairos:problem:fault")
    assert "lives here" not in answer.text + "".join(capsys.readouterr())
