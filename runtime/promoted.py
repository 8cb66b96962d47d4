"""Bring the registry's ``@champion`` of each model to this machine. The only module here that knows MLflow.

``kairos train`` and ``kairos models promote|rollback`` call :func:`refresh` when they are done; the service never
does, because MLflow takes seconds to import and may be away when a decision is due.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from decisions.scorers.base import KINDS, Kind
from decisions.scorers.loading import load_scorer
from runtime.champions import Champion, Champions
from runtime.quiet import switch_off_usage_statistics

if TYPE_CHECKING:
    from runtime.settings import Settings

ALIAS = "champion"
ARTEFACT = "scorer"
"""Below this path a run logs the directory that :mod:`decisions.scorers.artefact` describes."""

CONTENT_TAG = "artefact"
"""The tag of a version that holds its artefact's content hash."""

_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}  # no such model; no such alias


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A version of a registered model, its run and, where it is tagged, its artefact's content hash."""

    name: str
    version: str
    run_id: str
    content: str | None = None


class Registry(Protocol):
    """What is asked of a model registry."""

    def champion(self, kind: Kind) -> Registered | None:
        """Return the version that carries the alias, or None where there is none.

        Raises:
            RegistryAwayError: when the registry does not answer.
        """
        ...

    def download(self, registered: Registered, into: Path) -> Path:
        """Download the artefact below ``into`` and return its directory. Raises as ``champion`` does."""
        ...


class RegistryAwayError(RuntimeError):
    """The model registry does not answer; what was brought before stays in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What came of a refresh: the champions now in use, and a note for each kind that kept what it had."""

    champions: Mapping[Kind, Champion]
    notes: tuple[str, ...] = ()


def refresh(champions: Champions, registry: Registry) -> Refreshed:
    """Bring every kind's champion, then point to all of them at once.

    A kind without a champion falls back to its prior. A kind whose champion cannot be brought (the registry is
    away, the artefact damaged) keeps the copy in use so far, with a note.
    """
    before = champions.chosen()
    after: dict[Kind, Champion | None] = {}
    notes: list[str] = []
    away: RegistryAwayError | None = None
    for kind in KINDS:
        try:
            after[kind] = _bring(kind, champions, registry, away=away)
        except (RegistryAwayError, ValueError, OSError) as error:
            away = error if isinstance(error, RegistryAwayError) else away
            notes.append(f"{kind}: kept {before[kind].label if kind in before else 'the prior'}: {error}")
            after[kind] = before.get(kind)
    found = {kind: champion for kind, champion in after.items() if champion is not None}
    champions.choose(found.values())
    return Refreshed(champions=found, notes=tuple(notes))


def _bring(
    kind: Kind, champions: Champions, registry: Registry, *, away: RegistryAwayError | None
) -> Champion | None:
    if away is not None:
        raise away  # it was asked once; asking again would wait as long again
    registered = registry.champion(kind)
    if registered is None:
        return None
    known = _champion(kind, registered, registered.content) if registered.content else None
    if known is not None and champions.has(known):
        return known
    with tempfile.TemporaryDirectory() as folder:
        artefact = registry.download(registered, Path(folder))
        champion = known or _champion(kind, registered, load_scorer(kind, artefact).version)
        champions.keep(champion, artefact)
    return champion


def _champion(kind: Kind, registered: Registered, content: str) -> Champion:
    return Champion(kind=kind, name=registered.name, version=registered.version, content=content)


class MlflowRegistry:
    """The registry at ``uri``; registered models are called ``<prefix>-<kind>``."""

    def __init__(self, uri: str, *, prefix: str) -> None:
        self.uri = uri
        self.prefix = prefix

    @classmethod
    def of(cls, settings: Settings) -> MlflowRegistry:
        """Return the registry that ``settings`` name."""
        return cls(settings.tracking_uri, prefix=settings.model_prefix)

    def champion(self, kind: Kind) -> Registered | None:
        """Return the version that carries the alias, or None."""
        if self._is_a_database_not_made_yet():
            return None
        from mlflow.exceptions import MlflowException  # noqa: PLC0415  # seconds to import

        name = f"{self.prefix}-{kind}"
        try:
            found = self._client().get_model_version_by_alias(name, ALIAS)
        except MlflowException as error:
            if error.error_code in _ABSENT:
                return None
            raise RegistryAwayError(f"MLflow did not say who is {name}@{ALIAS}: {error}") from error
        content = found.tags.get(CONTENT_TAG)
        return Registered(name=name, version=str(found.version), run_id=str(found.run_id), content=content)

    def download(self, registered: Registered, into: Path) -> Path:
        """Download the run's artefact below ``into``."""
        from mlflow.exceptions import MlflowException  # noqa: PLC0415  # seconds to import

        try:
            return Path(self._client().download_artifacts(registered.run_id, ARTEFACT, str(into)))
        except (MlflowException, OSError) as error:
            what = f"{registered.name}/{registered.version}"
            raise RegistryAwayError(f"MLflow did not give the artefact of {what}: {error}") from error

    def _client(self) -> Any:
        switch_off_usage_statistics()
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # one file is no progress
        from mlflow import MlflowClient  # noqa: PLC0415  # seconds to import

        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def _is_a_database_not_made_yet(self) -> bool:
        # Asking would make it, which costs ten seconds of migrations to learn that it is empty.
        path = self.uri.removeprefix("sqlite:///")
        return path != self.uri and not Path(path).exists()
