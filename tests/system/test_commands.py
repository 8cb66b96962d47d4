"""Every command, run once as a process without a terminal: what programs read of it, and what people do.

A command that is not in the list fails the first test. Everything else about commands is tested in one process.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import ibis
import pytest
from typer.main import get_command

from experiments.exposures import read_exposures
from features.lake import Lake
from pipelines.cli import app
from pipelines.options import ROOT
from tests.worlds.commands import NOW, shop_in
from tests.worlds.lake import KeepingSink
from tests.worlds.service import free_port

pytestmark = pytest.mark.slow

FIRST = {
    "import": ("import.yaml",),
    "features build": (),
    "features materialize": (),
    "train": ("churn",),
}
"""What makes the home, in this order."""

READING = {
    "models list": (),
    "models compare": ("churn",),
    "models shadow": ("churn", "2"),
    "decide": ("c0001", "c0002", "--dry-run"),
    "plan": ("--days", "2"),
    "experiment design": ("--mean", "0.03", "--effect", "0.003"),
    "experiment list": (),
    "experiment analyse": ("analysis.yaml", "--exposures", "assigned.csv"),
    "monitor": (),
    "lake check": (),
    "check": (),
    "bench": (),
    "retain": ("--dry-run",),
    "customers export": ("c0001",),
    "audit": (),
    "keys add": ("sender", "--label", "mail gateway"),
    "keys list": (),
    "simulate": ("--customers", "10", "--days", "1", "--history", "1", "--jobs", "1"),
}
"""What may be run side by side."""

WRITING = {
    "models promote": ("churn", "2"),
    "models rollback": ("churn",),
    "keys rotate": ("{key}",),
    "keys revoke": ("{key}",),
    "customers erase": ("c0003",),
}
"""What follows, in this order."""

ELSEWHERE = {"demo": "tests/system/test_demo.py", "serve": "has no answer; below"}
ROWS = {**FIRST, **READING, **WRITING}


def leaves(command, words=()):
    children = getattr(command, "commands", None)
    if children is None:
        yield " ".join(words)
        return
    for name, child in children.items():
        yield from leaves(child, (*words, name))


def test_every_command_has_its_row():
    assert {*ROWS, *ELSEWHERE} == set(leaves(get_command(app)))


@pytest.fixture(scope="module")
def shop(tmp_path_factory, mlflow_store):
    folder = tmp_path_factory.mktemp("shop")
    (folder / "mlruns").mkdir()
    shutil.copy(mlflow_store, folder / "mlruns" / "mlflow.db")
    return shop_in(folder)


@pytest.fixture(scope="module")
def ran(shop):
    """Every command of the list, with what it said."""

    def run(row):
        name, words = row
        return name, shop(*name.split(), *words, "--json")

    done = dict(map(run, FIRST.items()))
    with shop.in_process() as kairos:  # a champion, and a second version: to promote, and to come back from
        assert kairos("models", "promote", "churn", "1").exit_code == 0
        assert kairos("train", "churn", "--tune", "1").exit_code == 0
    with ThreadPoolExecutor(2) as pool:
        done |= dict(pool.map(run, READING.items()))
    key = done["keys add"].answer["key"]["key_id"]
    for name, words in WRITING.items():
        done |= [run((name, tuple(word.format(key=key) for word in words)))]
    return done


@pytest.mark.parametrize("name", ROWS)
def test_a_command_ends_well_with_one_object_on_the_last_line_and_nothing_else(ran, name):
    assert ran[name].code == 0, ran[name].err[-2000:]
    assert isinstance(ran[name].answer, dict)
    assert len(ran[name].out.splitlines()) == 1
    assert "error" not in ran[name].answer


@pytest.mark.parametrize("name", [name for name in ROWS if name not in {"customers export", "keys rotate"}])
def test_with_json_people_still_read_what_it_came_to_on_standard_error(ran, name):
    assert ran[name].err.strip()
    assert "Traceback" not in ran[name].err


@pytest.mark.parametrize("name", ROWS)
def test_no_number_is_cut(ran, name):
    assert not re.search(r"\d…", ran[name].err)


def test_an_erased_person_is_an_error_and_not_an_empty_success(ran, shop):
    assert ran["customers erase"].answer["finished"] == 1
    gone = shop("customers", "export", "c0003", "--json")
    assert gone.code == 1
    assert "was erased" in gone.answer["error"]
    assert "was erased" in gone.err


def test_what_a_command_says_to_people_is_on_standard_output(ran, shop):
    said = shop("models", "list")
    assert (said.code, said.err) == (0, "")
    for version in ran["models list"].answer["versions"]:
        assert version["reason"] in said.out


def test_a_benchmark_of_a_name_says_its_answer_as_the_others_do(shop):
    done = shop("bench", "world-fit", "--customers", "100", "--days", "20", "--seeds", "1", "--json")
    assert done.code == 0, done.err[-2000:]
    assert done.answer["machine"]
    assert len(done.out.splitlines()) == 1
    wrong = shop("bench", "world-fit", "--no-such-option", "--json")
    assert wrong.code == 2
    assert "exit code 2" in wrong.answer["error"]


def test_the_service_begins_and_ends_and_says_nothing_but_its_log(ran, shop):
    port = free_port()
    command = [sys.executable, "-m", "pipelines", "serve"]
    service = subprocess.Popen(
        command,
        cwd=shop.folder,
        env=shop.environment | {"KAIROS_PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        _wait_until_healthy(port)
    finally:
        service.send_signal(signal.SIGTERM)
        _, said = service.communicate(timeout=60)
    assert f"127.0.0.1:{port}" in said.decode()


def _wait_until_healthy(port, *, seconds=120):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError(f"no service within {seconds} s")


PEOPLE = {
    "models list": lambda told: [each["reason"] for each in told["versions"]],
    "models compare": lambda told: [metric for each in told["versions"] for metric in each["metrics"]],
    "decide": lambda told: [each["customer_id"] for each in told["decisions"]],
    "experiment design": lambda told: [f"{told['customers']:,}"],
    "experiment list": lambda told: [
        str(value) for row in told["arms"] for value in (row["arm"], row["customers"])
    ],
    "experiment analyse": lambda told: [told["verdict"]],
    "monitor": lambda told: [*told["notes"], *told["alarms"]],
    "bench": lambda told: [each["yardstick"] for each in told["benchmarks"]],
    "retain": lambda told: [name for name, count in told["gone"].items() if count],
    "customers export": lambda told: [told["customer_id"]],
    "audit": lambda told: [value for each in told["changes"] for value in (each["what"], each["detail"]) if value],
    "keys list": lambda told: [value for each in told["keys"] for value in (each["key_id"], each["label"])],
}
"""What people must find of what programs are told, whole and at any width."""


@pytest.mark.parametrize("columns", ["20", None])
@pytest.mark.parametrize("name", PEOPLE)
def test_people_read_the_same_on_a_pipe_of_any_width(ran, shop, name, columns):
    words = (*name.split(), *READING[name])
    with shop.in_process(columns) as kairos:
        told, said = kairos(*words, "--json"), kairos(*words)
    assert said.exit_code == 0, said.output
    facts = PEOPLE[name](json.loads(told.stdout.splitlines()[-1]))
    assert [fact for fact in facts if fact not in said.stdout] == []


def _blocks():
    """Yield the pages' Python. What architecture.md lists are signatures, not a program."""
    for page in (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("examples/*/README.md"))):
        for number, block in enumerate(
            re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
        ):
            if page.name != "architecture.md":
                yield pytest.param(page, block, id=f"{page.name} {number}")


