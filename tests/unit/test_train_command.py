"""`kairos train`: every verdict is said, and a failure shows in the exit code."""

import json
from contextlib import nullcontext

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
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
