"""One-click unsubscribe as mail clients, scanners, people and forgers use it (RFC 8058)."""

from __future__ import annotations

from datetime import timedelta

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


@pytest.mark.parametrize("body", [{}, {"List-Unsubscribe": "Perhaps"}, {"other": "One-Click"}])
def test_a_post_that_is_no_one_click_withdraws_nothing(http, person, body):
    token = decide(http, person)["unsubscribe_token"]
    answer = click(http, token, data=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "List-Unsubscribe")
    assert consent(http, person)["email", "service"][0] == "granted"


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
