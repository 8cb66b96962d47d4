"""The delivery layer's road, against a real BentoML process."""

from __future__ import annotations

import pytest

from serving.answers import DecisionOut, DecisionsOut, TimelineOut, VerdictsOut
from tests.worlds.service import ask


def decided(http, person, **fields) -> dict:
    answer = http.post("/v1/decisions", json=ask(person, **fields))
    assert answer.status_code == 200, answer.text
    return answer.json()


def reasons(decision) -> set[str]:
    return {reason["code"] for reason in decision["reasons"]}


def test_a_known_customer_gets_a_reserved_message_with_its_reasons(http, person):
    decision = decided(http, person)
    assert (decision["action"], decision["state"]) == ("send", "reserved")
    assert decision["channel"] == "email"
    assert decision["send_at"] < decision["expires_at"]
    assert decision["expected_value"]["total"] == pytest.approx(
        decision["expected_value"]["tau"] * decision["expected_value"]["multiplier"]
        - sum(decision["expected_value"][part] for part in ("send_cost", "incentive", "ltv_loss", "price"))
    )
    DecisionOut.model_validate(decision)


def test_every_reason_is_told_in_words(http, person):
    assert all(reason["text"] != reason["code"] for reason in decided(http, person)["reasons"])


def test_an_unknown_customer_is_held_on_priors_and_told_why(http):
    decision = decided(http, "nobody-knows-me")
    assert (decision["action"], decision["state"]) == ("hold", "held")
    assert {"customer_unknown", "consent_missing", "prior"} <= reasons(decision)
    assert decision["send_at"] is None
    DecisionOut.model_validate(decision)


def test_without_models_and_features_the_decision_names_its_priors(http, person):
    decision = decided(http, person, purpose="marketing")
    details = {reason["detail"] for reason in decision["reasons"] if reason["code"] == "prior"}
    assert details
    assert all("no_features" in detail or detail == "cold_start" for detail in details)
    assert set(decision["model_versions"].values()) == {"prior"}
    assert decision["incremental"] is False


def test_the_same_request_gives_the_same_decision(http, person):
    body = ask(person)
    first, second = (http.post("/v1/decisions", json=body) for _ in range(2))
    assert first.json() == second.json()


def test_a_repeated_request_shows_the_state_it_is_in_now(http, person):
    body = ask(person)
    decision = http.post("/v1/decisions", json=body).json()
    http.post(f"/v1/decisions/{decision['decision_id']}/release")
    assert http.post("/v1/decisions", json=body).json() == {**decision, "state": "released"}


def test_the_same_request_id_with_another_body_is_a_conflict(http, person):
    body = ask(person)
    http.post("/v1/decisions", json=body)
    answer = http.post("/v1/decisions", json={**body, "channels": ["email"]})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:kairos:problem:request_conflict"
    assert answer.json()["errors"][0]["field"] == "request_id"


def test_a_cap_holds_over_http(http, person):
    actions = [decided(http, person)["action"] for _ in range(3)]
    assert actions == ["send", "send", "hold"]


def test_why_returns_what_was_decided(http, person):
    decision = decided(http, person)
    assert http.get(f"/v1/decisions/{decision['decision_id']}").json() == decision


def test_many_customers_are_answered_in_one_request_each_with_its_own_result(http, person):
    taken = ask(person)
    http.post("/v1/decisions", json=taken)
    asks = [
        ask(person),
        {**taken, "purpose": "marketing"},
        {"request_id": "no-customer"},
        ask("a-stranger"),
        ask(person, offers=["cocoa"]),
    ]
    answer = http.post("/v1/decisions", json={"asks": asks})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [200, 409, 422, 200, 422]
    assert [result["request_id"] for result in results] == [each["request_id"] for each in asks]
    assert results[2]["problem"]["errors"][0]["field"] == "asks[2].customer_id"
    assert results[4]["problem"]["errors"][0]["pointer"] == "#/asks/4/offers"
    DecisionsOut.model_validate(answer.json())


def test_a_confirm_is_permission_given_once(http, person):
    path = f"/v1/decisions/{decided(http, person)['decision_id']}/confirm"
    first, second = http.post(path), http.post(path)
    assert (first.status_code, first.json()["status"]) == (200, "confirmed")
    assert (second.status_code, second.json()["type"]) == (409, "urn:kairos:problem:already_confirmed")


def test_a_released_place_cannot_be_confirmed_and_is_free_again(http, person):
    decision = decided(http, person)
    decided(http, person)
    path = f"/v1/decisions/{decision['decision_id']}"
    assert http.post(f"{path}/release").json()["status"] == "released"
    assert http.post(f"{path}/release").status_code == 200, "releasing twice is one release"
    assert http.post(f"{path}/confirm").status_code == 409
    assert decided(http, person)["action"] == "send", "the cap of two has a place again"


def test_what_was_confirmed_cannot_be_released(http, person):
    path = f"/v1/decisions/{decided(http, person)['decision_id']}"
    http.post(f"{path}/confirm")
    assert http.post(f"{path}/release").status_code == 409


def test_bulk_confirms_have_a_verdict_each(http, person):
    ids = [decided(http, person)["decision_id"] for _ in range(2)]
    answer = http.post("/v1/decisions/confirm", json={"decision_ids": [*ids, "none-such", 7, ids[0]]}).json()
    assert [verdict["code"] for verdict in answer["verdicts"]] == [
        "confirmed",
        "confirmed",
        "unknown_decision",
        "invalid",
        "already_confirmed",
    ]
    VerdictsOut.model_validate(answer)


def test_bulk_releases_have_a_verdict_each(http, person):
    ids = [decided(http, person)["decision_id"], "none-such"]
    answer = http.post("/v1/decisions/release", json={"decision_ids": ids}).json()
    assert [verdict["status"] for verdict in answer["verdicts"]] == ["released", "refused"]


@pytest.mark.parametrize("path", ["", "/confirm", "/release"])
def test_an_unknown_decision_is_not_found(http, path):
    answer = http.request("POST" if path else "GET", f"/v1/decisions/none-such{path}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:kairos:problem:unknown_decision")


def test_the_timeline_tells_what_happened(http, person):
    decision = decided(http, person)
    answer = http.get(f"/v1/customers/{person}/timeline").json()
    assert decision["decision_id"] in {moment["decision_id"] for moment in answer["moments"]}
    assert {"consent", "decision", "message"} <= {moment["kind"] for moment in answer["moments"]}
    TimelineOut.model_validate(answer)


def test_a_customer_id_may_hold_a_slash(http):
    http.post("/v1/decisions", json=ask("shop/7"))
    answer = http.get("/v1/customers/shop%2F7/timeline").json()
    assert answer["customer_id"] == "shop/7"
    assert answer["moments"]
