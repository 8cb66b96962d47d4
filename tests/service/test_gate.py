"""Key, rate, role, kind and size: refused in this order, each with a problem that names the way out."""

from __future__ import annotations

import dataclasses
import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from decisions.ledger import ROLES, LedgerBusy
from runtime.access import Access
from runtime.settings import RateLimits
from serving.app import create_app
from serving.roles import BODY_LIMIT, SMALL
from tests.worlds.service import API_KEY, NOW, UNBOUND, ask, call

DECIDE = ("POST", "/v1/decisions")


@pytest.fixture
def secrets(kairos):
    """One key of each role, which the application knows already."""
    made = {role: kairos.ledger.keys.add(role, label="x", now=NOW).secret for role in ROLES}
    kairos.access._read_at = None
    return made


def limited(kairos, **rates):
    limits = RateLimits(**{**UNBOUND.model_dump(), **rates})
    return create_app(
        dataclasses.replace(kairos, settings=kairos.settings.model_copy(update={"rate_limits": limits}))
    )


def keyed(secret, **headers):
    return {"X-API-Key": secret, **headers}


def kind_of(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()["type"].removeprefix("urn:kairos:problem:")


@pytest.mark.parametrize(("role", "status"), [("sender", 200), ("admin", 200), ("ingest", 403), ("analyst", 403)])
def test_a_role_may_what_the_table_says(app, secrets, role, status):
    answer = call(app, *DECIDE, json=ask("c"), headers=keyed(secrets[role]))
    assert answer.status_code == status


def test_a_refused_role_is_told_which_one_it_takes(app, secrets):
    answer = call(app, *DECIDE, json=ask("c"), headers=keyed(secrets["analyst"]))
    assert kind_of(answer) == "forbidden"
    assert "sender or admin" in answer.json()["detail"]


def test_a_stranger_is_told_how_to_present_a_key(app):
    answer = call(app, *DECIDE, json=ask("c"), headers=keyed("wrong"))
    assert (answer.status_code, kind_of(answer)) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_revoked_and_an_expired_key_are_a_strangers(app, kairos):
    now = datetime.now(UTC)
    over = kairos.ledger.keys.add("admin", label="x", now=now - timedelta(days=2), expires=now - timedelta(days=1))
    gone = kairos.ledger.keys.add("admin", label="x", now=now)
    kairos.ledger.keys.revoke(gone.key.key_id, now)
    kairos.access._read_at = None
    for each in (over, gone):
        assert call(app, "GET", "/v1/status", headers=keyed(each.secret)).status_code == 401


def test_a_key_that_asks_too_often_is_told_when_to_come_again(kairos, secrets):
    app = limited(kairos, sender="3/minute")
    answers = [call(app, "GET", "/v1/status", headers=keyed(secrets["sender"])) for _ in range(4)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert kind_of(answers[-1]) == "too_many_requests"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert call(app, "GET", "/v1/status", headers=keyed(secrets["ingest"])).status_code == 200


def test_strangers_are_slowed_down_by_address_and_keys_from_there_are_not(kairos, secrets):
    app = limited(kairos, stranger="2/minute")
    guesses = [call(app, "GET", "/v1/status", headers=keyed(f"guess {n}")).status_code for n in range(4)]
    assert guesses == [401, 401, 429, 429]
    assert call(app, "GET", "/v1/status", headers=keyed(secrets["sender"])).status_code == 200


def test_an_address_that_the_caller_states_itself_is_not_believed(kairos):
    app = limited(kairos, stranger="1/minute")
    statuses = [
        call(app, "GET", "/v1/status", headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code for n in range(2)
    ]
    assert statuses == [401, 429]


def test_the_rate_comes_before_the_role_and_the_role_before_the_body(kairos, secrets):
    app = limited(kairos, analyst="1/minute")
    odd = keyed(secrets["analyst"], **{"Content-Type": "text/plain"})
    assert [call(app, *DECIDE, content=b"x", headers=odd).status_code for _ in range(2)] == [403, 429]


def test_what_is_small_is_bounded_tighter(app):
    path = "/v1/decisions/none-such/confirm"
    headers = keyed(API_KEY, **{"Content-Type": "application/json"})
    answer = call(app, "POST", path, content=b" " * (SMALL + 1), headers=headers)
    assert (answer.status_code, kind_of(answer)) == (413, "too_large")
    assert str(SMALL) in answer.json()["detail"]
    assert call(app, "POST", path, content=b" " * SMALL, headers=headers).status_code == 404


def test_a_body_is_read_for_nobody_who_may_not_send_it(app, secrets):
    async def never():
        raise AssertionError("it was read")
        yield b""

    for key, status in ((secrets["analyst"], 403), ("wrong", 401)):
        headers = keyed(key, **{"Content-Type": "application/json"})
        assert call(app, *DECIDE, content=never(), headers=headers).status_code == status


def test_a_form_is_read_where_mailbox_providers_send_one_and_nowhere_else(app):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    one_click = b"List-Unsubscribe=One-Click"
    assert call(app, "POST", "/v1/unsubscribe", content=one_click, headers=form).status_code not in {401, 403, 415}
    assert call(app, *DECIDE, content=one_click, headers=keyed(API_KEY, **form)).status_code == 415


EVENT = {"event_id": "packed", "customer_id": "c", "type": "viewed", "occurred_at": NOW.isoformat()}


def packed(app, body, coding="gzip", **options):
    headers = keyed(API_KEY, **{"Content-Type": "application/json", "Content-Encoding": coding})
    return call(app, "POST", "/v1/events", content=body, headers=headers, **options)


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip", " identity , gzip "])
def test_a_packed_body_is_unpacked(app, coding):
    body = json.dumps({"events": [{**EVENT, "event_id": coding.strip()}]}).encode()
    answer = packed(app, gzip.compress(body[:20]) + gzip.compress(body[20:]), coding)
    assert answer.json()["counts"] == {"accepted": 1}


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip", "gzip, br", "*", "ünicode"])
def test_another_packing_is_refused_with_what_is_taken(app, coding):
    answer = packed(app, b"x", coding.encode())
    assert (answer.status_code, kind_of(answer)) == (415, "unsupported_media_type")
    assert answer.headers["accept-encoding"] == "gzip"
    assert "gzip" in answer.json()["detail"]


@pytest.mark.parametrize(
    "spoil", [lambda good: good[:-1], lambda good: good[:12], lambda good: b"{}", lambda good: good + b"x"]
)
def test_a_damaged_body_is_refused_as_such(app, spoil):
    answer = packed(app, spoil(gzip.compress(b'{"events": []}')))
    assert (answer.status_code, kind_of(answer)) == (400, "malformed")
    assert "not the gzip" in answer.json()["detail"]


def test_a_body_that_would_unpack_to_more_than_is_allowed_is_not_unpacked(app):
    bomb = gzip.compress(b" " * 200_000_000, compresslevel=1)
    for body in (bomb, gzip.compress(b" " * BODY_LIMIT) + gzip.compress(b" ")):
        answer = packed(app, body)
        assert (answer.status_code, kind_of(answer)) == (413, "too_large")
    assert packed(app, gzip.compress(b" " * BODY_LIMIT)).status_code == 400


def test_an_empty_body_need_not_be_packed(app):
    answer = packed(app, b"")
    assert answer.status_code == 422


@pytest.mark.parametrize(("method", "path", "allowed"), [("PATCH", "/v1/events", "POST"), ("HEAD", "/v1/status", "GET"),
                                                         ("POST", "/v1/customers/x/consent", "DELETE, GET, PUT")])  # fmt: skip
def test_a_method_that_is_not_answered_is_told_which_are(app, method, path, allowed):
    answer = call(app, method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert call(app, method, path, headers={}).status_code == 401


def test_public_endpoints_are_limited_by_address(kairos):
    app = limited(kairos, public="2/minute")
    statuses = [call(app, "GET", "/v1/unsubscribe", headers={}).status_code for _ in range(3)]
    assert 429 not in statuses[:2]
    assert statuses[2] == 429


def test_the_audit_names_the_key_that_asked(app, kairos, secrets):
    answer = call(app, *DECIDE, json=ask("person-1"), headers=keyed(secrets["sender"])).json()
    (entry,) = [
        each for each in kairos.ledger.trail.entries("person-1") if each.decision_id == answer["decision_id"]
    ]
    assert secrets["sender"].startswith(f"kairos_{entry.actor}_")


def test_the_first_key_is_named_too(app, kairos):
    answer = call(app, *DECIDE, json=ask("person-2")).json()
    actors = {each.actor for each in kairos.ledger.trail.entries("person-2") if each.decision_id}
    assert answer["action"] == "send"
    assert actors == {"first"}


class Away:
    def all(self):
        raise LedgerBusy("locked")


def test_while_the_ledger_is_away_keys_wait_and_the_first_key_still_looks(kairos, secrets):
    from pydantic import SecretStr

    app = create_app(dataclasses.replace(kairos, access=Access(Away(), first=SecretStr(API_KEY))))
    answer = call(app, "GET", "/v1/status", headers=keyed(secrets["admin"]))
    assert (answer.status_code, kind_of(answer), answer.headers["retry-after"]) == (503, "ledger_away", "1")
    assert call(app, "GET", "/v1/status").status_code == 200


def test_the_log_names_the_key_and_the_template_of_a_refused_request(app, secrets):
    with capture_logs() as said:
        call(app, "GET", "/v1/customers/very-private/export", headers=keyed(secrets["analyst"]))
    (line,) = said
    assert line["route"] == "/v1/customers/{customer_id}/export"
    assert line["key"] == secrets["analyst"].split("_")[1]
    assert "very-private" not in str(said)
    assert secrets["analyst"].split("_", 2)[2] not in str(said)
