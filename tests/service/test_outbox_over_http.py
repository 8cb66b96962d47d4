"""The outbox over HTTP: due messages are lent, confirmed where asked, and come again until acknowledged."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from features.contracts import Preference
from runtime.build import build
from serving.answers import AcknowledgedManyOut, OutboxOut
from serving.app import create_app
from tests.worlds.service import NOW, ask, call, settings_in, settle

PEOPLE = [f"p{number}" for number in range(6)]


@pytest.fixture
def world(tmp_path):
    """An application with an outbox of its own."""
    settings = settings_in(tmp_path, public_url="https://news.example/")
    settle(settings, PEOPLE)
    with build(settings) as kairos:
        yield create_app(kairos), kairos


def decide(app, customer_id, **fields) -> dict:
    decision = call(app, "POST", "/v1/decisions", json=ask(customer_id, **fields)).json()
    assert decision["action"] == "send", decision["reasons"]
    return decision


def lend(app, **query) -> dict:
    answer = call(app, "GET", "/v1/outbox", params=query)
    assert answer.status_code == 200, answer.text
    OutboxOut.model_validate(answer.json())
    return answer.json()


def ids(lent) -> list[str]:
    return [each["decision"]["decision_id"] for each in lent["leased"]]


def test_what_is_due_is_lent_with_all_that_a_sender_needs(world):
    app, _ = world
    decision = decide(app, "p0")
    (leased,) = lend(app, lease_seconds=60)["leased"]
    assert leased["decision"] == decision
    assert leased["leased_until"] == (NOW + timedelta(seconds=60)).isoformat().replace("+00:00", "Z")
    assert leased["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = urlsplit(leased["headers"]["List-Unsubscribe"].strip("<>"))
    assert (link.netloc, parse_qs(link.query)["token"]) == ("news.example", [decision["unsubscribe_token"]])
    assert lend(app)["leased"] == []


def test_an_invoice_carries_no_unsubscribe_header(world):
    app, _ = world
    decide(app, "p0", purpose="transactional")
    assert [each["headers"] for each in lend(app)["leased"]] == [{}]


def test_confirming_while_lending_is_the_permission_and_given_once(world):
    app, _ = world
    decision = decide(app, "p0")
    lent = lend(app, confirm=True)
    assert [each["decision"]["state"] for each in lent["leased"]] == ["confirmed"]
    answer = call(app, "POST", f"/v1/decisions/{decision['decision_id']}/confirm")
    assert answer.json()["type"].endswith("already_confirmed")


def test_what_is_refused_permission_is_not_lent_and_its_verdict_says_why(world):
    app, kairos = world
    going, stopped = decide(app, "p0"), decide(app, "p1")
    kairos.ledger.put_preference(Preference(customer_id="p1", channels_off=("email",)))
    lent = lend(app, confirm=True)
    assert ids(lent) == [going["decision_id"]]
    assert [(each["decision_id"], each["code"]) for each in lent["refused"]] == [
        (stopped["decision_id"], "channel_off")
    ]


def test_an_acknowledgement_has_a_verdict_each(world):
    app, _ = world
    first, second = decide(app, "p0"), decide(app, "p1")
    lend(app)
    given = [first["decision_id"], "no-such-decision", 7, first["decision_id"]]
    answer = call(app, "POST", "/v1/outbox/ack", json={"decision_ids": given})
    verdicts = [each["status"] for each in answer.json()["verdicts"]]
    assert verdicts == ["acknowledged", "unknown_decision", "invalid", "acknowledged"]
    AcknowledgedManyOut.model_validate(answer.json())
    again = call(app, "POST", "/v1/outbox/ack", json={"decision_ids": given[:1]}).json()
    assert again["verdicts"] == [{"decision_id": first["decision_id"], "status": "not_waiting"}]
    assert second["state"] == "reserved"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "query.limit"),
        ({"limit": 1001}, "query.limit"),
        ({"lease_seconds": 0}, "query.lease_seconds"),
        ({"lease_seconds": 10**9}, "query.lease_seconds"),
        ({"confirm": "perhaps"}, "query.confirm"),
    ],
)
def test_an_impossible_query_is_refused_by_its_name(world, query, field):
    answer = call(world[0], "GET", "/v1/outbox", params=query)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


def test_the_real_service_lends_confirms_and_takes_the_acknowledgement(http, person):
    decision = http.post("/v1/decisions", json=ask(person)).json()
    lent = http.get("/v1/outbox", params={"limit": 1000, "confirm": True}).json()
    mine = [each for each in lent["leased"] if each["decision"]["decision_id"] == decision["decision_id"]]
    assert [each["decision"]["state"] for each in mine] == ["confirmed"]
    ack = http.post("/v1/outbox/ack", json={"decision_ids": [decision["decision_id"]]}).json()
    assert ack["verdicts"] == [{"decision_id": decision["decision_id"], "status": "acknowledged"}]
