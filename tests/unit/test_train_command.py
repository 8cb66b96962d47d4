"""`kairos train`: every verdict is said, and a failure shows in the exit code."""

import json
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.jobs import training
from runtime.settings import Settings
from training.outcome import Outcome

WELL = Outcome(model="channel", status="measured", reason="better than base_rate", promoted=True)
CANNOT_TELL = Outcome(model="offer", status="no_labels", reason="nobody bought")
FAILED = Outcome(
    model="churn",
    status="failed",
    reason="churn could not be trained (feature tenure_days): below 0",
    culprits="4 customers, such as 'c1', 'c2', 'c3'",
)


@pytest.fixture
def trained(monkeypatch):
    """Run `kairos train --json` as if training had come to these outcomes."""

    def run(*outcomes):
        monkeypatch.setattr("pipelines.commands.models.kairos_of", lambda **_options: nullcontext())
        monkeypatch.setattr("pipelines.jobs.training.train_models", lambda *_args, **_options: list(outcomes))
        return CliRunner().invoke(app, ["train", "--json"])

    return run


def test_one_failure_lets_the_others_be_said_and_ends_in_one(trained):
    result = trained(WELL, FAILED, CANNOT_TELL)
    assert result.exit_code == 1
    models = json.loads(result.stdout.splitlines()[-1])["models"]
    assert {name: each["status"] for name, each in models.items()} == {
        "channel": "measured",
        "churn": "failed",
        "offer": "no_labels",
    }
    assert "feature tenure_days): below 0 (4 customers, such as 'c1', 'c2', 'c3')" in result.stderr
    assert "c1" not in result.stdout


def test_data_that_cannot_tell_are_no_failure(trained):
    assert trained(WELL, CANNOT_TELL).exit_code == 0


def test_an_interrupted_training_changes_nothing_that_decides(monkeypatch, tmp_path):
    trained, switched = [], []

    def one(models, *_args, **_options):
        trained.append(models[0].name)
        if len(trained) > 1:
            raise KeyboardInterrupt
        return [WELL]

    monkeypatch.setattr("training.jobs.train", one)
    monkeypatch.setattr(training, "sources_of", lambda *_args, **_options: None)
    monkeypatch.setattr(training, "registry_of", lambda *_args: None)
    monkeypatch.setattr(training, "fetch_champions", lambda *_args: switched.append(True))
    kairos = SimpleNamespace(settings=Settings(home=tmp_path), clock=SimpleNamespace(now=lambda: None))
    with pytest.raises(KeyboardInterrupt):
        training.train_models(kairos)
    assert len(trained) == 2
    assert not switched


def test_a_horizon_of_the_settings_is_kept_unless_the_command_names_another(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr("training.jobs.train", lambda models, *_args, **_options: asked.extend(models) or [])
    monkeypatch.setattr(training, "sources_of", lambda *_args, **_options: None)
    monkeypatch.setattr(training, "registry_of", lambda *_args: None)
    monkeypatch.setattr(training, "fetch_champions", lambda *_args: None)
    settings = Settings(home=tmp_path, horizons={"churn": 90})
    kairos = SimpleNamespace(settings=settings, clock=SimpleNamespace(now=lambda: None))
    training.train_models(kairos, ["churn", "channel"])
    assert [(each.name, each.days, each.exact) for each in asked] == [("channel", 28, False), ("churn", 90, True)]
    asked.clear()
    training.train_models(kairos, ["churn"], days=30)
    assert [(each.days, each.exact) for each in asked] == [(30, True)]
