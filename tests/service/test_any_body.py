"""Whatever is sent, the answer is a decision, a verdict or a problem that names the field: never a fault of ours."""

from __future__ import annotations

import gzip
import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.worlds.service import API_KEY, NOW, ask, call

FORMS = (
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/json",
    "nonsense",
)
HEADERS = {"X-API-Key": API_KEY, "Content-Type": "application/json"}
ANY_BODY = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

texts = st.text(max_size=12) | st.sampled_from(
    ["\ud800", "\x00", "x" * 300, "email", "person-1", "2026-03-02T09:00:00Z"]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([2**63, 10**400]) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)


def nearly(good: dict) -> st.SearchStrategy:
    """``good`` with some fields replaced, dropped or added."""
    names = st.sampled_from(sorted(good)) | texts
    changes = st.dictionaries(names, values, max_size=2)
    dropped = st.sets(st.sampled_from(sorted(good)), max_size=1)
    return st.builds(
        lambda new, gone: {k: v for k, v in {**good, **new}.items() if k not in gone}, changes, dropped
    )


asks = nearly(
    {
        "request_id": "r",
        "customer_id": "person-1",
        "purpose": "marketing",
        "campaign_id": None,
        "offers": ["tea"],
        "channels": ["email"],
        "horizon_hours": 24,
    }
)
events = nearly(
    {
        "event_id": "e",
        "customer_id": "person-1",
        "type": "sent",
        "occurred_at": NOW.isoformat(),
        "channel": "email",
        "value": 1.0,
        "properties": {"a": 1},
    }
)


def answered(app, path, body, *, method="POST"):
    answer = call(app, method, path, content=json.dumps(body).encode(), headers=HEADERS)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
    return answer


@ANY_BODY
@given(body=asks | st.fixed_dictionaries({"asks": st.lists(asks | values, max_size=3)}) | values)
def test_any_question_is_answered_or_refused(app, body):
    answered(app, "/v1/decisions", body)


@ANY_BODY
@given(body=st.fixed_dictionaries({"events": st.lists(events | values, max_size=3)}) | values)
def test_any_event_is_taken_or_refused(app, body):
    answered(app, "/v1/events", body)


entries = nearly(
    {
        "channel": "email",
        "purpose": "service",
        "status": "granted",
        "at": NOW.isoformat(),
        "source": "form",
        "evidence": "x",
    }
)
wishes = nearly(
    {
        "channels_off": ["sms"],
        "quiet_from": 20,
        "quiet_until": 9,
        "max_per_week": 2,
        "pause_until": NOW.isoformat(),
    }
)


@settings(ANY_BODY, max_examples=60)
@given(body=st.fixed_dictionaries({"entries": st.lists(entries | values, max_size=3)}) | values)
def test_any_consent_has_a_verdict_or_a_problem(app, body):
    answered(app, "/v1/customers/person-1/consent", body, method="PUT")
    assert call(app, "GET", "/v1/customers/person-1/consent").status_code == 200


@settings(ANY_BODY, max_examples=60)
@given(body=wishes | values)
def test_any_wish_is_kept_or_refused_and_can_be_read_and_decided_on(app, body):
    answered(app, "/v1/customers/person-2/preferences", body, method="PUT")
    assert call(app, "GET", "/v1/customers/person-2/preferences").status_code == 200
    answered(app, "/v1/decisions", ask("person-2"))


@settings(ANY_BODY, max_examples=40)
@given(body=st.fixed_dictionaries({"decision_ids": st.lists(values, max_size=3)}) | values)
def test_any_acknowledgement_has_a_verdict_or_a_problem(app, body):
    answered(app, "/v1/outbox/ack", body)


@settings(ANY_BODY, max_examples=60)
@given(
    token=st.text(),
    body=st.binary(max_size=40) | st.just(b"List-Unsubscribe=One-Click"),
    kind=st.sampled_from(FORMS),
)
def test_any_click_is_answered(app, token, body, kind):
    for method in ("GET", "HEAD", "POST"):
        headers = {"Content-Type": kind} if method == "POST" else {}
        content = body if method == "POST" else b""
        answer = call(app, method, "/v1/unsubscribe", params={"token": token}, content=content, headers=headers)
        assert 400 <= answer.status_code < 500, answer.text


PATHS = ("/v1/decisions", "/v1/events", "/v1/decisions/confirm", "/v1/outbox/ack", "/v1/customers/x/consent")
bodies = st.binary(max_size=60) | st.sampled_from([b"{}", b'{"events": []}', b"[" * 5000, b"\xff\xfe{\x00}\x00"])
codings = st.sampled_from(["gzip", "x-gzip", "br", "identity", "gzip, gzip", "GZIP", "", ",", "\tgzip", "deflate"])


@settings(ANY_BODY, max_examples=100)
@given(
    path=st.sampled_from(PATHS),
    body=bodies | bodies.map(gzip.compress) | bodies.map(lambda body: gzip.compress(body)[:-4]),
    coding=codings,
    kind=st.sampled_from((*FORMS, "application/ld+json", "application/json; charset=utf-16", "text/plain", "")),
)
def test_any_bytes_of_any_kind_and_packing_are_answered_or_refused(app, path, body, coding, kind):
    headers = {"X-API-Key": API_KEY, "Content-Encoding": coding, "Content-Type": kind}
    answer = call(app, "PUT" if "customers" in path else "POST", path, content=body, headers=headers)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


@settings(ANY_BODY, max_examples=40)
@given(body=st.fixed_dictionaries({"decision_ids": st.lists(values, max_size=3)}) | values)
def test_any_confirm_has_a_verdict_or_a_problem(app, body):
    answered(app, "/v1/decisions/confirm", body)
