"""The whole path on real data, and what a newcomer does next."""

import json
import sqlite3

import pytest

pytestmark = pytest.mark.slow

MODELS = {"send_time", "channel", "churn", "offer", "worth", "fatigue"}
FIELDS = {
    "status",
    "metric",
    "value",
    "baseline_name",
    "baseline_value",
    "interval",
    "n",
    "promoted",
    "decides",
    "reason",
}


@pytest.fixture(scope="module")
def answer(demo):
    return demo.answer


def test_every_household_is_accounted_for(answer):
    households = answer["households"]
    assert households["total"] == 2469
    assert households["used"] + sum(households["excluded"].values()) == 2469


def test_every_send_and_redemption_arrives_and_every_bad_row_is_counted(answer):
    assert answer["events_imported"]["sent"] == 6589
    assert answer["events_imported"]["converted"] == 2102
    assert answer["events_imported"]["purchased"] > 380_000
    assert answer["quarantined"] == {"quantity_positive": 8869}


def test_each_model_is_judged_or_says_why_not(answer):
    assert set(answer["models"]) == MODELS
    for model in answer["models"].values():
        assert model.keys() >= FIELDS
        assert model["status"] in {"measured", "no_labels"}
        assert model["reason"]
        if model["status"] == "no_labels":
            assert model["value"] is model["baseline_value"] is model["interval"] is model["n"] is None
            assert not model["promoted"]


def test_it_says_what_learning_changed_in_its_decisions_and_why(answer, demo):
    changed = answer["changed_by_learning"]
    assert 0 < changed["looked_at"] <= 600
    counts = [
        sum(changed["holds"].values()),
        *(changed[name] for name in changed if name not in {"looked_at", "holds"}),
    ]
    assert 0 < sum(counts) <= changed["looked_at"]
    assert "What learning changed" in demo.err


def test_churn_beats_recency_on_later_time(answer):
    churn = answer["models"]["churn"]
    assert churn["status"] == "measured"
    assert churn["metric"] == "auc"
    assert churn["value"] >= 0.87
    assert churn["baseline_name"] == "recency"
    assert 0.82 < churn["baseline_value"] < 0.85
    assert churn["interval"][0] > 0
    assert churn["promoted"]


def test_fatigue_has_no_labels_in_this_data_and_says_so(answer):
    assert answer["models"]["fatigue"]["status"] == "no_labels"


def test_what_was_not_randomised_is_never_called_incremental(answer):
    assert "not incremental" in answer["models"]["offer"]["reason"]
    assert answer["plan"]["incremental"] is False


def test_some_are_messaged_and_everybody_else_is_held_for_a_reason(answer):
    decisions = answer["decisions"]
    assert decisions["send"] > 0
    assert decisions["send"] + sum(decisions["hold"].values()) == 2469


def test_budgets_hold(answer):
    plan = answer["plan"]
    assert all(plan["sends"][channel] <= plan["budgets"][channel] for channel in plan["sends"])


def test_the_independent_recount_finds_nothing(answer):
    assert answer["cap_violations"] == 0
    assert not any(answer["violations"].values())


def test_the_summary_is_for_people_and_the_last_line_for_programs(demo):
    assert "real households" in demo.err
    assert "not incremental" in demo.err
    assert len(demo.out.strip().splitlines()) == 1


def test_a_planted_violation_is_found(demo, kairos, tmp_path):
    ledger = kairos.folder / ".kairos" / "demo" / "ledger.db"
    copy = tmp_path / "ledger.db"
    with sqlite3.connect(ledger) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    with sqlite3.connect(copy) as tampered:
        first, second = tampered.execute(
            "SELECT decision_id FROM decision WHERE action = 'send' AND channel = 'mail' LIMIT 2"
        ).fetchall()
        columns = [row[1] for row in tampered.execute("PRAGMA table_info(pressure)")]
        owner, at = tampered.execute(
            "SELECT customer_id, at FROM pressure WHERE decision_id = ?", first
        ).fetchone()
        assert "customer_id" in columns
        for table in ("pressure", "decision"):
            tampered.execute(f"UPDATE {table} SET customer_id = ? WHERE decision_id = ?", (owner, *second))
        tampered.execute("UPDATE pressure SET at = ? WHERE decision_id = ?", (at, *second))
        tampered.execute("UPDATE decision SET send_at = ? WHERE decision_id = ?", (at, *second))
    from decisions.catalogue import load_catalogue
    from decisions.policy import load_policy
    from pipelines.jobs.demonstrating import EXAMPLE
    from pipelines.recount import Rules, recount

    policy = load_policy(EXAMPLE / "policy.yaml").model_dump()
    offers = [offer.model_dump() for offer in load_catalogue(EXAMPLE / "catalogue.yaml").offers]
    assert recount(f"sqlite:///{copy}", Rules.of(policy, offers)).counts["caps"] > 0


