"""Did it help: exposures from a file or from the ledger's own decisions, outcomes from the lake."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from decisions.records import Ask
from experiments.analyse import analyse
from experiments.exposures import read_exposures
from experiments.spec import load
from features.contracts import EVENT_SCHEMA
from features.lake import Lake
from pipelines.cli import app
from pipelines.jobs.experimenting import analyse_file, arms_in_use, exposures_of
from runtime.build import build
from runtime.lake import lake_of
from tests.worlds.service import NOW, settings_in, settle

CUSTOMERS = [f"c{number}" for number in range(80)]
POLICY = """
channels: [email]
quiet_hours: []
experiments:
  - experiment_id: evening-sends
    arms: [{name: control}, {name: later, policy: {min_gap_hours: 48}}]
"""
PLAN = """
experiment_id: evening-sends
control: control
arms: {control: 0.5, later: 0.5}
metrics:
  - {name: orders, kind: mean, numerator: {events: [purchased]}, days: 7}
"""


@pytest.fixture
def kairos(tmp_path):
    settings = settings_in(tmp_path)
    (tmp_path / "policy.yaml").write_text(POLICY)
    settle(settings, CUSTOMERS)
    with build(settings) as kairos:
        yield kairos


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return path


def purchases(customers, at):
    empty = dict.fromkeys(EVENT_SCHEMA.names)
    rows = [
        {
            **empty,
            "event_id": f"{each}-{at:%j}",
            "customer_id": each,
            "type": "purchased",
            "occurred_at": at,
            "automated": False,
            "properties": "{}",
        }
        for each in customers
    ]
    return pa.Table.from_pylist(rows, schema=EVENT_SCHEMA)


def decide_for_all(kairos, what):
    kairos.decider.decide([Ask(request_id=f"{what}-{each}", customer_id=each) for each in CUSTOMERS])


def assigned(tmp_path, lines):
    file = tmp_path / "assigned.csv"
    file.write_text("\n".join(["customer_id,arm,assigned_at", *lines]) + "\n")
    return file


def test_a_file_says_who_was_in_which_arm_and_since_when_in_utc(tmp_path):
    table = read_exposures(assigned(tmp_path, ["007,later,2026-01-01T00:00:00Z"]))
    assert table.to_pylist()[0]["arm"] == "later"
    assert table["customer_id"].type == pa.string()


def test_a_file_of_an_unknown_kind_is_refused_with_the_kinds_there_are(tmp_path):
    (tmp_path / "assigned.xlsx").touch()
    with pytest.raises(ValueError, match=r"'assigned\.xlsx' is of no known kind: \.parquet"):
        read_exposures(tmp_path / "assigned.xlsx")


def test_an_effect_that_is_there_is_found(kairos, plan, tmp_path):
    start = NOW - timedelta(days=20)
    treated = CUSTOMERS[::2]
    lines = [f"{each},{'later' if each in treated else 'control'},{start.isoformat()}" for each in CUSTOMERS]
    lake = lake_of(kairos.settings)
    lake.append(purchases(treated, start + timedelta(days=1)))
    lake.append(purchases(treated[1:] + CUSTOMERS[1::8], start + timedelta(days=2)))
    file = assigned(tmp_path, lines)
    assert analyse_file(kairos.settings, plan, file).verdict == "nothing to read"  # the lake ends after two days
    lake.append(purchases(["somebody"], start + timedelta(days=7)))
    assert analyse_file(kairos.settings, plan, file).verdict == "better"


def test_who_was_decided_for_under_an_arm_is_exposed_from_the_first_decision_on(kairos):
    decide_for_all(kairos, "first")
    decide_for_all(kairos, "again")
    exposed = exposures_of(kairos, "evening-sends").to_pylist()
    assert sorted(row["customer_id"] for row in exposed) == sorted(CUSTOMERS)
    assert {row["arm"] for row in exposed} == {"control", "later"}


def test_the_arms_in_use_are_counted(kairos):
    decide_for_all(kairos, "first")
    rows = arms_in_use(kairos)
    assert [(row[0], row[1]) for row in rows] == [("evening-sends", "control"), ("evening-sends", "later")]
    assert sum(row[3] for row in rows) == len(CUSTOMERS)


def test_an_experiment_nobody_was_in_has_no_exposures(kairos):
    assert exposures_of(kairos, "never-ran").num_rows == 0


# --- the command: a folder with nothing but a lake --------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a lake, a plan and exposures, and neither policy nor catalogue."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.yaml").write_text(PLAN)
    start = NOW - timedelta(days=20)
    lake = Lake(tmp_path / ".kairos" / "lake", buckets=4)
    for days in (1, 2, 8):
        lake.append(purchases(CUSTOMERS[:: days + 1], start + timedelta(days=days)))
    assigned(
        tmp_path,
        [
            f"{each},{'control' if i % 2 else 'later'},{start:%Y-%m-%dT%H:%M:%SZ}"
            for i, each in enumerate(CUSTOMERS)
        ],
    )
    return tmp_path


def asked(*words):
    return CliRunner().invoke(app, ["experiment", *words, "--json"])


def test_a_file_of_exposures_is_analysed_where_there_is_neither_policy_nor_catalogue(folder):
    answer = asked("analyse", "plan.yaml", "--exposures", "assigned.csv", "--now", NOW.isoformat())
    assert answer.exit_code == 0
    told = orjson.loads(answer.stdout.splitlines()[-1])
    assert told["effects"][0]["n_control"] == 40
    assert not (folder / ".kairos" / "ledger.db").exists()


def test_the_command_and_the_documented_call_say_the_same(folder):
    for until in (None, NOW - timedelta(days=16)):
        more = [] if until is None else ["--until", until.isoformat()]
        answer = asked("analyse", "plan.yaml", "--exposures", "assigned.csv", "--now", NOW.isoformat(), *more)
        lake = Lake(folder / ".kairos" / "lake")
        report = analyse(load(Path("plan.yaml")), read_exposures(Path("assigned.csv")), lake, until=until)
        assert orjson.loads(answer.stdout.splitlines()[-1]) == orjson.loads(orjson.dumps(report.as_dict()))
        assert bool(report.effects) == (until is None)


def test_without_a_lake_the_command_says_so_and_makes_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.yaml").write_text(PLAN)
    assigned(tmp_path, [])
    answer = asked("analyse", "plan.yaml", "--exposures", "assigned.csv")
    assert answer.exit_code != 0
    assert "there is no lake at" in f"{answer.exception}{answer.output}"
    assert not (tmp_path / ".kairos").exists()


@pytest.mark.parametrize(
    "words", [("--mean", "0.1", "--effect", "0.02"), ("--mean", "5", "--sd", "9", "--customers", "400")]
)
def test_a_design_is_one_json_object(words):
    told = orjson.loads(asked("design", *words).stdout.splitlines()[-1])
    assert told["power"] == 0.8


def test_a_list_is_one_json_object(kairos, monkeypatch):
    decide_for_all(kairos, "first")
    for name in ("policy", "catalogue", "ledger", "home"):
        monkeypatch.setenv(f"KAIROS_{name.upper()}", str(getattr(kairos.settings, name)))
    answer = asked("list")
    told = orjson.loads(answer.stdout.splitlines()[-1])["arms"]
    assert [(row["experiment"], row["arm"]) for row in told] == [row[:2] for row in arms_in_use(kairos)]
