"""The product in a small known world: it keeps its promises, hears what came of its messages, survives a kill."""

import json
import shutil

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.options import ROOT
from pipelines.simulating import product, run_loop
from pipelines.simulating.diary import Diary
from pipelines.simulating.home import TEMPLATE
from runtime.build import build
from runtime.settings import Settings
from simulation.calendar import Calendar
from simulation.families import FAMILIES
from simulation.shop import ZONES
from simulation.world import START, World

pytestmark = pytest.mark.slow

EXAMPLE = ROOT / "examples" / "simulated_shop"
DAYS = 6
REFRESH = 4
CUSTOMERS = 150
HISTORY = 40

run = CliRunner()


class KilledError(Exception):
    """Raised in the middle of a day."""


class Looking:
    """Keeps what it is told."""

    def __init__(self):
        self.days = []

    def scored(self, day, scores):
        self.days.append((day, len(scores)))


@pytest.fixture(scope="module")
def begun():
    world = World.of(FAMILIES["clusters"], customers=CUSTOMERS, seed=1, history=HISTORY)
    return world, pa.concat_tables([day.events for day in world.past()])


@pytest.fixture(scope="module")
def loop(begun):
    """Run without training: priors decide, as what is shown of a kill needs no models."""
    world, past = begun

    def looped(home, **options):
        documents = {"policy": EXAMPLE / "policy.yaml", "catalogue": EXAMPLE / "catalogue.yaml"}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(product.Product, "train", lambda self, *names: [])
            schedule = {"days": DAYS, "until": DAYS, "refresh_days": REFRESH}
            return run_loop(world.fork(), past, home=home, **schedule, **documents, **options)

    return looped


@pytest.fixture(scope="module")
def unbroken(loop, tmp_path_factory):
    looking = Looking()
    home = tmp_path_factory.mktemp("unbroken")
    return home, loop(home, watch=looking), looking


def test_a_run_that_ends_for_good_leaves_nothing_to_send(unbroken):
    home, _, _ = unbroken
    waiting = [len(entry.waiting) for entry in Diary(home).entries()]
    assert waiting[-1] == 0 < waiting[0]


def test_no_promise_is_broken_and_messages_go(unbroken):
    _, looped, _ = unbroken
    assert sum(looped.violations.values()) == 0
    assert len(looped.days) == DAYS
    assert looped.account.sent == len(looped.pairs.channel) > 0.2 * CUSTOMERS
    assert set(looped.holds) >= {"consent_missing", "held_back"}


def test_outcomes_come_back_to_the_ledger(unbroken):
    home, looped, _ = unbroken
    settings = Settings(home=home, policy=EXAMPLE / "policy.yaml", catalogue=EXAMPLE / "catalogue.yaml")
    now = Calendar(START, ZONES).moment(DAYS)
    with build(settings) as kairos:
        states = kairos.ledger.states(kairos.ledger.customer_ids(), now)
    ours = [each for state in states.values() for each in state.pressure if each.decision_id]
    assert len(ours) >= looped.account.sent
    assert any(each.responded for each in ours)


def test_the_watcher_hears_everybody_scored_at_each_refresh(unbroken):
    assert unbroken[2].days == [(0, CUSTOMERS), (REFRESH, CUSTOMERS)]


def test_a_run_that_was_killed_ends_like_one_that_was_not(unbroken, loop, tmp_path, monkeypatch):
    _, whole, _ = unbroken
    monkeypatch.setattr(product.Product, "confirm", _killed_on_the_third_day())
    with pytest.raises(KilledError):
        loop(tmp_path)
    monkeypatch.undo()
    resumed = loop(tmp_path)
    assert [day.as_json() for day in resumed.days] == [day.as_json() for day in whole.days]
    assert resumed.pairs.expected.tolist() == whole.pairs.expected.tolist()
    assert resumed.pairs.true.tolist() == whole.pairs.true.tolist()
    assert resumed.holds == whole.holds
    assert resumed.violations == whole.violations


def _killed_on_the_third_day():
    """Confirm, and on day 2 die after half of the messages were confirmed."""
    real, calls = product.Product.confirm, []

    def confirm(self, due):
        calls.append(len(due))
        if len(calls) < 3:
            return real(self, due)
        half = set(due.ids[: len(due) // 2])
        assert half
        real(self, due.named(half))
        raise KilledError

    return confirm


def test_a_world_that_has_moved_on_is_refused(begun, loop, tmp_path):
    _, past = begun
    moved = World.of(FAMILIES["clusters"], customers=20, seed=1, history=2)
    with pytest.raises(ValueError, match="the world stands at day -2"):
        run_loop(moved, past, home=tmp_path, policy=tmp_path, catalogue=tmp_path, days=1)


def test_the_command_trains_and_prints_one_object(tmp_path, mlflow_store):
    (tmp_path / "clusters").mkdir()
    shutil.copy(mlflow_store, tmp_path / "clusters" / TEMPLATE)
    words = f"simulate --customers 120 --days 1 --history 30 --home {tmp_path} --json"
    answer = run.invoke(app, words.split())
    assert answer.exit_code == 0, answer.output
    report = json.loads(answer.stdout.strip().splitlines()[-1])
    assert report["violations"] == 0
    assert report["interval"] is None
    (only,) = report["runs"]
    assert {each["model"] for each in only["models"]["0"]} == {
        "send_time",
        "channel",
        "churn",
        "offer",
        "worth",
        "fatigue",
    }
    assert only["sent"] == sum(only["sends"].values()) == len(only["pairs"]["true"])
