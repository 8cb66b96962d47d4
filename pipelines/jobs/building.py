"""Feature tables from the lake, and the latest of them online."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.build import BuildReport, Zones, build_features
from features.progress import Progress, quiet
from features.vocabulary import Vocabulary
from pipelines.jobs.draining import drain_events
from pipelines.jobs.importing import lake_of

if TYPE_CHECKING:
    from datetime import datetime

    from features.store import FeatureStore
    from features.store.store import Materialized
    from runtime.build import Kairos


def vocabulary_of(kairos: Kairos) -> Vocabulary:
    """Return the channels and categories that policy and catalogue speak of."""
    return Vocabulary(channels=tuple(sorted(kairos.policy.channels)), categories=kairos.catalogue.categories)


def store_of(kairos: Kairos) -> FeatureStore:
    """Return the feature store below the settings' home."""
    from features.store import FeatureStore  # imports Feast: seconds

    return FeatureStore(
        kairos.settings.features,
        vocabulary_of(kairos),
        memory_limit=kairos.settings.memory_limit,
        threads=kairos.settings.threads,
    )


def build_tables(kairos: Kairos, *, until: datetime | None = None, progress: Progress = quiet) -> BuildReport:
    """Build every feature table up to ``until`` (default: now), a bucket at a time.

    What came over HTTP since the last time is brought into the lake first.
    """
    drain_events(kairos, progress=progress)
    zones = kairos.policy.time_zones
    return build_features(
        lake_of(kairos.settings),
        kairos.settings.features,
        vocabulary=vocabulary_of(kairos),
        until=until or kairos.clock.now(),
        zones=Zones(default=zones[0] if zones else "UTC"),
        progress=progress,
        memory_limit=kairos.settings.memory_limit,
        threads=kairos.settings.threads,
    )


def materialize(kairos: Kairos, *, progress: Progress = quiet) -> Materialized:
    """Put the latest snapshots online, and Feast's registry where its own tools find it."""
    store = store_of(kairos)
    store.apply()
    return store.materialize(progress=progress)
