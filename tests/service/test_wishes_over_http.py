"""Consent and preferences over HTTP: a verdict each, no evidence back, and in effect at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from serving.answers import ConsentsOut, EntryVerdictsOut, PreferenceOut, PreferredOut
from tests.worlds.service import NOW, ask, call

PROOF = "double opt-in from 192.0.2.7"


def entry(status="withdrawn", **fields) -> dict:
    return {
        "channel": "email",
        "purpose": "service",
        "status": status,
        "at": NOW.isoformat(),
        "source": "centre",
        **fields,
    }


def put(http, customer_id, *entries) -> dict:
    answer = http.put(f"/v1/customers/{customer_id}/consent", json={"entries": list(entries)})
    assert answer.status_code == 200, answer.text
    EntryVerdictsOut.model_validate(answer.json())
    return answer.json()


def read(http, customer_id) -> dict:
    answer = http.get(f"/v1/customers/{customer_id}/consent")
    ConsentsOut.model_validate(answer.json())
    return answer.json()


def statuses(body) -> list[str]:
    return [each["status"] for each in body["verdicts"]]


def test_a_good_entry_beside_a_bad_one_gets_through(http, person):
    body = put(
        http,
        person,
        entry("granted", purpose="marketing", channel="sms", evidence=PROOF),
        entry("maybe"),
        entry("granted", at=(NOW + timedelta(days=2)).isoformat()),
        entry("granted", at="2026-03-02T09:00:00"),
        "not an object",
        entry("granted", purpose="marketing", channel="sms"),
    )
    assert statuses(body) == ["accepted", "refused", "refused", "refused", "refused", "duplicate"]
    fields = [each["problem"]["errors"][0]["field"] for each in body["verdicts"] if "problem" in each]
    assert fields == ["entries[1].status", "entries[2].at", "entries[3].at", "entries[4]"]
    assert body["counts"] == {"accepted": 1, "refused": 4, "duplicate": 1}


def test_evidence_is_taken_and_never_given_back(http, person):
    put(http, person, entry("granted", channel="sms", evidence=PROOF))
    answer = http.get(f"/v1/customers/{person}/consent")
    assert "192.0.2.7" not in answer.text
    assert "evidence" not in answer.text


def test_the_word_that_counts_is_the_latest_of_each_channel_and_purpose(http, person):
    put(http, person, entry(purpose="marketing"), entry("granted", channel="sms"))
    body = read(http, person)
    now = {(each["channel"], each["purpose"]): each["status"] for each in body["current"]}
    assert now["email", "marketing"] == "withdrawn"
    assert now["email", "service"] == now["sms", "service"] == "granted"
    assert len(body["journal"]) == len(body["current"]) + 1


def test_a_withdrawal_stops_what_is_reserved_at_once(http, person):
    decision = http.post("/v1/decisions", json=ask(person)).json()
    put(http, person, entry())
    assert http.get(f"/v1/decisions/{decision['decision_id']}").json()["state"] == "withdrawn"


def test_a_customer_never_heard_of_consents_to_nothing_and_asks_for_nothing(http):
    assert read(http, "nobody-knows") == {"customer_id": "nobody-knows", "current": [], "journal": []}
    body = http.get("/v1/customers/nobody-knows/preferences").json()
    assert PreferenceOut.model_validate(body).channels_off == []


def test_an_id_may_hold_slashes(http):
    who = "a/b/consent"
    put(http, "a%2Fb%2Fconsent", entry())
    assert read(http, "a%2Fb%2Fconsent")["customer_id"] == read(http, who)["customer_id"] == who
    assert http.put(f"/v1/customers/{who}/preferences", json={}).json()["customer_id"] == who


def test_preferences_are_replaced_as_a_whole(http, person):
    url = f"/v1/customers/{person}/preferences"
    first = {"channels_off": ["sms"], "quiet_from": 20, "quiet_until": 9, "max_per_week": 2}
    http.put(url, json=first)
    answer = http.put(url, json={"max_per_week": 3, "pause_until": "2020-01-01T00:00:00Z"})
    PreferredOut.model_validate(answer.json())
    body = http.get(url).json()
    assert (body["channels_off"], body["quiet_from"], body["max_per_week"]) == ([], None, 3)
    assert body["pause_until"] == "2020-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"quiet_from": 20}, "body"),
        ({"quiet_from": 25, "quiet_until": 9}, "quiet_from"),
        ({"channels_off": ["E-Mail"]}, "channels_off[0]"),
        ({"max_per_week": -1}, "max_per_week"),
        ({"max_per_week": 10**400}, "max_per_week"),
        ({"pause_until": "2026-03-02T09:00:00"}, "pause_until"),
        ({"customer_id": "somebody-else"}, "customer_id"),
        ([], "body"),
    ],
)
def test_a_wish_that_cannot_be_read_is_refused_by_its_field(app, wish, field):
    answer = call(app, "PUT", "/v1/customers/person-1/preferences", json=wish)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("wish", "ends"),
    [
        ({"channels_off": ["email"]}, True),
        ({"pause_until": (NOW + timedelta(days=30)).isoformat()}, True),
        ({"pause_until": (NOW - timedelta(days=1)).isoformat()}, False),
        ({"channels_off": ["sms"], "max_per_week": 0}, False),  # a week's limit is for marketing
    ],
)
def test_a_wish_ends_what_it_forbids_at_once(http, person, wish, ends):
    decision = http.post("/v1/decisions", json=ask(person)).json()
    body = http.put(f"/v1/customers/{person}/preferences", json=wish).json()
    assert body["withdrawn"] == ([decision["decision_id"]] if ends else [])
    state = http.get(f"/v1/decisions/{decision['decision_id']}").json()["state"]
    assert state == ("withdrawn" if ends else "reserved")


def test_nothing_is_stored_of_a_customer_who_was_erased(kairos, app):
    kairos.ledger.erase("gone", NOW)
    answer = call(app, "PUT", "/v1/customers/gone/consent", json={"entries": [entry("granted"), entry()]})
    assert statuses(answer.json()) == ["erased", "erased"]
    answer = call(app, "PUT", "/v1/customers/gone/preferences", json={"channels_off": ["email"]})
    assert (answer.status_code, answer.json()["type"]) == (410, "urn:kairos:problem:customer_erased")
    assert kairos.ledger.customer("gone") is None
    assert kairos.ledger.consents("gone") == []


@pytest.mark.parametrize("at", [0, "0", 1772618400, "0001-01-01T00:00:00Z", "1900-01-01T00:00:00Z", None, "soon"])
def test_a_withdrawal_counts_whatever_its_date_and_a_second_arrival_changes_nothing(http, person, at):
    put(http, person, entry("granted", source="later"))
    assert statuses(put(http, person, entry(at=at))) == ["accepted"]
    assert statuses(put(http, person, entry(at=at))) == ["duplicate"]
    (current,) = [each for each in read(http, person)["current"] if each["purpose"] == "service"]
    assert current["status"] == "withdrawn"
    assert current["source"] == f"centre (dated {at}: taken when received)"


def test_a_withdrawal_dated_a_year_ahead_counts_now_and_a_later_grant_after_it(http, person):
    ahead = (NOW + timedelta(days=365)).isoformat()
    assert statuses(put(http, person, entry(at=ahead))) == ["accepted"]
    (current,) = [each for each in read(http, person)["current"] if each["purpose"] == "service"]
    assert current["at"] <= (NOW + timedelta(minutes=5)).isoformat()
    assert current["source"].endswith(": taken when received)")


@pytest.mark.parametrize("at", [0, "0", 1772618400, "1900-01-01T00:00:00Z", None])
def test_a_grant_whose_date_cannot_be_is_refused(http, person, at):
    assert statuses(put(http, person, entry("granted", at=at))) == ["refused"]
