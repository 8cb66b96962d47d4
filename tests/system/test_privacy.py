"""A person in every store of a home, and then in none; what stays are the others, and the tombstone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from decisions.ledger import CustomerErased, UnknownDecision
from decisions.records import Ask
from features.contracts import Event
from features.lake import Lake
from pipelines.cli import app
from pipelines.jobs.building import build_tables, materialize
from pipelines.jobs.deciding import replay_decision
from pipelines.jobs.importing import import_files
from runtime.build import build
from runtime.exporting import export_customer, written
from tests.worlds.privacy import ATTRIBUTE, CANARY, KIN, MONTHS, STRANGER, fill, home_in, traces
from tests.worlds.service import NOW

pytestmark = pytest.mark.slow

run = CliRunner()

MAPPING = """
sources:
  people: {path: people.csv}
customers:
  - name: persons
    from: people
    customer_id: "{who}"
    time_zone: "{zone}"
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return home_in(tmp_path_factory.mktemp("privacy"))


@pytest.fixture(scope="module")
def kairos(settings):
    """A home in which the person has been materialized twice, and about whom events still wait."""
    with build(settings) as kairos:
        fill(kairos)
        build_tables(kairos)
        materialize(kairos)
        materialize(kairos)
        waiting = Event(event_id="late", customer_id=CANARY, type="session", occurred_at=NOW - timedelta(hours=1))
        kairos.ledger.take_events([waiting], NOW)
        yield kairos


@pytest.fixture(scope="module")
def exported(kairos):
    return json.loads(written(export_customer(kairos, CANARY)))


@pytest.fixture(scope="module")
def erased(kairos, settings, exported):
    """The report of the command, after the export was taken."""
    before = traces(settings.home, CANARY)
    assert {part.split("/")[0] for part in before} >= {"ledger.db", "lake", "features"}
    variables = {
        "KAIROS_HOME": str(settings.home),
        "KAIROS_POLICY": str(settings.policy),
        "KAIROS_CATALOGUE": str(settings.catalogue),
        "KAIROS_NOW": NOW.isoformat(),
        "KAIROS_SALT": settings.salt.get_secret_value(),
        "KAIROS_CONFIG": str(settings.home / "none.toml"),
    }
    answer = run.invoke(app, ["customers", "erase", CANARY, "--json"], env=variables)
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout.strip().splitlines()[-1])


def test_the_export_has_every_row_of_every_store(exported):
    counts = exported["counts"]
    for part, store in {
        "consents": "ledger.consent",
        "decisions": "ledger.decision",
        "pressure": "ledger.pressure",
        "exposures": "ledger.exposure",
        "reactions": "ledger.reaction",
        "outbox": "ledger.outbox",
        "audit": "ledger.audit",
        "inbox": "ledger.inbox",
        "events": "lake.events",
    }.items():
        assert len(exported[part]) == counts[store], part
    assert (counts["lake.events"], counts["ledger.inbox"], counts["ledger.consent"]) == (MONTHS, MONTHS + 1, 3)
    assert counts["lake.customers"] == counts["ledger.customer"] == 1


def test_the_export_says_what_the_person_would_ask_for(exported):
    assert exported["customer"]["lake"]["attributes"] == {"taste": ATTRIBUTE}
    assert exported["customer"]["ledger"]["preference"]["max_per_week"] == 5
    (decision,) = exported["decisions"]
    assert decision["reasons"] is not None
    assert decision["expected_value"] is not None
    assert decision["inputs"]["state"]["customer"]["customer_id"] == CANARY
    assert exported["features"]["orders_90d"] == 1
    assert exported["experiments"] == {"arms": {}, "holdout": False}
    assert [event["properties"] for event in exported["events"]] == [{"note": ATTRIBUTE}] * MONTHS
    assert exported["inbox"][-1]["body"]["event_id"] == "late"


def test_an_export_names_nobody_else(exported):
    assert KIN not in json.dumps(exported)
    assert STRANGER not in json.dumps(exported)


def test_an_export_of_somebody_nobody_knows_is_empty(kairos):
    export = export_customer(kairos, "nobody-ever-heard-of")
    assert set(export["counts"].values()) == {0}
    assert export["customer"] == {"ledger": None, "lake": None}


def test_no_file_of_the_home_holds_the_person_any_more(erased, settings):
    assert traces(settings.home, CANARY, ATTRIBUTE) == []


def test_the_report_says_what_went_from_each_store(erased):
    assert (erased["customers"], erased["finished"]) == (1, 1)
    rows = erased["rows"]
    assert (rows["lake.events"], rows["lake.customers"], rows["quarantine"]) == (MONTHS, 1, 2)
    assert rows["features.snapshots"] > 3
    assert rows["features.online"] > 1
    assert rows["ledger.inbox"] == MONTHS + 1


def test_the_household_and_strangers_stay_in_every_store(erased, kairos, settings):
    for other in (KIN, STRANGER):
        held = {part.split("/")[0] for part in traces(settings.home, other)}
        assert held >= {"ledger.db", "lake", "features"}
        assert Lake(settings.lake).known(other).events.num_rows == MONTHS
        assert kairos.features.online([other], now=NOW)["orders_90d"].to_pylist() == [1]
    assert kairos.features.online([CANARY], now=NOW)["orders_90d"].to_pylist() == [None]


def test_an_erased_customer_is_not_decided_about(erased, kairos):
    asks = [Ask(request_id=f"again-{who}", customer_id=who, purpose="service") for who in (CANARY, STRANGER)]
    refused, decided = kairos.decider.attempt(asks)
    assert isinstance(refused, CustomerErased)
    assert decided.customer_id == STRANGER


def test_the_replay_of_an_erased_decision_says_so(erased, exported, kairos):
    with pytest.raises(UnknownDecision, match="erased"):
        replay_decision(kairos, exported["decisions"][0]["decision_id"])


def test_an_import_leaves_the_erased_out_refused_rows_too(erased, kairos, settings, tmp_path):
    (tmp_path / "people.csv").write_text(
        f"who,zone\n{CANARY},Europe/Berlin\n{CANARY},no such zone\nnew-here,Europe/Berlin\n"
    )
    (tmp_path / "import.yaml").write_text(MAPPING)
    report = import_files(tmp_path / "import.yaml", kairos)
    assert (report.customers, report.erased, dict(report.quarantined)) == (1, 2, {})
    assert traces(settings.home, CANARY) == []