@pytest.mark.parametrize(("page", "block"), list(_blocks()))
def test_the_documented_python_runs(ran, shop, tmp_path, page, block):
    done = _executed(shop, tmp_path, page, block)
    if "report.quarantined" in block:
        assert done["report"].events == ran["import"].answer["events"]


def test_an_analysis_says_the_same_in_python_as_the_command(ran, shop, tmp_path, capsys):
    (page, block) = next(each.values for each in _blocks() if "analyse(" in each.values[1])
    _executed(shop, tmp_path, page, block)
    said = capsys.readouterr().out
    with shop.in_process() as kairos:
        told = kairos("experiment", "analyse", "evening-sends.yaml", "--exposures", "assigned.csv")
    assert told.stdout.split() == said.split()


def _executed(shop, scratch, page, block):
    """Run a block where the shop's files lie, with the names that its page says the reader has."""
    (planned,) = re.findall(
        r"^```yaml\n(experiment_id.*?)^```", (ROOT / "docs/experiments.md").read_text(), re.MULTILINE | re.DOTALL
    )
    (shop.folder / "evening-sends.yaml").write_text(planned)
    lake = Lake(scratch / "lake") if page.name == "import.md" else Lake(shop.folder / ".kairos" / "lake")
    given = {
        "Path": Path,
        "path": shop.folder / "import.yaml",
        "lake": lake,
        "sink": KeepingSink(lake),
        "now": NOW,
        "exposures": read_exposures(shop.folder / "assigned.csv"),
        "table": ibis.memtable({"tier": ["gold"], "orders_90d": [2.0]}),
    }
    with shop.in_process():
        exec(compile(block, page.name, "exec"), given)
    return given
