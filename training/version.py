"""A registered version, as people and jobs read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from decisions.scorers.base import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One registered version. ``artefact`` is the content hash of its scorer; ``metrics`` are its run's."""

    model: Kind
    version: str
    artefact: str
    run_id: str
    aliases: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
