"""What the ledger refuses becomes the caller's problem document, and what it cannot do just now ours."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from decisions.ledger import ImpossibleRow, LedgerBusy, LedgerUnavailable
from serving.problems import install


def asked(error):
    app = FastAPI()
    install(app)

    @app.get("/")
    def ask():
        raise error

    return TestClient(app).get("/")


def test_text_that_no_store_can_keep_is_the_callers_mistake():
    answer = asked(ImpossibleRow("a value of theirs"))
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:kairos:problem:invalid")
    assert "theirs" not in answer.text


@pytest.mark.parametrize("error", [LedgerBusy("locked"), LedgerUnavailable("gone")])
def test_a_ledger_that_is_away_is_to_be_asked_again(error):
    answer = asked(error)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
