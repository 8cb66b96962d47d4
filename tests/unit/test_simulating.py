"""The parts of the closed loop that need no product: columns of messages, the diary, clock and features, the report."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console

from pipelines.jobs.simulating import Simulation, simulate
from pipelines.options import ROOT
from pipelines.simulating import run_loop
from pipelines.simulating.diary import Diary, Entry, days_finished
from pipelines.simulating.home import held, settings_in
from pipelines.simulating.plan import Plan
from pipelines.simulating.records import Pairs
from pipelines.simulating.result import Simulated
from pipelines.simulating.sends import Sends
from pipelines.simulating.standing import MovableClock, StandingFeatures
from pipelines.views.simulating import summary
from runtime.online import FeaturesNotBuiltError
from simulation.account import Account
from simulation.messages import Messages
from tests.worlds.simulated import lived

EXAMPLE = ROOT / "examples" / "simulated_shop"
NOW = datetime(2026, 3, 2, tzinfo=UTC)
SENDS = Sends(
    Messages(
        np.array([1, 2, 3]),
        np.array([0, 3, 1]),
        np.array([0, 2, 1]),
        np.array([70, 60, 70]),
        pa.array(list("abc")),
    ),
    np.array([0.5, -0.1, 1.25]),
)
ENTRY = Entry(
    day=0,
    sent=SENDS,
    waiting=Sends.none(),
    holds={"cap": 2},
    refused={"gap": 1},
    seconds={"deciding": 0.5},
    models=[{"model": "churn", "promoted": False}],
)
RUN = {"world": "clusters", "customers": 3}
PLAN = Plan(
    world="clusters",
    customers=100,
    days=2,
    history=10,
    home=Path("nowhere"),
    policy=Path("policy.yaml"),
    catalogue=Path("catalogue.yaml"),
    retrain_days=28,
    refresh_days=7,
)


def ran(seed: int, margin: float) -> Simulated:
    pairs = Pairs(channel=np.array([0, 2]), expected=np.array([0.1, 0.2]), true=np.array([0.0, 0.4]))
    return Simulated(
        seed=seed,
        customers=100,
        days=[Account(margin=margin, cost=2.0, sent=2, unsubscribed=1)],
        sends={"email": 1, "push": 0, "sms": 1},
        holds={"cap": 1},
        refused={},
        violations={"caps": 0, "quiet": 0},
        models={0: [{"model": "churn", "status": "measured", "promoted": True, "reason": "better"}]},
        seconds={"deciding": 1.234},
        pairs=pairs,
    )


def test_messages_survive_being_written_down():
    back = Sends.from_json(SENDS.as_json())
    assert back.as_json() == SENDS.as_json()
    assert Sends.from_json(Sends.none().as_json()).as_json() == Sends.none().as_json()


def test_messages_are_confirmed_in_the_order_they_go():
    moments = list(SENDS.by_moment())
    assert [ids for _, ids in moments] == [["b"], ["a", "c"]]
    assert moments[0][0] == datetime(1970, 1, 1, 0, 1, tzinfo=UTC)


def test_sends_are_picked_by_their_decisions():
    assert SENDS.named({"c"}).messages.customer.tolist() == [3]
    assert len(SENDS.named(set())) == 0


def test_a_diary_gives_its_days_back(tmp_path):
    diary = Diary(tmp_path)
    assert not diary.begun(RUN)
    diary.begin(RUN)
    diary.add(ENTRY)
    assert diary.begun(RUN)
    assert [entry.line() for entry in diary.entries()] == [ENTRY.line()]
    assert days_finished(tmp_path) == 1


def test_a_line_that_was_cut_off_is_no_day(tmp_path):
    diary = Diary(tmp_path)
    diary.begin(RUN)
    diary.add(ENTRY)
    with diary.path.open("ab") as file:
        file.write(ENTRY.line()[:40])
    assert len(diary.entries()) == 1
    diary.add(replace(ENTRY, day=1))
    assert [entry.day for entry in diary.entries()] == [0, 1]


def test_a_home_of_another_run_is_refused_by_what_differs(tmp_path):
    Diary(tmp_path).begin(RUN)
    with pytest.raises(ValueError, match=r"'customers': \(3, 4\).*give another --home"):
        Diary(tmp_path).begun({**RUN, "customers": 4})


def test_a_home_in_which_a_run_is_at_work_is_refused_by_its_name(tmp_path):
    world, past = lived(customers=20, history=2)
    documents = {name: EXAMPLE / f"{name}.yaml" for name in ("policy", "catalogue")}
    with held(tmp_path), pytest.raises(RuntimeError, match=f"{tmp_path}: another run is at work there"):
        run_loop(world.fork(), past, home=tmp_path, days=1, **documents)
    assert not Diary(tmp_path).path.exists()


def test_a_home_is_free_again_when_its_run_ends(tmp_path):
    with pytest.raises(OSError, match="the disk is full"), held(tmp_path):
        raise OSError("the disk is full")
    with held(tmp_path):
        pass


def test_the_clock_stands_until_it_is_moved():
    clock = MovableClock(NOW)
    assert clock.now() == clock.now() == NOW
    clock.move(NOW + timedelta(days=1))
    assert clock.now() == NOW + timedelta(days=1)


def test_features_are_missing_before_the_first_refresh(tmp_path):
    with pytest.raises(FeaturesNotBuiltError):
        StandingFeatures(tmp_path).online(["c1"], now=NOW)


def test_a_simulation_never_meets_a_real_store(tmp_path, monkeypatch):
    monkeypatch.setenv("KAIROS_LEDGER_URL", "postgresql://real/ledger")
    monkeypatch.setenv("KAIROS_MLFLOW_URI", "http://real.example.org")
    monkeypatch.setenv("KAIROS_NOW", "2017-01-01T00:00:00Z")
    settings = settings_in(tmp_path, policy=Path("p"), catalogue=Path("c"), salt="s")
    assert settings.ledger == f"sqlite:///{tmp_path / 'ledger.db'}"
    assert settings.tracking_uri == f"sqlite:///{tmp_path / 'mlruns' / 'mlflow.db'}"
    assert settings.now is None


def test_an_unknown_family_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="no family of worlds 'mars': choose among clusters, "):
        replace(PLAN, world="mars")


def test_seeds_are_averaged_with_an_interval():
    report = Simulation(plan=PLAN, runs=[ran(1, 12.0), ran(2, 22.0)])
    assert report.value == pytest.approx(0.15)
    low, high = report.interval
    assert low < 0.15 < high
    assert report.as_json()["violations"] == 0


def test_one_seed_has_no_interval():
    assert Simulation(plan=PLAN, runs=[ran(1, 12.0)]).interval is None


def test_the_table_says_what_came_of_it():
    console = Console(record=True, width=140)
    broken = replace(ran(2, 22.0), violations={"caps": 3})
    console.print(*summary(Simulation(plan=PLAN, runs=[ran(1, 12.0), broken])), sep="\n")
    text = console.export_text()
    assert "Value per customer over 2 seeds: 0.150 €" in text
    assert "broken: 3 × caps" in text
    assert "500" in text  # one of two left


def test_a_seed_that_fails_says_why(tmp_path):
    plan = replace(PLAN, home=tmp_path, policy=tmp_path / "none.yaml", customers=20, history=2)
    with pytest.raises((FileNotFoundError, ValueError), match=r"none\.yaml"):
        simulate(plan, seeds=[1])
