"""Whatever is done with keys, rightly or wrongly, no part of one is written, raised, answered or logged."""

from __future__ import annotations

import sqlite3
import tempfile
from datetime import timedelta
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from structlog.testing import capture_logs

from decisions.ledger import ROLES, LedgerError
from runtime.access import Access
from runtime.settings import Settings
from serving.app import create_app
from tests.worlds.ledger import DAY, NOW, fresh
from tests.worlds.service import UNBOUND, call

PART = 8
"""So many characters of a secret in a row are no accident."""

doings = st.lists(
    st.tuples(
        st.sampled_from(["add", "rotate", "revoke", "present", "present in the path"]),
        st.integers(0, 5),
        st.sampled_from(["id", "whole key", "secret alone", "key with a typo"]),
    ),
    max_size=12,
)


def spelled(new, how):
    """What somebody types who has the key before them."""
    return {
        "id": new.key.key_id,
        "whole key": new.secret,
        "secret alone": new.secret.split("_", 2)[2],
        "key with a typo": new.secret[:-1] + "?",
    }[how]


def said_of(app, ledger, made, doing, number, how):
    """Do it; return what it said to anybody but the one who made a key."""
    role = ROLES[number % len(ROLES)]
    if doing == "add" or not made:
        made.append(ledger.keys.add(role, label="x", now=NOW))
        return repr(made[-1])
    text = spelled(made[number % len(made)], how)
    if doing == "present":
        answers = [call(app, "GET", "/v1/nowhere", headers=each) for each in ({"X-API-Key": text}, bearer(text))]
        return "".join(f"{each.text}{each.headers}" for each in answers)
    if doing == "present in the path":
        call(app, "GET", f"/v1/customers/{text}/timeline", headers={})
        return ""
    try:
        if doing == "rotate":
            made.append(ledger.keys.rotate(text, NOW, overlap=timedelta(hours=number)))
        else:
            ledger.keys.revoke(text, NOW)
    except LedgerError as error:
        return repr(error)
    return ""


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


@settings(max_examples=40)
@given(doings)
def test_no_part_of_a_key_is_kept_or_said(doings):
    with tempfile.TemporaryDirectory() as folder:
        with fresh(folder) as ledger, capture_logs() as logs:
            access = Access(ledger.keys, first=SecretStr("first"))
            kairos = SimpleNamespace(access=access, settings=Settings(home=folder, rate_limits=UNBOUND))
            app, made = create_app(kairos), []
            said = "".join(said_of(app, ledger, made, *each) for each in doings)
            said += str(ledger.trail.entries()) + str(ledger.keys.all()) + str(logs)
        with sqlite3.connect(f"{folder}/ledger.db") as connection:
            said += "\n".join(connection.iterdump())
        connection.close()
    for new in made:
        secret = new.secret.split("_", 2)[2]
        assert not [part for part in pieces(secret) if part in said]


def pieces(secret):
    return [secret[at : at + PART] for at in range(len(secret) - PART + 1)]


def test_the_search_would_find_a_part():
    with tempfile.TemporaryDirectory() as folder, fresh(folder) as ledger:
        new = ledger.keys.add("sender", label="x", now=NOW, expires=NOW + DAY)
        ledger.trail.note("leaked", NOW, detail=new.secret[20:30])
        assert [part for part in pieces(new.secret.split("_", 2)[2]) if part in str(ledger.trail.entries())]
