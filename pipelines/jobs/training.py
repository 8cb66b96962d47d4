"""Train, register, promote; and steer the registry by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from decisions.scorers.base import KINDS
from features.progress import Progress, quiet
from pipelines.jobs.building import store_of, vocabulary_of
from runtime.lake import lake_of
from runtime.promoted import MlflowRegistry, Refreshed, refresh
from runtime.quiet import switch_off_usage_statistics

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from decisions.scorers.base import Kind
    from runtime.build import Kairos
    from runtime.champions import Champion
    from runtime.settings import Settings
    from training.outcome import Outcome
    from training.registry import Registry
    from training.sources import TrainingSources


SEARCHES = "tuning.db"
"""Below the home: the trials of searches, so that one that was interrupted goes on."""


def registry_of(settings: Settings) -> Registry:
    """Return the model registry, making the embedded store where there is none yet."""
    switch_off_usage_statistics()
    from training.registry import Registry, prepare_store  # MLflow: seconds

    uri = settings.mlflow_uri or prepare_store(settings.mlflow_root)
    return Registry(uri, prefix=settings.model_prefix)


def sources_of(kairos: Kairos, *, now: datetime) -> TrainingSources:
    """Return everything a model may look at as of ``now``."""
    from pipelines.jobs.drawing import draws_of
    from training.sources import TrainingSources

    return TrainingSources(
        lake=lake_of(kairos.settings),
        store=store_of(kairos),
        vocabulary=vocabulary_of(kairos),
        priors=kairos.policy.priors,
        offers=kairos.catalogue.offers,
        now=now,
        memory_limit=kairos.settings.memory_limit,
        draws=draws_of(kairos),
    )


def train_models(
    kairos: Kairos,
    names: Sequence[Kind] = (),
    *,
    tune: int = 0,
    days: int | None = None,
    progress: Progress = quiet,
) -> list[Outcome]:
    """Train the named models (all six by default), and put what passed its gate into use.

    They look ``days`` ahead, or as far as the settings say (``horizons``), or as far as fits the events. One that
    fails says so in its outcome and stops no other.
    """
    from training.jobs import train
    from training.models.all import models
    from training.tuning import searching

    declared = {name: ahead for name in KINDS if (ahead := getattr(kairos.settings.horizons, name))}
    asked = declared if days is None else declared | dict.fromkeys(names or KINDS, days)
    chosen = [model for model in models(asked) if not names or model.name in names]
    sources = sources_of(kairos, now=kairos.clock.now())
    outcomes: list[Outcome] = []
    registry = registry_of(kairos.settings)
    with searching(kairos.settings.home / SEARCHES, progress):
        for done, model in enumerate(chosen):
            progress("train", done, len(chosen))
            outcomes += train([model], sources, registry, tune=tune, seed=kairos.settings.seed)
    progress("train", len(chosen), len(chosen))
    fetch_champions(kairos)
    return outcomes


def all_trained(outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Return ``outcomes``, for whom a part of the models is none.

    Raises:
        RuntimeError: where a model failed.
    """
    if failed := [each.reason for each in outcomes if each.status == "failed"]:
        raise RuntimeError("; ".join(failed))
    return outcomes


def fetch_champions(kairos: Kairos) -> Refreshed:
    """Bring each model's champion to this machine, where decisions read it; what changed goes on the trail."""
    before = kairos.champions.chosen()
    refreshed = refresh(kairos.champions, MlflowRegistry.of(kairos.settings))
    after = refreshed.champions
    switched = [_switch(kind, after.get(kind)) for kind in KINDS if before.get(kind) != after.get(kind)]
    if switched:
        kairos.ledger.trail.note("champions_switched", kairos.clock.now(), detail=", ".join(switched))
    return refreshed


def _switch(kind: Kind, champion: Champion | None) -> str:
    return f"{kind}: {champion.label if champion else 'prior'}"
