"""The status says what is left of today's budgets, whoever spent the rest."""

from __future__ import annotations

import pytest

from runtime.build import build
from serving.answers import StatusOut
from serving.app import create_app
from tests.worlds.service import ask, call, settings_in, settle


@pytest.fixture
def limited(tmp_path):
    settings = settings_in(tmp_path)
    settings.policy.write_text(settings.policy.read_text() + "daily_budget: {email: 20}\n")
    settle(settings, ["ada", "bob"])
    with build(settings) as kairos:
        yield kairos


def budgets(kairos) -> dict:
    body = call(create_app(kairos), "GET", "/v1/status").json()
    return StatusOut.model_validate(body).model_dump()["budgets"]


def test_the_status_says_what_is_spent_leased_and_left_of_todays_budget(limited):
    assert budgets(limited)["email"] == {"limit": 20, "spent": 0, "leased": 0, "left": 20}
    call(create_app(limited), "POST", "/v1/decisions", json=ask("ada"))
    assert budgets(limited)["email"] == {"limit": 20, "spent": 1, "leased": 1, "left": 18}


def test_without_a_limit_there_is_no_budget_to_tell_of(kairos):
    assert budgets(kairos) == {}
