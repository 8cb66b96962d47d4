"""The registered versions of a model, without MLflow where the registry is the embedded one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training import shelf

if TYPE_CHECKING:
    from decisions.scorers.base import Kind
    from runtime.settings import Settings
    from training.version import Version


def versions_of(settings: Settings, model: Kind) -> list[Version]:
    """Return all versions of ``model``, the latest first; none where it was never registered."""
    try:
        return shelf.versions(settings.tracking_uri, f"{settings.model_prefix}-{model}", model)
    except shelf.NotEmbeddedError:
        from pipelines.jobs.training import registry_of  # MLflow: seconds

        return registry_of(settings).versions(model)
