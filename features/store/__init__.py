"""Feast around the feature tables: point-in-time training sets, materialization, online reads."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from features.store.errors import FeaturesUnavailable

if TYPE_CHECKING:
    from features.store.store import FeatureStore, Materialized

__all__ = ["FeatureStore", "FeaturesUnavailable", "Materialized"]


def __getattr__(name: str) -> Any:
    """Import the store itself when it is first asked for: reading online rows needs neither Ibis nor Feast."""
    if name in {"FeatureStore", "Materialized"}:
        return getattr(import_module("features.store.store"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
