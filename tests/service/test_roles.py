"""One table says who may do what, and every endpoint stands in it."""

from __future__ import annotations

import pytest
from fastapi import Depends
from starlette.middleware import Middleware

from decisions.ledger import ROLES
from serving.access import permitted
from serving.app import create_app
from serving.roles import RULES, Rule, rule_at
from tests.worlds.service import NOW, call


@pytest.fixture
def key(kairos):
    """Makes a key of a role."""
    return lambda role: kairos.ledger.keys.add(role, label="x", now=NOW).secret


@pytest.fixture(autouse=True)
def _read_again(kairos):
    """Let every test see the keys it makes at once."""
    kairos.access._read_at = None


def endpoints(app):
    document = app.openapi()
    return {
        (method.upper(), path): said for path, every in document["paths"].items() for method, said in every.items()
    }


def test_every_endpoint_stands_in_the_table_and_nothing_else(app):
    assert set(endpoints(app)) == set(RULES)


def test_the_openapi_document_names_the_roles_of_each_endpoint(app):
    for place, said in endpoints(app).items():
        assert said["x-roles"] == RULES[place].names()
        assert RULES[place].public or ", ".join(RULES[place].names()) in said["description"]
        assert RULES[place].public or {"401", "403", "429"} <= set(said["responses"])


def test_an_admin_may_all():
    assert all(rule.admits("admin") for rule in RULES.values())


def test_without_a_key_only_public_endpoints_answer():
    assert {place for place, rule in RULES.items() if rule.admits(None)} == {
        ("GET", "/v1/unsubscribe"),
        ("POST", "/v1/unsubscribe"),
    }


def test_an_analyst_changes_nothing():
    assert {method for (method, _), rule in RULES.items() if rule.admits("analyst") and not rule.public} == {"GET"}


def test_erasure_and_export_are_for_admins_alone():
    for place in (("DELETE", "/v1/customers/{customer_id}"), ("GET", "/v1/customers/{customer_id}/export")):
        assert RULES[place].names() == ["admin"]


@pytest.mark.parametrize(
    ("method", "path", "shown"),
    [
        ("GET", "/v1/customers/shop/7/timeline", "/v1/customers/{customer_id}/timeline"),
        ("GET", "/v1/customers/a/export/timeline", "/v1/customers/{customer_id}/timeline"),
        ("GET", "/v1/customers/a/timeline/export", "/v1/customers/{customer_id}/export"),
        ("POST", "/v1/decisions/confirm", "/v1/decisions/confirm"),
        ("POST", "/v1/decisions/confirm/confirm", "/v1/decisions/{decision_id}/confirm"),
        ("GET", "/v1/decisions/confirm", "/v1/decisions/{decision_id}"),
        ("GET", "/v1/decisions/a/b", None),
        ("PATCH", "/v1/decisions", None),
    ],
)
def test_a_path_falls_under_the_template_the_router_would_take(method, path, shown):
    assert rule_at(method, path)[1] == shown


def test_what_is_in_no_table_is_an_admins(kairos, key):
    app = create_app(kairos)
    app.add_api_route("/v1/forgotten", lambda: "ok", dependencies=[Depends(permitted)])
    secrets = {role: key(role) for role in ROLES}
    statuses = {
        role: call(app, "GET", "/v1/forgotten", headers={"X-API-Key": secret}).status_code
        for role, secret in secrets.items()
    }
    assert statuses == {"sender": 403, "ingest": 403, "analyst": 403, "admin": 200}


class Renamed:
    """A part between gate and router that reads another path than the gate did."""

    def __init__(self, app, path):
        self.app, self.path = app, path

    async def __call__(self, scope, receive, send):
        await self.app({**scope, "path": self.path}, receive, send)


@pytest.mark.parametrize("path", ["/v1/status", "/v1/decisions/x"])
@pytest.mark.parametrize("asked", ["/elsewhere", "/docs"])
def test_an_endpoint_judges_for_itself_where_the_gate_was_passed_by(kairos, asked, path):
    app = create_app(kairos)
    app.user_middleware.append(Middleware(Renamed, path=path))
    assert call(app, "GET", asked, headers={}).status_code == 403


def test_a_role_admits_itself_and_no_other():
    rule = Rule(roles=frozenset({"ingest"}))
    assert [role for role in ROLES if rule.admits(role)] == ["ingest", "admin"]
    assert not rule.admits(None)
