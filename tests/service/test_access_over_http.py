"""Keys against a real process, which shares nothing with this one but the ledger's file."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from decisions.ledger import Ledger
from runtime.access import FRESH
from serving.roles import SMALL
from tests.worlds.service import API_KEY, ask

if TYPE_CHECKING:
    import httpx

SOON = FRESH + 0.5
"""Seconds after which every worker has read the keys again."""


@pytest.fixture(scope="module")
def ledger(served):
    with Ledger.open(served.ledger) as opened:
        yield opened


@pytest.fixture(scope="module")
def keys(ledger):
    """A key of each role, and some that will change."""
    now = datetime.now(UTC)
    names = ("sender", "ingest", "analyst", "admin")
    made = {role: ledger.keys.add(role, label="x", now=now) for role in names}
    made |= {name: ledger.keys.add("sender", label="x", now=now) for name in ("revoked", "rotated")}
    made["short"] = ledger.keys.add("sender", label="x", now=now, expires=now + timedelta(seconds=SOON + 2))
    time.sleep(SOON)
    return made


def asked(http, key, method="GET", path="/v1/status", **content) -> httpx.Response:
    return http.request(method, path, headers={"X-API-Key": key.secret}, **content)


def test_a_key_that_expires_stops_at_its_moment_though_the_services_clock_stands_still(http, keys):
    """The first test here: the key has two seconds left."""
    assert asked(http, keys["short"]).status_code == 200
    time.sleep(max(0.0, (keys["short"].key.expires_at - datetime.now(UTC)).total_seconds()))
    assert asked(http, keys["short"]).status_code == 401


def test_each_role_opens_its_own_endpoints_in_the_running_service(http, keys, person):
    body = ask(person)
    statuses = {
        role: asked(http, keys[role], "POST", "/v1/decisions", json=body).status_code
        for role in ("sender", "ingest", "analyst", "admin")
    }
    assert statuses == {"sender": 200, "ingest": 403, "analyst": 403, "admin": 200}
    timeline = f"/v1/customers/{person}/timeline"
    assert asked(http, keys["analyst"], path=timeline).status_code == 200
    assert asked(http, keys["ingest"], path=timeline).status_code == 403


def test_the_audit_names_the_key_through_the_services_threads(http, keys, ledger, person):
    asked(http, keys["sender"], "POST", "/v1/decisions", json=ask(person))
    events = [{"event_id": f"{person}-off", "customer_id": person, "type": "unsubscribed", "channel": "email",
               "occurred_at": "2026-03-02T08:00:00Z"}]  # fmt: skip
    asked(http, keys["ingest"], "POST", "/v1/events", json={"events": events})
    actors = {change.what: change.actor for change in ledger.trail.entries(person)}
    assert actors["reserved"] == keys["sender"].key.key_id
    assert actors["consent_withdrawn"] == keys["ingest"].key.key_id


def test_a_revoked_key_stops_within_seconds(http, keys, ledger):
    assert asked(http, keys["revoked"]).status_code == 200
    ledger.keys.revoke(keys["revoked"].key.key_id, datetime.now(UTC))
    deadline = time.monotonic() + SOON
    while asked(http, keys["revoked"]).status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert asked(http, keys["revoked"]).status_code == 401


def test_old_and_new_key_both_open_during_the_overlap_and_then_the_new_one(http, keys, ledger):
    overlap = timedelta(seconds=SOON + 1)
    new = ledger.keys.rotate(keys["rotated"].key.key_id, datetime.now(UTC), overlap=overlap)
    started = time.monotonic()
    while asked(http, new).status_code != 200:
        assert time.monotonic() - started < SOON
        time.sleep(0.1)
    assert asked(http, keys["rotated"]).status_code == 200
    time.sleep(max(0.0, SOON + 1.1 - (time.monotonic() - started)))
    assert asked(http, keys["rotated"]).status_code == 401
    assert asked(http, new).status_code == 200


def test_too_many_requests_of_one_key_are_told_when_to_come_again(http, keys):
    answers = [asked(http, keys["analyst"]) for _ in range(25)]
    refused = [each for each in answers if each.status_code == 429]
    assert refused
    assert refused[0].headers["content-type"] == "application/problem+json"
    assert 1 <= int(refused[0].headers["retry-after"]) <= 60
    assert asked(http, keys["sender"]).status_code == 200


def test_a_body_over_the_small_limit_is_refused(http):
    path = "/v1/decisions/none-such/confirm"
    answer = http.post(path, content=b" " * (SMALL + 1), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_no_log_and_no_metric_holds_a_key(http, served, keys):
    for each in keys.values():
        asked(http, each)
        http.get("/v1/status", headers={"Authorization": f"Bearer {each.secret}x", "X-API-Key": ""})
    said = http.get("/metrics").text + (served.home / "output.log").read_text()
    assert keys["sender"].key.key_id in said, "the log names the key by its id"
    for secret in (API_KEY, *(each.secret.split("_", 2)[2] for each in keys.values())):
        assert secret not in said
        assert secret[:12] not in said
