"""What is around the contract: health, documentation, metrics, and that nothing of a person leaks into them."""

from __future__ import annotations

import pytest

from serving.answers import StatusOut
from tests.worlds.service import NOW, ask


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_health_needs_no_key(http, path):
    assert http.get(path, headers={"X-API-Key": ""}).status_code == 200


def test_the_openapi_document_describes_every_endpoint(http):
    document = http.get("/openapi.json").json()
    assert set(document["paths"]) == {
        "/v1/decisions",
        "/v1/decisions/{decision_id}",
        "/v1/decisions/confirm",
        "/v1/decisions/release",
        "/v1/decisions/{decision_id}/confirm",
        "/v1/decisions/{decision_id}/release",
        "/v1/outbox",
        "/v1/outbox/ack",
        "/v1/events",
        "/v1/customers/{customer_id}",
        "/v1/customers/{customer_id}/export",
        "/v1/customers/{customer_id}/timeline",
        "/v1/customers/{customer_id}/consent",
        "/v1/customers/{customer_id}/preferences",
        "/v1/unsubscribe",
        "/v1/status",
    }
    assert set(document["components"]["securitySchemes"]) == {"HTTPBearer", "APIKeyHeader"}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert "description" in operation
            assert {"200", "202"} & set(operation["responses"])
            assert "422" in operation["responses"]
            assert ("401" in operation["responses"]) == (path != "/v1/unsubscribe")


def test_the_documentation_page_needs_nothing_from_the_network(http):
    page = http.get("/docs")
    assert page.status_code == 200
    assert "http" not in page.text.replace("http-equiv", "")
    assert http.get("/docs/assets/swagger-ui-bundle.js").status_code == 200
    assert http.get("/docs/assets/swagger-ui.css").status_code == 200


def test_the_root_leads_to_the_documentation(http):
    assert http.get("/", follow_redirects=True).url.path == "/docs"


def test_the_status_names_versions(http):
    body = http.get("/v1/status").json()
    assert set(body["model_versions"].values()) == {"prior"}
    StatusOut.model_validate(body)


def test_metrics_count_decisions_by_action_and_reason(http):
    def counted(line):
        text = http.get("/metrics").text
        return sum(float(each.rsplit(" ", 1)[1]) for each in text.splitlines() if each.startswith(line))

    hold = 'kairos_decisions_total{action="hold",purpose="service"}'
    unknown = 'kairos_hold_reasons_total{reason="customer_unknown"}'
    before = counted(hold), counted(unknown)
    http.post("/v1/decisions", json=ask("a-stranger-to-metrics"))
    assert (counted(hold), counted(unknown)) == (before[0] + 1, before[1] + 1)
    assert counted("kairos_decide_seconds_count") > 0


def test_neither_metrics_nor_logs_hold_a_customer_or_a_key(http, served):
    who = "very-private-person"
    decision = http.post("/v1/decisions", json=ask(who)).json()
    token = _visit_everything(http, who, decision["decision_id"])
    said = http.get("/metrics").text + (served.home / "output.log").read_text()
    assert "/v1/customers/{customer_id}/timeline" in said
    assert "/v1/customers/{customer_id}/consent" in said
    assert "/v1/unsubscribe" in said
    for secret in (
        who,
        decision["decision_id"],
        token,
        token[:20],
        "192.0.2.77",
        served.api_key.get_secret_value(),
        served.salt.get_secret_value(),
    ):
        assert secret not in said


def _visit_everything(http, who, decision_id) -> str:
    """Call every endpoint about a person, well and badly; return the token that stood in an address."""
    entry = {
        "channel": "email",
        "purpose": "service",
        "status": "granted",
        "at": NOW.isoformat(),
        "source": "form",
        "evidence": "192.0.2.77",
    }
    http.get(f"/v1/customers/{who}/timeline")
    http.post(f"/v1/decisions/{decision_id}/confirm")
    http.put(f"/v1/customers/{who}/consent", json={"entries": [entry, {**entry, "status": "192.0.2.77"}]})
    http.get(f"/v1/customers/{who}/consent")
    http.put(f"/v1/customers/{who}/preferences", json={"channels_off": ["sms"], "quiet_from": who})
    http.get(f"/v1/customers/{who}/preferences")
    http.get("/v1/outbox", params={"limit": 1, "lease_seconds": 1})
    http.post("/v1/outbox/ack", json={"decision_ids": [decision_id]})
    token = f"token-of-{who}.signature"
    for method in ("GET", "POST", "DELETE"):
        http.request(method, "/v1/unsubscribe", params={"token": token}, data={"List-Unsubscribe": "One-Click"})
    return token


def test_a_stranger_is_refused_before_anything_is_read(http):
    for headers in ({"X-API-Key": "wrong"}, {"X-API-Key": ""}, {"Authorization": "Basic abc", "X-API-Key": ""}):
        answer = http.post("/v1/decisions", content=b"{", headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")


def test_the_key_is_also_taken_as_a_bearer_token(http, served):
    bearer = {"Authorization": f"Bearer {served.api_key.get_secret_value()}", "X-API-Key": ""}
    assert http.get("/v1/status", headers=bearer).status_code == 200
