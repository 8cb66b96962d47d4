"""What Feast is told: one entity, a feature view for each of our views, and two feature services.

Only imported where Feast is needed: that takes seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Array, Float64, String

from features.store.services import SERVING, TRAINING
from features.tables.moments import CUSTOMER
from features.views import View, views

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from features.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Definitions:
    """Everything that is registered for one vocabulary over one set of files."""

    entities: tuple[Entity, ...]
    feature_views: tuple[FeatureView, ...]
    feature_services: tuple[FeatureService, ...]

    @property
    def all(self) -> list[Entity | FeatureView | FeatureService]:
        """Everything, in the order it depends on each other."""
        return [*self.entities, *self.feature_views, *self.feature_services]


def define(vocabulary: Vocabulary, root: Path, *, ttl: timedelta, files: str = "*.parquet") -> Definitions:
    """Return the definitions over the Parquet ``files`` of each view below ``root``."""
    customer = Entity(name="customer", join_keys=[CUSTOMER], value_type=ValueType.STRING)
    every = views(vocabulary)
    defined = {view.name: _feature_view(view, customer, root / view.name / files, ttl) for view in every}
    daily = [defined[view.name] for view in every if view.daily]
    services = (
        FeatureService(name=TRAINING, features=daily),
        FeatureService(name=SERVING, features=list(defined.values())),
    )
    return Definitions((customer,), tuple(defined.values()), services)


def _feature_view(view: View, customer: Entity, files: Path, ttl: timedelta) -> FeatureView:
    dtype = Array(String) if view.texts else Array(Float64)
    source = FileSource(
        name=f"{view.name}_files",
        path=str(files),
        timestamp_field="event_timestamp",
        created_timestamp_column="created_at",
    )
    return FeatureView(
        name=view.name,
        entities=[customer],
        ttl=ttl,
        schema=[Field(name=CUSTOMER, dtype=String), Field(name=view.name, dtype=dtype)],
        source=source,
        tags={"columns": ",".join(view.columns)},
    )
