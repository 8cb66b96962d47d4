"""What people type: help for everything, errors that name the way out, exit codes that programs can trust."""

import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from pipelines import cli
from pipelines.cli import app
from pipelines.options import ROOT
from tests.worlds.service import settings_in

run = CliRunner()


def leaves(command, words=()):
    children = getattr(command, "commands", None)
    if children is None:
        yield words, command
        return
    for name, child in children.items():
        yield from leaves(child, (*words, name))


COMMANDS = list(leaves(get_command(app)))


@pytest.mark.parametrize("words", [words for words, _ in COMMANDS], ids=" ".join)
def test_every_command_has_help_with_an_example(words):
    answer = run.invoke(app, [*words, "--help"])
    assert answer.exit_code == 0
    assert "Example" in answer.output


def test_the_commands_of_the_design_are_all_there():
    first = {words[0] for words, _ in COMMANDS}
    assert first >= {
        "demo",
        "import",
        "features",
        "train",
        "models",
        "plan",
        "decide",
        "experiment",
        "serve",
        "monitor",
        "bench",
    }


def test_help_comes_at_once_because_nothing_heavy_is_imported():
    check = (
        "import sys; from pipelines.cli import app; from typer.main import get_command; get_command(app);"
        "print(sorted({'feast', 'mlflow', 'lightgbm', 'bentoml', 'pandas', 'ibis'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_decide_wants_customers_or_a_replay_and_not_both():
    assert run.invoke(app, ["decide"]).exit_code == 2
    assert run.invoke(app, ["decide", "1", "--replay", "2"]).exit_code == 2


@pytest.mark.parametrize(
    ("moment", "rule"), [("yesterday", "is no moment"), ("2017-12-31T00:00:00", "has no time zone")]
)
def test_a_moment_that_cannot_be_read_is_refused_with_the_rule(moment, rule):
    answer = run.invoke(app, ["plan", "--now", moment], env={"COLUMNS": "200"})
    assert answer.exit_code == 2
    assert rule in answer.output


def test_without_a_demo_its_data_cannot_be_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = run.invoke(app, ["decide", "1", "--demo"], env={"COLUMNS": "200"})
    assert answer.exit_code == 2
    assert "run `kairos demo` first" in answer.output


def test_a_missing_policy_is_the_callers_to_mend(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["kairos", "decide", "1"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == cli.ASKED_WRONGLY
    assert "policy.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "damaged", "code", "said"),
    [
        (["decide", "--replay", "nowhere"], False, cli.ASKED_WRONGLY, "'nowhere' is not in the ledger"),
        (["decide", "1"], True, cli.FAILED, "restore it from a backup"),
    ],
)
def test_what_the_ledger_refuses_is_told_in_one_line(tmp_path, monkeypatch, capsys, words, damaged, code, said):
    settings = settings_in(tmp_path)
    if damaged:
        (tmp_path / "ledger.db").write_bytes(b"garbage" * 500)
    for name in ("home", "policy", "catalogue"):
        monkeypatch.setenv(f"KAIROS_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setattr(sys, "argv", ["kairos", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == code
    assert said in capsys.readouterr().err


def test_the_design_of_an_experiment_is_reckoned_both_ways():
    needed = run.invoke(app, ["experiment", "design", "--mean", "0.03", "--effect", "0.003", "--json"])
    assert needed.exit_code == 0
    customers = int(needed.stdout.split('"customers":')[1].split(",")[0])
    shown = run.invoke(app, ["experiment", "design", "--mean", "0.03", "--customers", str(customers), "--json"])
    effect = float(shown.stdout.split('"effect":')[1].split(",")[0])
    assert effect == pytest.approx(0.003, rel=1e-3)
