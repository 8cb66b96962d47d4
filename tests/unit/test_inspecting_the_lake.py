"""The job and the command that hold the lake against what it promises, import and monitor that ask it."""

from __future__ import annotations

import json
from datetime import timedelta

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from features.contracts import EVENT_SCHEMA
from features.lake import bucket_of
from features.lake.manifest import Draft, events_folder
from pipelines.cli import app
from pipelines.jobs.erasing import erase_customers
from pipelines.jobs.importing import import_files
from pipelines.jobs.inspecting import check_lake, in_words
from pipelines.monitor.records import MonitorReport
from runtime.build import build
from runtime.lake import lake_of
from tests.worlds.lake import event, events
from tests.worlds.service import NOW, settings_in

MONTH = f"{NOW:%Y-%m}"


@pytest.fixture
def kairos(tmp_path):
    with build(settings_in(tmp_path)) as kairos:
        lake_of(kairos.settings).append(
            events(event("e1", "ada", occurred_at=NOW), event("e2", "ben", occurred_at=NOW))
        )
        yield kairos


def _misfile(kairos, event_id: str, customer_id: str) -> None:
    lake = lake_of(kairos.settings)
    draft = Draft(lake.root)
    other = (bucket_of(customer_id, lake.buckets) + 1) % lake.buckets
    rows = [event(event_id, customer_id, occurred_at=NOW)]
    draft.add(events_folder(other, MONTH), pa.Table.from_pylist(rows, schema=EVENT_SCHEMA))
    draft.commit()


def test_a_check_changes_nothing_and_a_repair_leaves_nothing_wrong(kairos):
    _misfile(kairos, "e3", "ada")
    assert check_lake(kairos).found.misfiled == 1
    report = check_lake(kairos, repair=True)
    assert (report.found.misfiled, report.left.misfiled, report.sound) == (1, 0, True)
    assert check_lake(kairos, repair=True).left is None


def test_what_an_erasure_could_not_find_goes_with_the_repair(kairos):
    _misfile(kairos, "left", "ada")
    erase_customers(kairos, ["ada"])
    report = check_lake(kairos, repair=True)
    assert (report.found.erased, report.left.faults) == (1, {})
    assert lake_of(kairos.settings).counts() == {"purchased": 1}


def test_an_import_into_a_lake_that_is_not_as_it_should_be_says_so(kairos, tmp_path):
    _misfile(kairos, "e3", "ada")
    (tmp_path / "e.csv").write_text(
        f"id,who,at\ne9,cleo,{NOW - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}\ne9,dora,{NOW:%Y-%m-%dT%H:%M:%SZ}\n"
    )
    (tmp_path / "m.yaml").write_text(
        'sources: {e: e.csv}\nevents:\n'
        '  - {name: ev, from: e, event_id: "{id}", customer_id: "{who}", type: session, occurred_at: "{at}"}\n'
    )  # fmt: skip
    report = import_files(tmp_path / "m.yaml", kairos)
    assert report.lake_faults == {"misfiled": 1, "scattered_customers": 1}
    assert (report.duplicates, report.conflicts) == (1, 1)


def test_the_monitor_raises_an_alarm_for_a_lake_that_is_not_as_it_should_be():
    empty = dict.fromkeys(("rates", "loads", "drift", "calibration", "notes"), ())
    report = MonitorReport(now=NOW, days=28, decisions={}, budgets={}, lake={"misfiled": 2, "erased": 1}, **empty)
    assert report.alarms == ("the lake is not as it should be (2 misfiled, 1 erased): kairos lake check --repair",)


def test_faults_are_said_in_words():
    assert in_words({"misfiled": 1400, "doubled_events": 1}) == "1,400 misfiled, 1 doubled events"


def test_the_command_says_what_is_wrong_with_its_exit_code_and_in_json(kairos, monkeypatch):
    _misfile(kairos, "e3", "ada")
    for name in ("home", "policy", "catalogue", "ledger_url", "salt"):
        if (value := getattr(kairos.settings, name, None)) is not None:
            monkeypatch.setenv(f"KAIROS_{name.upper()}", str(value))
    kairos.close()
    found = CliRunner().invoke(app, ["lake", "check", "--json"])
    said = json.loads(found.stdout.splitlines()[-1])
    assert (found.exit_code, said["misfiled"], said["sound"]) == (1, 1, False)
    mended = CliRunner().invoke(app, ["lake", "check", "--repair", "--json"])
    assert (mended.exit_code, json.loads(mended.stdout.splitlines()[-1])["left"]["misfiled"]) == (0, 0)
    assert CliRunner().invoke(app, ["lake", "check"]).exit_code == 0
