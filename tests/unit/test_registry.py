import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from decisions.scorers.loading import load_scorer
from decisions.scoring import batch_of
from features.faults import CustomerFault
from runtime.quiet import switch_off_usage_statistics
from tests.worlds.training import buyers, world
from training.fitting import Boosting
from training.jobs import train, train_one
from training.models import NoLabels
from training.models.channel import TrainChannel
from training.registry import Registry, prepare_store
from training.sets import MOMENT, spine, with_features

TINY = Boosting(rounds=20, min_child=10)
CHANNEL = TrainChannel(days=14, boosting=TINY, least=10)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sources():
    return world(buyers(customers=120))


@pytest.fixture(scope="module")
def registry(tmp_path_factory, mlflow_store):
    switch_off_usage_statistics()
    root = tmp_path_factory.mktemp("mlruns")
    shutil.copy(mlflow_store, root / "mlflow.db")
    return Registry(prepare_store(root))


@pytest.fixture(scope="module")
def whole(sources):
    return CHANNEL.fit(sources, seed=1)


@pytest.fixture(scope="module")
def fitted(whole):
    """The fit without its plainer forms, one of which ties with it in this world."""
    return replace(whole, simpler=())


class Refitted:
    """A model that was fitted before, so that one fit serves many trainings."""

    name = "channel"

    def __init__(self, fitted):
        self.fitted = fitted

    def fit(self, sources, *, tune=0, seed):
        return self.fitted


@pytest.fixture(scope="module")
def first(sources, registry, fitted):
    return train_one(Refitted(fitted), sources, registry, seed=1)


def test_the_first_model_that_beats_its_baseline_becomes_champion(first, registry):
    assert first.promoted
    assert first.interval[0] > 0
    assert first.reason.endswith("not randomised")
    assert registry.champion("channel").version == first.version
    assert registry.champions().keys() == {"channel"}


def test_a_model_that_ties_with_a_plainer_form_leaves_the_decision_to_it(whole, sources, registry):
    plain = Registry(registry.uri, prefix="plain")
    outcome = train_one(Refitted(whole), sources, plain, seed=1)
    assert not outcome.promoted
    assert outcome.decides == "own_rate (version 1)"
    assert plain.champion("channel").artefact == whole.simpler[1].scorer.version
    assert plain.version("channel", outcome.version).aliases == ("challenger",)
    assert "decides until something beats it" in plain.champion("channel").reason

    again = train_one(Refitted(whole), sources, plain, seed=1)
    assert again.decides == outcome.decides
    assert len(plain.versions("channel")) == 2


def test_a_noisy_model_leaves_the_decision_to_everybodys_measured_rate(whole, sources, registry, tmp_path):
    poor = np.clip(
        whole.backtest.scores["base_rate"] + np.random.default_rng(1).normal(0, 0.2, len(whole.backtest.truth)),
        0.01,
        0.99,
    )
    scores = {**whole.backtest.scores, "channel": poor}
    lost = replace(whole, simpler=whole.simpler[:1], backtest=replace(whole.backtest, scores=scores))
    plain = Registry(registry.uri, prefix="pooled")
    outcome = train_one(Refitted(lost), sources, plain, seed=1)
    assert outcome.decides == "base_rate (version 1)"
    scorer = load_scorer("channel", plain.fetch(plain.champion("channel"), tmp_path))
    asked = spine(pa.array(["c0000", "c0001"]), pa.array([sources.now] * 2, MOMENT))
    answer = scorer.predict(
        batch_of(with_features(sources.store, asked), priors=sources.priors, offers=sources.offers)
    )
    rate = whole.backtest.scores["base_rate"][0]
    assert answer.probability["mail"].tolist() == pytest.approx([rate, rate])
    assert not any(note.startswith("prior:channel:mail") for note in answer.notes)


def test_the_same_content_is_not_registered_twice(first, sources, registry, fitted):
    again = train_one(Refitted(fitted), sources, registry, seed=1)
    assert again.promoted
    assert again.version == first.version
    assert "champion already" in again.reason
    assert len(registry.versions("channel")) >= 1


def test_a_model_that_is_no_better_than_the_champion_becomes_challenger_and_can_be_promoted_and_rolled_back(
    first, sources, registry
):
    second = train_one(TrainChannel(days=14, boosting=TINY, least=10), sources, registry, tune=1, seed=2)
    assert not second.promoted
    assert "better than champion" in second.reason
    assert "; better than champion" not in second.reason
    assert "champion" in second.others
    assert registry.version("channel", second.version).aliases == ("challenger",)

    assert registry.promote("channel", second.version).aliases == ("champion",)
    assert registry.promote("channel", second.version).aliases == ("champion",)
    assert registry.rollback("channel").version == first.version
    assert registry.champion("channel").version == first.version
    with pytest.raises(LookupError, match="none to go back to"):
        registry.rollback("channel")


