"""Feast around the feature tables: point-in-time training sets, materialization, online reads."""

from features.store.errors import FeaturesUnavailable
from features.store.store import FeatureStore, Materialized

__all__ = ["FeatureStore", "FeaturesUnavailable", "Materialized"]
