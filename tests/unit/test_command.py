"""What people type: help for everything, errors that name the way out, exit codes that programs can trust."""

import json
import os
import re
import shlex
import subprocess
import sys
from datetime import timedelta
from importlib.metadata import version

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from features.build import build_features
from features.store import FeatureStore
from pipelines import cli
from pipelines.cli import app
from pipelines.options import ROOT
from runtime.champions import Champion, Champions
from tests.worlds.features import WORDS, MemoryLake, customer, event
from tests.worlds.scorers import churn_model
from tests.worlds.service import NOW, settings_in, settle

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


@pytest.mark.parametrize("words", ["decide", "customers export", "customers erase", "customers erase 7"])
@pytest.mark.parametrize("name", ["", "7\n", "x" * 201])
def test_what_is_no_customer_id_is_refused_before_anything_is_looked_up(words, name):
    answer = run.invoke(app, [*words.split(), name], env={"COLUMNS": "400"})
    assert answer.exit_code == 2
    assert "is no customer id" in answer.output


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


HEAVY = [
    "bentoml",
    "dask",
    "feast",
    "ibis",
    "lightgbm",
    "matplotlib",
    "mlflow",
    "narwhals",
    "optuna",
    "pandas",
    "scipy",
    "sklearn",
    "tea_tasting",
]


@pytest.fixture(scope="module")
def little(tmp_path_factory):
    """The environment of a home with a fitted churn model in use, features online and a registry."""
    folder = tmp_path_factory.mktemp("little")
    settings = settings_in(folder / "home", mlflow_root=folder / "mlruns")
    settle(settings, ["ada"])
    bought = [event("ada", "purchased", NOW - timedelta(days=day), value=9.0) for day in (3, 40)]
    lake = MemoryLake(bought, [customer("ada", zone="Europe/Berlin")])
    build_features(lake, settings.features, vocabulary=WORDS, until=NOW.date())
    FeatureStore(settings.features, WORDS).materialize()
    model = churn_model()
    model.save(folder / "model")
    champions = Champions(settings.champions)
    chosen = Champion(kind="churn", name="kairos-churn", version="1", content=model.version)
    champions.keep(chosen, folder / "model")
    champions.choose([chosen])
    names = ("home", "policy", "catalogue", "mlflow_root")
    given = {f"KAIROS_{name.upper()}": str(getattr(settings, name)) for name in names}
    return {**os.environ, **given, "KAIROS_NOW": NOW.isoformat()}


@pytest.mark.parametrize(
    "words",
    ["decide ada --dry-run", "models list", "models compare churn", "keys list", "audit", "customers export ada"],
)
def test_a_small_command_imports_nothing_that_takes_seconds(little, words):
    check = (
        "import atexit, sys; from pipelines.cli import main;"
        f"atexit.register(lambda: print(sorted({set(HEAVY)} & sys.modules.keys()), file=sys.stderr));"
        f"sys.argv = ['kairos', *{words.split()}, '--json']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", check], cwd=ROOT, env=little, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"
    if words.startswith("decide"):
        (decision,) = json.loads(done.stdout)["decisions"]
        assert decision["features_as_of"]
        assert decision["model_versions"]["churn"] == "kairos-churn/1"


def test_arrow_that_did_without_pandas_still_makes_data_frames():
    check = (
        "import sys; from pipelines.light import have_the_process, spare_pandas; import pyarrow as pa;"
        "have_the_process(); spare_pandas(); table = pa.table({'a': [1.0, None]});"
        "assert 'pandas' not in sys.modules; frame = table.to_pandas();"
        "assert pa.array(frame.a).null_count == 1"
    )
    subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=True)


def run_main(monkeypatch, capsys, *words):
    """What the command says and its exit code, in this process."""
    monkeypatch.setattr(sys, "argv", ["kairos", *words])
    monkeypatch.setattr(cli, "have_the_process", lambda: None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code, *capsys.readouterr()


@pytest.mark.parametrize(
    "words",
    [
        ["decide", "1"],
        ["decide"],
        ["plan", "--now", "yesterday"],
        ["plan", "--date", "2024-02-31"],
        ["models", "promote", "churn", "7"],
        ["models", "rollback", "no-such-model"],
        ["experiment", "analyse", "not-there.yaml"],
        ["import", "not-there.yaml"],
        ["monitor", "--config", "not-there.toml"],
        ["no-such-command"],
        ["bench", "no-such-benchmark"],
        ["keys", "revoke", "none"],
    ],
    ids=" ".join,
)
def test_a_callers_mistake_is_said_in_words_and_as_an_object(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    code, out, err = run_main(monkeypatch, capsys, *words, "--json")
    assert code == cli.ASKED_WRONGLY
    assert json.loads(out.splitlines()[-1])["error"] in err
    assert "Traceback" not in err
    assert run_main(monkeypatch, capsys, *words)[1] == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("home = [", "odd.toml cannot be read as TOML"),
        ('buckets = "many"', "buckets 'many': Input should be a valid"),
    ],
)
def test_settings_that_cannot_be_used_name_the_place(tmp_path, monkeypatch, capsys, text, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KAIROS_CONFIG", "odd.toml")  # the command sets it for the service: put back afterwards
    (tmp_path / "odd.toml").write_text(text)
    code, out, _ = run_main(monkeypatch, capsys, "keys", "list", "--config", "odd.toml", "--json")
    assert code == cli.ASKED_WRONGLY
    assert said in json.loads(out)["error"]


def test_a_fault_of_ours_is_told_with_where_it_was(monkeypatch, capsys):
    def broken(*_, **__):
        raise TypeError("a fault")

    monkeypatch.setattr(cli, "app", broken)
    code, out, err = run_main(monkeypatch, capsys, "audit", "--json")
    assert (code, json.loads(out)) == (cli.FAILED, {"error": "a fault"})
    assert "Traceback" in err


def test_the_version_is_said():
    assert run.invoke(app, ["--version"]).output == f"kairos {version('kairos')}\n"


@pytest.mark.parametrize("words", [words for words, _ in COMMANDS], ids=" ".join)
def test_every_command_but_serve_answers_programs(words):
    (command,) = (command for each, command in COMMANDS if each == words)
    options = {name for parameter in command.params for name in parameter.opts}
    assert ("--json" in options) is (words != ("serve",))


def _documented():
    """Yield the `kairos …` lines of the pages' fenced blocks, without comments."""
    for page in (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("examples/*/README.md"))):
        for block in re.findall(r"^```(?:sh)?\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            for line in block.splitlines():
                # In some blocks a remark stands apart by blanks alone.
                words = shlex.split(re.split(r"\s{3,}|\s#", line)[0]) if "kairos " in line else []
                if words and words[0].endswith("kairos"):
                    yield pytest.param(words[1:], id=f"{page.name}: {' '.join(words)}")


@pytest.mark.parametrize("words", list(_documented()))
def test_a_documented_command_line_can_be_typed(words):
    command, context = get_command(app), None
    while (children := getattr(command, "commands", None)) is not None:
        context = typer.Context(command, info_name=words[0], parent=context)
        command, words = children[words[0]], words[1:]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    used = {word.split("=")[0] for word in words if word.startswith("--")}
    assert used <= options | ({*used} if command.name == "bench" else set())
