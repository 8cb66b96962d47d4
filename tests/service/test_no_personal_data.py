"""A conversation about marked people leaves their marks in no log, no metric and no refusal."""

from __future__ import annotations

import pytest

from tests.worlds.service import NOW, ask

WHO, ATTRIBUTE = "canary-person-5b21", "canary-attribute-yellow"


def _event(**fields):
    return {
        "event_id": f"{WHO}-event",
        "customer_id": WHO,
        "type": "session",
        "occurred_at": NOW.isoformat(),
        "properties": {"note": ATTRIBUTE},
        **fields,
    }


@pytest.fixture(scope="module")
def said(http, served):
    """Everything the service said of itself, and every refusal, in one text."""
    refusals = [
        http.post("/v1/decisions", json=ask(WHO, offers=["cocoa"])),
        http.post("/v1/decisions", json=ask(f"{WHO}\n")),
        http.post("/v1/decisions", json={**ask(WHO), "colour": ATTRIBUTE, "channels": [ATTRIBUTE.upper()]}),
        http.post("/v1/events", json={"events": [_event(type="teleported", currency=ATTRIBUTE)]}),
        http.post("/v1/events", json={"events": [_event(occurred_at="not a moment")]}),
        http.get(f"/v1/customers/{WHO}/nothing-here"),
        http.put(f"/v1/customers/{WHO}/timeline", json={}),
        http.get(f"/v2/{WHO}"),
    ]
    http.post("/v1/decisions", json=ask(WHO))
    http.post("/v1/events", json={"events": [_event()]})
    for path in ("timeline", "export"):
        http.get(f"/v1/customers/{WHO}/{path}")
    http.delete(f"/v1/customers/{WHO}")
    refusals += [http.post("/v1/decisions", json=ask(WHO)), http.get(f"/v1/customers/{WHO}/export")]
    assert all(each.status_code >= 400 or "refused" in each.text for each in refusals)
    documents = [_without_echoes(each.json()) for each in refusals]
    logs = [each.read_text(errors="replace") for each in served.home.rglob("*.log")]
    return {"refusals": str(documents), "metrics": http.get("/metrics").text, "logs": "\n".join(logs)}


def _without_echoes(document):
    """Leave out what a verdict repeats on purpose, so that the caller can tell which event it is about."""
    for verdict in document.get("verdicts", ()):
        verdict.pop("event_id")
    return document


@pytest.mark.parametrize("where", ["refusals", "metrics", "logs"])
def test_nothing_said_holds_a_person_or_what_is_known_of_them(said, where):
    assert said[where]
    assert WHO not in said[where]
    assert "yellow" not in said[where].lower()
