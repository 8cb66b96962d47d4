"""The event lake that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.lake import Lake

if TYPE_CHECKING:
    from runtime.settings import Settings


def lake_of(settings: Settings) -> Lake:
    """Return the event lake that ``settings`` name."""
    return Lake(
        settings.lake, buckets=settings.buckets, memory_limit=settings.memory_limit, threads=settings.threads
    )
