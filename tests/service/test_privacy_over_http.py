"""A person's rights over HTTP: everything that is known, and to be forgotten; in this process."""

from __future__ import annotations

import json

import pytest

from features.contracts import Consent, Event
from runtime.build import build
from serving.app import create_app
from tests.worlds.service import API_KEY, NOW, ask, call, settings_in, settle

ADDRESSES = ["ada", "a/slash and a space"]


@pytest.fixture
def kairos(tmp_path):
    settings = settings_in(tmp_path)
    settle(settings, [*ADDRESSES, "bob"])
    with build(settings) as built:
        yield built


@pytest.fixture
def app(kairos):
    return create_app(kairos)


@pytest.mark.parametrize("who", ADDRESSES)
def test_the_export_holds_what_the_person_ever_got(app, kairos, who):
    decided = call(app, "POST", "/v1/decisions", json=ask(who)).json()
    kairos.ledger.take_events([Event(event_id="e", customer_id=who, type="session", occurred_at=NOW)], NOW)
    answer = call(app, "GET", f"/v1/customers/{who}/export")
    assert answer.status_code == 200
    export = answer.json()
    assert export["customer_id"] == who
    assert [each["decision_id"] for each in export["decisions"]] == [decided["decision_id"]]
    assert [each["body"]["type"] for each in export["inbox"]] == ["session"]
    assert export["counts"]["ledger.consent"] == len(export["consents"]) == 3


def test_the_export_gives_the_evidence_of_consent_back_in_clear(app, kairos):
    given = Consent(
        customer_id="ada", channel="sms", purpose="marketing", status="granted", at=NOW, source="form",
        evidence="a signed card",
    )  # fmt: skip
    kairos.ledger.append_consents([given], NOW)
    consents = call(app, "GET", "/v1/customers/ada/export").json()["consents"]
    assert [each["evidence"] for each in consents if each["channel"] == "sms"] == ["a signed card"]


@pytest.mark.parametrize("who", ADDRESSES)
def test_an_erasure_is_at_once_as_far_as_decisions_go(app, kairos, who):
    decided = call(app, "POST", "/v1/decisions", json=ask(who)).json()
    answer = call(app, "DELETE", f"/v1/customers/{who}")
    assert answer.status_code == 202
    assert answer.json()["rows"]["decision"] == 1
    assert answer.json()["pending"] == ["lake", "quarantine", "features"]
    assert [each.customer_id for each in kairos.ledger.privacy.pending()] == [who]
    assert call(app, "POST", f"/v1/decisions/{decided['decision_id']}/confirm").status_code == 404
    assert call(app, "GET", f"/v1/customers/{who}/timeline").json()["moments"] == []
    assert call(app, "GET", "/v1/customers/bob/export").json()["counts"]["ledger.customer"] == 1


def test_erasing_again_changes_nothing(app):
    call(app, "DELETE", "/v1/customers/ada")
    again = call(app, "DELETE", "/v1/customers/ada")
    assert again.status_code == 202
    assert set(again.json()["rows"].values()) == {0}


def test_an_ask_about_an_erased_customer_is_refused_and_nothing_is_recorded(app, kairos):
    call(app, "DELETE", "/v1/customers/ada")
    answer = call(app, "POST", "/v1/decisions", json=ask("ada"))
    assert answer.status_code == 410
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:kairos:problem:customer_erased"
    assert "ada" not in json.dumps(answer.json())
    assert kairos.ledger.decisions_table().num_rows == 0


def test_among_many_asks_only_the_erased_one_is_refused(app):
    call(app, "DELETE", "/v1/customers/ada")
    results = call(app, "POST", "/v1/decisions", json={"asks": [ask("ada"), ask("bob")]}).json()["results"]
    assert [each["status"] for each in results] == [410, 200]
    assert results[0]["problem"]["type"] == "urn:kairos:problem:customer_erased"


def test_there_is_no_export_of_an_erased_customer(app):
    call(app, "DELETE", "/v1/customers/ada")
    assert call(app, "GET", "/v1/customers/ada/export").status_code == 410


def test_both_are_behind_the_key(app):
    for method, path in (("GET", "/v1/customers/ada/export"), ("DELETE", "/v1/customers/ada")):
        assert call(app, method, path, headers={}).status_code == 401
        assert call(app, method, path, headers={"X-API-Key": API_KEY}).status_code in {200, 202}
