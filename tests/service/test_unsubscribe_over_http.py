"""One-click unsubscribe as mail clients, scanners, people and forgers use it (RFC 8058)."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from urllib.parse import quote

import pytest

from decisions.tokens import Unsubscribe, unsubscribe_token
from tests.worlds.service import NOW, ask, call

URL = "/v1/unsubscribe"
FORM = {"List-Unsubscribe": "One-Click"}
NO_KEY = {"X-API-Key": ""}
BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9"}


def decide(http, person, **fields) -> dict:
    return http.post("/v1/decisions", json=ask(person, **fields)).json()


def click(http, token, **options):
    return http.post(URL, params={"token": token}, **{"headers": NO_KEY, "data": FORM, **options})


def consent(http, person) -> dict:
    body = http.get(f"/v1/customers/{person}/consent").json()
    return {(each["channel"], each["purpose"]): (each["status"], each["source"]) for each in body["current"]}


def token_for(kairos, customer_id, *, expires_at=NOW + timedelta(days=1)) -> str:
    what = Unsubscribe(
        customer_id=customer_id, channel="email", purpose="service", decision_id="d", expires_at=expires_at
    )
    return unsubscribe_token(what, kairos.keys)


def test_one_click_withdraws_the_channel_and_purpose_and_nothing_else(http, person):
    decision = decide(http, person)
    answer = click(http, decision["unsubscribe_token"])
    assert (answer.status_code, answer.history, answer.cookies) == (200, [], {})
    assert answer.json() == {"status": "withdrawn", "channel": "email", "purpose": "service"}
    now = consent(http, person)
    assert now["email", "service"] == ("withdrawn", "one-click")
    assert now["email", "marketing"][0] == "granted"
    assert http.get(f"/v1/decisions/{decision['decision_id']}").json()["state"] == "withdrawn"


def test_a_multipart_body_is_taken_as_well(http, person):
    token = decide(http, person)["unsubscribe_token"]
    part = {"List-Unsubscribe": (None, "One-Click")}
    assert click(http, token, data=None, files=part).status_code == 200
    assert consent(http, person)["email", "service"][0] == "withdrawn"


def test_clicking_twice_is_one_withdrawal(http, person):
    token = decide(http, person)["unsubscribe_token"]
    before = len(http.get(f"/v1/customers/{person}/consent").json()["journal"])
    assert [click(http, token).status_code for _ in range(3)] == [200, 200, 200]
    assert len(http.get(f"/v1/customers/{person}/consent").json()["journal"]) == before + 1


def test_a_scanner_that_follows_the_link_changes_nothing(http, person):
    token = decide(http, person)["unsubscribe_token"]
    page = http.get(URL, params={"token": token}, headers=NO_KEY)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert person not in page.text
    assert '<form method="post">' in page.text
    assert "<script" not in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert consent(http, person)["email", "service"][0] == "granted"


def test_a_person_who_presses_the_button_reads_that_it_is_done(http, person):
    token = decide(http, person)["unsubscribe_token"]
    page = click(http, token, headers={**NO_KEY, **BROWSER})
    assert "You are unsubscribed" in page.text
    assert person not in page.text


SLOPPY = {
    "text": ({"Content-Type": "text/plain"}, b"List-Unsubscribe=One-Click"),
    "no type": ({}, b"List-Unsubscribe=One-Click"),
    "a type that is none": ({"Content-Type": "; charset"}, b"x"),
    "json": ({"Content-Type": "application/json"}, b'{"List-Unsubscribe": "One-Click"}'),
    "broken json": ({"Content-Type": "application/json"}, b"List-Unsubscribe=One-Click"),
    "line end": ({"Content-Type": "application/x-www-form-urlencoded"}, b"List-Unsubscribe=One-Click\r\n"),
    "other case": ({"Content-Type": "application/x-www-form-urlencoded"}, b"list-unsubscribe=ONE-CLICK"),
    "another word": ({"Content-Type": "application/x-www-form-urlencoded"}, b"other=Perhaps"),
    "nothing": ({}, b""),
    "no boundary": ({"Content-Type": "multipart/form-data"}, b"--x\r\nList-Unsubscribe"),
    "packed": ({"Content-Encoding": "gzip"}, gzip.compress(b"List-Unsubscribe=One-Click")),
    "packed as nobody reads": ({"Content-Encoding": "br"}, b"x"),
    "not packed": ({"Content-Encoding": "gzip"}, b"List-Unsubscribe=One-Click"),
    "huge": ({}, b"x" * 200_000),
}


@pytest.mark.parametrize("said", SLOPPY)
@pytest.mark.parametrize("url", [URL, f"{URL}/", f"{URL}//"])
def test_a_post_with_a_good_token_withdraws_whatever_its_body_says(app, kairos, said, url):
    headers, body = SLOPPY[said]
    who = f"{said} {url}"
    answer = call(app, "POST", url, params={"token": token_for(kairos, who)}, content=body, headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (200, "withdrawn")
    (entry,) = kairos.ledger.consents(who)
    assert (entry.status, entry.source) == ("withdrawn", "one-click")


@pytest.mark.parametrize("said", ["text/plain", ""])
def test_sloppy_mailers_are_heard_over_a_real_connection_too(http, person, said):
    token = decide(http, person)["unsubscribe_token"]
    answer = http.post(
        f"{URL}/?token={token}%0D%0A",
        content=b"List-Unsubscribe=One-Click\r\n",
        headers={**NO_KEY, "Content-Type": said},
    )
    assert (answer.status_code, answer.history) == (200, [])
    assert consent(http, person)["email", "service"][0] == "withdrawn"


def _urlencoded(token):
    return b"a=b&token=" + quote(token, safe="").replace(".", "%2E").encode()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", _urlencoded),
        ("application/json", lambda token: json.dumps({"token": token}).encode()),
        ("multipart/form-data; boundary=x", lambda token: b"--x\r\n\r\n" + token.encode() + b"\r\n--x--"),
        ("", lambda token: token.encode()),
    ],
)
@pytest.mark.parametrize("params", [{}, {"token": "cut"}])
def test_a_token_may_come_in_the_body(app, kairos, kind, body, params):
    who = f"{kind} {params}"
    content = body(token_for(kairos, who))
    answer = call(app, "POST", URL, params=params, content=content, headers={"Content-Type": kind})
    assert answer.status_code == 200
    assert [each.status for each in kairos.ledger.consents(who)] == ["withdrawn"]


@pytest.mark.parametrize(
    "query", ["token={}%3E", "amp;token={}", "token={}%20%0D%0A", "x=1&token={}.", "token=&t={}"]
)
def test_a_token_is_found_in_what_mailers_make_of_the_address(app, kairos, query):
    token = token_for(kairos, query)
    assert call(app, "POST", f"{URL}?{query.format(token)}", headers={}).status_code == 200
    assert [each.status for each in kairos.ledger.consents(query)] == ["withdrawn"]


@pytest.mark.parametrize("url", [URL, f"{URL}/"])
def test_looking_withdraws_nothing_and_other_methods_are_told_what_there_is(app, kairos, url):
    params = {"token": token_for(kairos, "looked-at"), "List-Unsubscribe": "One-Click"}
    seen = {
        method: call(app, method, url, params=params, headers={})
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")
    }
    assert [answer.status_code for answer in seen.values()] == [200, 200, 405, 405, 405]
    for method in ("OPTIONS", "PUT", "DELETE"):
        assert seen[method].headers["allow"] == "GET, HEAD, POST"
        assert seen[method].json()["type"] == "urn:kairos:problem:method_not_allowed"
    assert kairos.ledger.consents("looked-at") == []


@pytest.mark.parametrize("token", ["", "a.b", "x" * 5000, "ä.ö", "\x00"])
def test_a_forged_token_is_refused_as_a_problem_and_as_a_page(app, token):
    posted = call(app, "POST", URL, params={"token": token}, data=FORM, headers={})
    assert (posted.status_code, posted.json()["type"]) == (400, "urn:kairos:problem:token_invalid")
    shown = call(app, "GET", URL, params={"token": token}, headers={})
    assert (shown.status_code, shown.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "does not work" in shown.text


def test_an_expired_token_says_when_and_nothing_of_whom(app, kairos):
    token = token_for(kairos, "very-private", expires_at=NOW)
    posted = call(app, "POST", URL, params={"token": token}, data=FORM, headers={})
    assert (posted.status_code, posted.json()["type"]) == (410, "urn:kairos:problem:token_expired")
    page = call(app, "POST", URL, params={"token": token}, data=FORM, headers=BROWSER)
    assert "2026-03-02" in posted.text
    assert "2026-03-02" in page.text
    assert "very-private" not in posted.text + page.text


def test_the_link_of_an_erased_customer_is_answered_and_stores_nothing(app, kairos):
    kairos.ledger.erase("erased-one", NOW)
    answer = call(app, "POST", URL, params={"token": token_for(kairos, "erased-one")}, data=FORM, headers={})
    assert answer.status_code == 200
    assert kairos.ledger.consents("erased-one") == []


def test_the_withdrawal_is_proved_by_the_decision_and_the_moment(app, kairos):
    call(app, "POST", URL, params={"token": token_for(kairos, "proved")}, data=FORM, headers={})
    (entry,) = kairos.ledger.consents("proved")
    assert entry.evidence == '{"decision_id":"d","at":"2026-03-02T09:00:00+00:00"}'


def test_a_grant_that_a_fast_clock_dated_ahead_does_not_undo_the_click(app, kairos):
    ahead = {
        "channel": "email",
        "purpose": "service",
        "status": "granted",
        "at": (NOW + timedelta(hours=1)).isoformat(),
        "source": "form",
    }
    call(app, "PUT", "/v1/customers/hasty/consent", json={"entries": [ahead]})
    call(app, "POST", URL, params={"token": token_for(kairos, "hasty")}, data=FORM, headers={})
    later = kairos.ledger.wishes.consents("hasty", NOW + timedelta(days=1))
    assert [each.status for each in later.current] == ["withdrawn"]


def test_who_consents_again_and_clicks_an_old_link_again_is_unsubscribed_again(app, kairos):
    token = token_for(kairos, "wavering")
    again = {
        "channel": "email",
        "purpose": "service",
        "status": "granted",
        "at": (NOW + timedelta(minutes=1)).isoformat(),
        "source": "form",
    }
    for _ in range(2):
        call(app, "POST", URL, params={"token": token}, data=FORM, headers={})
        current = kairos.ledger.wishes.consents("wavering", NOW + timedelta(hours=1)).current
        assert [each.status for each in current] == ["withdrawn"]
        call(app, "PUT", "/v1/customers/wavering/consent", json={"entries": [again]})


def test_only_the_unsubscribe_link_needs_no_key(app):
    for path in ("/v1/unsubscribe/other", "/v1/outbox", "/v1/customers/x/consent", "/v1/customers/x/preferences"):
        assert call(app, "GET", path, headers={}).status_code == 401
    assert call(app, "POST", "/v1/outbox/ack", data=FORM, headers={}).status_code == 401
