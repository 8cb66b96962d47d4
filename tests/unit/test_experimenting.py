"""Did it help: exposures from a file or from the ledger's own decisions, outcomes from the lake."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest

from decisions.records import Ask
from features.contracts import EVENT_SCHEMA
from pipelines.jobs.experimenting import analyse_experiment, arms_in_use, exposures_of, read_exposures
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
    with pytest.raises(ValueError, match=r"ending '\.xlsx' is none of \.parquet"):
        read_exposures(tmp_path / "assigned.xlsx")


def test_an_effect_that_is_there_is_found(kairos, plan, tmp_path):
    start = NOW - timedelta(days=20)
    treated = CUSTOMERS[::2]
    lines = [f"{each},{'later' if each in treated else 'control'},{start.isoformat()}" for each in CUSTOMERS]
    lake = lake_of(kairos.settings)
    lake.append(purchases(treated, start + timedelta(days=1)))
    lake.append(purchases(treated[1:] + CUSTOMERS[1::8], start + timedelta(days=2)))
    report = analyse_experiment(kairos, plan, exposures=assigned(tmp_path, lines))
    assert report.verdict == "better"


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
