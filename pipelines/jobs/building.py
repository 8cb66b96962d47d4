"""Feature tables from the lake, and the latest of them online."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.build import BuildReport, Zones, build_features
from features.progress import Progress, quiet
from features.vocabulary import Vocabulary
from pipelines.jobs.draining import drain_events
from pipelines.jobs.erasing import finish_erasures
from pipelines.jobs.retaining import retain
from pipelines.jobs.taking_turns import taking_turns
from runtime.lake import lake_of

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

    What came over HTTP since the last time comes first: events go into the lake, and whoever was erased goes out
    of every store. What is older than the settings keep it (``retention``) goes in the end.
    """
    with taking_turns(kairos.settings):
        drain_events(kairos, progress=progress)
        heard_at = kairos.clock.now()
        finish_erasures(kairos, progress=progress)
        report = _build(kairos, until or kairos.clock.now(), heard_at, progress)
        retain(kairos, progress=progress)
    return report


def _build(kairos: Kairos, until: datetime, heard_at: datetime, progress: Progress) -> BuildReport:
    zones = kairos.policy.time_zones
    return build_features(
        lake_of(kairos.settings),
        kairos.settings.features,
        vocabulary=vocabulary_of(kairos),
        until=until,
        heard_at=heard_at,
        zones=Zones(default=zones[0] if zones else "UTC"),
        progress=progress,
        memory_limit=kairos.settings.memory_limit,
        threads=kairos.settings.threads,
    )


def materialize(kairos: Kairos, *, progress: Progress = quiet) -> Materialized:
    """Put the latest snapshots online, and Feast's registry where its own tools find it."""
    store = store_of(kairos)
    with taking_turns(kairos.settings):
        store.apply()
        return store.materialize(progress=progress)