def test_the_artefact_can_be_fetched_and_answers_as_what_was_fitted(first, registry, fitted, tmp_path):
    scorer = load_scorer("channel", registry.fetch(registry.champion("channel"), tmp_path))
    assert scorer.version == fitted.scorer.version == registry.champion("channel").artefact
    assert np.array_equal(fitted.rescore(scorer), fitted.backtest.scores["channel"])


def test_the_champion_loads_as_an_mlflow_model_and_as_a_booster(first, registry, fitted, sources):
    import mlflow

    mlflow.set_tracking_uri(registry.uri)
    model = mlflow.pyfunc.load_model("models:/kairos-channel@champion")
    asked = spine(pa.array(["c0000", "c0001"]), pa.array([sources.now] * 2, MOMENT))
    frame = with_features(sources.store, asked)
    names = model.metadata.get_input_schema().input_names()
    found = model.predict(frame.to_pandas()[names])
    assert found["probability:mail"].tolist() == pytest.approx(fitted.scorer.engage(frame, "mail").tolist())
    assert found["probability:email"].tolist() == [0.03, 0.03]


def test_the_run_holds_card_plots_numbers_and_no_customer(first, registry):
    from mlflow import MlflowClient

    client = MlflowClient(registry.uri)
    run = client.get_run(registry.champion("channel").run_id)
    assert {item.path for item in client.list_artifacts(run.info.run_id)} >= {"model_card.md", "plots", "scorer"}
    assert run.data.metrics["log_loss"] == pytest.approx(first.value)
    assert run.data.params["fingerprint"]
    assert run.data.tags["status"] == "measured"
    card = mlflow_text(client, run.info.run_id)
    assert "## Limits" in card
    assert "c0000" not in card + str(run.data)


def mlflow_text(client, run_id):
    return Path(client.download_artifacts(run_id, "model_card.md")).read_text("utf-8")


def test_a_model_without_labels_registers_nothing_and_says_why(sources, registry):
    class Empty:
        name = "fatigue"

        def fit(self, sources, *, tune=0, seed):
            return NoLabels(reason="nothing was randomised")

    seen = []
    (outcome,) = train([Empty()], sources, registry, seed=1, progress=seen.append)
    assert seen == ["fatigue"]
    assert (outcome.status, outcome.reason) == ("no_labels", "nothing was randomised")
    assert outcome.value is outcome.interval is outcome.version is outcome.n is None
    assert registry.versions("fatigue") == []
    assert outcome.as_json()["promoted"] is False


def test_a_model_that_fails_is_named_with_feature_and_customers_and_stops_no_other(
    first, sources, registry, fitted
):
    class Broken:
        name = "churn"

        def fit(self, sources, *, tune=0, seed):
            raise CustomerFault("values are below zero", feature="tenure_days", customers=("c4", "c2", "c1", "c3"))

    class Odd(Broken):
        name = "fatigue"

        def fit(self, sources, *, tune=0, seed):
            raise KeyError("somebody@example.org")

    broken, odd, well = train([Broken(), Odd(), Refitted(fitted)], sources, registry, seed=1)
    assert (broken.status, odd.status, well.status) == ("failed", "failed", "measured")
    assert "churn could not be trained (feature tenure_days): values are below zero" in broken.reason
    assert broken.culprits == "4 customers, such as 'c1', 'c2', 'c3'"
    assert "c1" not in broken.reason + str(broken.as_json())
    noted = [run.data.tags.get("reason", "") for run in registry_runs(registry)]
    assert any("below zero" in reason for reason in noted)
    assert not any("c1" in reason or "example.org" in reason for reason in noted)


def registry_runs(registry):
    client = registry._mlflow
    return client.search_runs([client.get_experiment_by_name("kairos").experiment_id])


def test_an_unknown_version_is_named_with_those_there_are(first, registry):
    with pytest.raises(LookupError, match="no version '99'; it has"):
        registry.promote("channel", "99")
    with pytest.raises(LookupError, match="none yet"):
        registry.promote("offer", "1")


def test_a_store_is_prepared_once_and_found_again(tmp_path, registry):
    root = Path(registry.uri.removeprefix("sqlite:///")).parent
    shutil.copy(root / "mlflow.db", tmp_path / "mlflow.db")
    assert prepare_store(tmp_path) == f"sqlite:///{tmp_path / 'mlflow.db'}"


def test_nothing_in_the_store_names_a_customer(first, registry):
    root = Path(registry.uri.removeprefix("sqlite:///")).parent
    named = re.compile(rb"(?<![0-9a-zA-Z])c0[01][0-9]{2}(?![0-9a-zA-Z])")  # as the world's buyers are called
    files = [each for each in root.rglob("*") if each.is_file()]
    assert len(files) > 10
    assert [each.name for each in files if each.suffix != ".png" and named.search(each.read_bytes())] == []
