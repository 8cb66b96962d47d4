"""`kairos keys` and `kairos audit`: what an admin types, and what the trail then says."""

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from decisions.ledger import Ledger
from pipelines import cli
from pipelines.cli import app
from pipelines.jobs import serving, training
from pipelines.jobs.access import moment_of, span_of
from runtime.access import Access
from runtime.champions import Champion
from runtime.promoted import Refreshed
from runtime.settings import Settings
from tests.worlds.ledger import NOW, fresh
from tests.worlds.service import settings_in

run = CliRunner()


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    """A folder with neither policy nor catalogue: keys need none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KAIROS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")


def kairos(*words):
    answer = run.invoke(app, words)
    assert answer.exit_code == 0, answer.output
    return answer


def as_json(*words):
    return json.loads(kairos(*words, "--json").stdout.splitlines()[-1])


def caller_of(secret):
    with Ledger.open(Settings().ledger) as ledger:
        return Access(ledger.keys, first=Settings(api_key="first").api_key).authenticate(secret)


def test_a_key_made_at_the_terminal_opens_the_service():
    made = as_json("keys", "add", "sender", "--label", "mail gateway", "--expires", "90d")
    caller = caller_of(made["secret"])
    assert (caller.key_id, caller.role) == (made["key"]["key_id"], "sender")
    until = datetime.fromisoformat(made["key"]["expires_at"])
    assert until - datetime.fromisoformat(made["key"]["created_at"]) == timedelta(days=90)


def test_without_json_standard_output_is_the_key_alone():
    assert re.fullmatch(r"kairos_[0-9a-f]{12}_[\w-]{43}\n", kairos("keys", "add", "ingest", "--label", "x").stdout)


def test_the_list_shows_everything_but_keys():
    secret = as_json("keys", "add", "analyst", "--label", "reports")["secret"]
    answer = kairos("keys", "list", "--json")
    (key,) = json.loads(answer.stdout.splitlines()[-1])["keys"]
    assert (key["role"], key["label"], key["standing"]) == ("analyst", "reports", "valid")
    assert "digest" not in key
    assert secret not in answer.output + answer.stderr


def test_a_key_is_rotated_and_revoked_by_its_id():
    old = as_json("keys", "add", "sender", "--label", "x")
    new = as_json("keys", "rotate", old["key"]["key_id"], "--overlap", "0h")
    assert caller_of(old["secret"]) is None
    assert caller_of(new["secret"])
    assert as_json("keys", "revoke", new["key"]["key_id"])["key"]["standing"] == "revoked"
    assert caller_of(new["secret"]) is None


def test_the_audit_says_which_command_it_was():
    key_id = as_json("keys", "add", "sender", "--label", "x")["key"]["key_id"]
    kairos("keys", "revoke", key_id)
    changes = as_json("audit")["changes"]
    assert [(each["what"], each["actor"]) for each in changes] == [
        ("key_added", "kairos keys"),
        ("key_revoked", "kairos keys"),
    ]
    assert [each["what"] for each in as_json("audit", "--last", "1")["changes"]] == ["key_revoked"]
    assert as_json("audit", "--customer", "ada")["changes"] == []


@pytest.mark.parametrize(
    ("words", "way_out"),
    [
        (["keys", "revoke", "none-such"], "kairos keys list"),
        (["keys", "rotate", "none-such", "--overlap", "soon"], "24h or 7d"),
        (["keys", "add", "sender", "--label", "x", "--expires", "tomorrow"], "90d or 12h"),
        (["keys", "add", "sender", "--label", "x", "--expires", "2020-01-01T00:00Z"], "later moment"),
        (["keys", "add", "sender", "--label", " "], "what the key is for"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line_with_the_way_out(monkeypatch, capsys, words, way_out):
    monkeypatch.setattr(sys, "argv", ["kairos", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err
    assert ended.value.code == cli.ASKED_WRONGLY
    assert way_out in said
    assert len(said.splitlines()) == 1


def test_a_role_nobody_knows_is_refused_with_those_there_are():
    answer = run.invoke(app, ["keys", "add", "root", "--label", "x"])
    assert answer.exit_code == 2
    assert "sender" in answer.output + answer.stderr


def test_an_end_is_a_span_from_now_or_a_moment():
    assert moment_of("12h", now=NOW) == NOW + timedelta(hours=12)
    assert moment_of("2027-01-31T01:00+01:00", now=NOW) == datetime(2027, 1, 31, tzinfo=UTC)
    assert span_of("7d") == timedelta(days=7)


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "7w", "2027-01-31T00:00", "1e3d", "٧d"])
def test_what_is_neither_is_refused(text):
    with pytest.raises(ValueError, match="write"):
        moment_of(text, now=NOW)


def champion(version):
    return Champion(kind="churn", name="kairos-churn", version=version, content="c")


def test_a_switch_of_champions_is_on_the_trail_and_no_switch_is_not(tmp_path, monkeypatch):
    after = {}
    monkeypatch.setattr(training, "refresh", lambda *_: Refreshed(champions=dict(after)))
    with fresh(tmp_path) as ledger:
        world = SimpleNamespace(
            champions=SimpleNamespace(chosen=lambda: {"churn": champion("1")}),
            settings=settings_in(tmp_path),
            ledger=ledger,
            clock=SimpleNamespace(now=lambda: NOW),
        )
        for version in ("1", "2"):
            after["churn"] = champion(version)
            training.fetch_champions(world)
        after.clear()
        training.fetch_champions(world)
        said = [(each.what, each.detail) for each in ledger.trail.entries()]
    assert said == [("champions_switched", "churn: kairos-churn/2"), ("champions_switched", "churn: prior")]


@pytest.mark.parametrize(
    ("host", "warned"),
    [("127.0.0.1", False), ("::1", False), ("localhost", False), ("0.0.0.0", True), ("::", True), ("web-1", True)],
)
def test_listening_beyond_loopback_is_warned_of(tmp_path, monkeypatch, capsys, host, warned):
    started = SimpleNamespace(wait=lambda: 0, terminate=lambda: None)
    monkeypatch.setattr(serving.subprocess, "Popen", lambda *_, **__: started)
    monkeypatch.setattr(serving.signal, "signal", lambda *_: None)
    assert serving.serve_until_stopped(settings_in(tmp_path, host=host)) == 0
    assert ("warning: listening on" in capsys.readouterr().err) is warned


def test_the_host_may_be_named_at_the_terminal(monkeypatch):
    seen = []
    monkeypatch.setattr(serving, "serve_until_stopped", lambda settings: seen.append(settings.host) or 0)
    kairos("serve", "--host", "0.0.0.0")
    kairos("serve")
    assert seen == ["0.0.0.0", "127.0.0.1"]