def test_a_decision_is_recomputed_from_its_record(demo, kairos):
    decision_id = _some_decision(kairos)
    again = kairos("decide", "--replay", decision_id, "--demo", "--json")
    assert again.code == 0, again.err
    assert again.answer["same"] is True
    assert again.answer["decisions"][0]["decision_id"] == decision_id


def test_a_dry_run_reserves_nothing(demo, kairos):
    before = _count(kairos)
    ran = kairos("decide", "1228", "906", "--demo", "--dry-run", "--json")
    assert ran.code == 0, ran.err
    assert [each["customer_id"] for each in ran.answer["decisions"]] == ["1228", "906"]
    assert _count(kairos) == before


def test_a_household_nobody_knows_is_held_from_priors(demo, kairos):
    ran = kairos("decide", "nobody", "--demo", "--dry-run", "--json")
    assert ran.code == 0, ran.err
    (decision,) = ran.answer["decisions"]
    assert decision["action"] == "hold"
    assert decision["reasons"][0]["code"] == "customer_unknown"


def test_planning_the_same_day_again_changes_nothing(demo, kairos):
    before = _count(kairos)
    ran = kairos("plan", "--demo", "--days", "7", "--json")
    assert ran.code == 0, ran.err
    assert {ran.answer["send"], demo.answer["decisions"]["send"]} == {ran.answer["send"]}
    assert _count(kairos) == before


def test_the_registry_tells_which_model_decides(demo, kairos):
    ran = kairos("models", "list", "--demo", "--json")
    assert ran.code == 0, ran.err
    champions = {each["model"] for each in ran.answer["versions"] if "champion" in each["aliases"]}
    decides = {name for name, model in demo.answer["models"].items() if model["decides"]}
    assert champions == decides
    assert {name for name, model in demo.answer["models"].items() if model["promoted"]} <= decides


def test_the_monitor_says_what_it_saw(demo, kairos):
    ran = kairos("monitor", "--demo", "--json")
    assert ran.code == 0, ran.err
    assert {rate["channel"] for rate in ran.answer["rates"]} == {"mail"}
    assert ran.answer["drift"]


@pytest.mark.parametrize("name", ["explore_demo.ipynb", "retraining.ipynb"])
def test_the_notebooks_of_the_demo_run_from_top_to_bottom_and_leave_what_decides(demo, kairos, name):
    import nbformat
    from nbclient import NotebookClient

    from pipelines.options import ROOT

    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(kairos.folder)}})
    pointer = kairos.folder / ".kairos" / "demo" / "champions" / "champions.json"
    decides = pointer.read_bytes()
    client.execute(env={**kairos.environment, "MPLBACKEND": "module://matplotlib_inline.backend_inline"})
    assert json.loads(pointer.read_bytes()) == json.loads(decides)
    assert all(not _failed(cell) for cell in notebook.cells)


def _failed(cell):
    return any(output["output_type"] == "error" for output in cell.get("outputs", ()))


def _some_decision(kairos):
    with sqlite3.connect(kairos.folder / ".kairos" / "demo" / "ledger.db") as ledger:
        return ledger.execute("SELECT decision_id FROM decision WHERE action = 'send' LIMIT 1").fetchone()[0]


def _count(kairos):
    with sqlite3.connect(kairos.folder / ".kairos" / "demo" / "ledger.db") as ledger:
        return ledger.execute("SELECT count(*) FROM decision").fetchone()[0]


def test_the_answer_is_json_that_other_tools_read(answer):
    assert json.loads(json.dumps(answer)) == answer
