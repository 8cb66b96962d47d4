"""MLflow: a run per training, a version per model, and the aliases that say which one decides.

Where things lie, for whoever reads: registered models are called ``<prefix>-<kind>``; ``@champion`` is in use,
``@challenger`` the latest that did not pass. Each version's run holds the artefact under ``scorer/``
(``mlflow.artifacts.download_artifacts(run_id=version.run_id, artifact_path="scorer")``), the card as
``model_card.md``, plots under ``plots/``, and each booster in MLflow's own LightGBM flavour. The version itself
loads with ``mlflow.pyfunc`` (:mod:`training.loading`). The version's tag ``artefact`` is the content hash.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from decisions.scorers.base import KINDS, Kind
from training.cards import card, draw_plots
from training.loading import ARTEFACT, write_model
from training.runs import REQUIREMENTS, log_boosters, log_numbers, signature
from training.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from training.gates import Verdict
    from training.models import Fitted
    from training.sources import TrainingSources

CHAMPION, CHALLENGER = "champion", "challenger"
EXPERIMENT = "kairos"
_REIGNS = "champions"
"""Tag of a registered model: its champions so far, oldest first, so that a rollback knows where to go."""


def prepare_store(root: Path) -> str:
    """Make or migrate the embedded store below ``root`` and return its URI for tracking and registry."""
    root = root.absolute()
    (root / "artifacts").mkdir(parents=True, exist_ok=True)
    uri = f"sqlite:///{root / 'mlflow.db'}"
    _experiment(_client(uri), artifacts=(root / "artifacts").as_uri())
    return uri


def _client(uri: str) -> Any:
    from mlflow import MlflowClient  # noqa: PLC0415  # seconds to import

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _experiment(client: Any, *, artifacts: str | None = None) -> str:
    """Return the experiment's id. The embedded store is told where artefacts go (absolute), a server knows."""
    found = client.get_experiment_by_name(EXPERIMENT)
    return str(found.experiment_id if found else client.create_experiment(EXPERIMENT, artifact_location=artifacts))


class Registry:
    """The registry behind ``uri``, as training writes it and people steer it."""

    def __init__(self, uri: str, *, prefix: str = "kairos") -> None:
        """Connect; nothing is read or written yet."""
        self.uri = uri
        self.prefix = prefix
        self._mlflow = _client(uri)

    def name(self, model: Kind) -> str:
        """Return what the model is called in the registry."""
        return f"{self.prefix}-{model}"

    @contextmanager
    def run(self, model: Kind, *, nested: bool = False) -> Iterator[str]:
        """Open a run for one training and give its id; trials and plainer fits nest below it."""
        import mlflow  # noqa: PLC0415  # seconds to import

        mlflow.set_tracking_uri(self.uri)
        mlflow.set_registry_uri(self.uri)
        experiment = _experiment(self._mlflow)
        with mlflow.start_run(
            experiment_id=experiment, run_name=model, tags={"model": model}, nested=nested
        ) as run:
            yield run.info.run_id

    def note(self, run_id: str, **tags: str) -> None:
        """Tag a run."""
        for name, value in tags.items():
            self._mlflow.set_tag(run_id, name, value)

    def register(self, fitted: Fitted, verdict: Verdict, sources: TrainingSources) -> Version:
        """Log the fit to the open run and register it as a new version. It decides nothing until promoted."""
        import mlflow  # noqa: PLC0415  # seconds to import

        with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
            # The signature is given; an input example would be customers' features in the registry.
            warnings.filterwarnings("ignore", message=".*input example.*")
            directory = Path(scratch)
            write_model(directory / "model", fitted.scorer, offers=sources.offers, priors=sources.priors)
            draw_plots(fitted, directory / "plots")
            log_numbers(fitted, verdict)
            mlflow.log_artifacts(str(directory / "model" / ARTEFACT), ARTEFACT)
            mlflow.log_artifacts(str(directory / "plots"), "plots")
            log_boosters(directory / "model" / ARTEFACT)
            logged = mlflow.pyfunc.log_model(
                name="model",
                loader_module="training.loading",
                data_path=str(directory / "model"),
                pip_requirements=list(REQUIREMENTS),
                signature=signature(fitted.inputs),
            )
        version = self._created(fitted, verdict, logged)
        mlflow.log_text(card(fitted, verdict, version=f"version {version.version}"), "model_card.md")
        return version

    def _created(self, fitted: Fitted, verdict: Verdict, logged: Any) -> Version:
        model = fitted.scorer.kind
        if self._registered(model) is None:
            self._mlflow.create_registered_model(self.name(model))
        created = self._mlflow.create_model_version(
            self.name(model),
            source=logged.model_uri,
            run_id=logged.run_id,
            model_id=logged.model_id,
            tags={"artefact": fitted.scorer.version, "reason": verdict.reason},
        )
        return self.version(model, str(created.version))

    def known(self, fitted: Fitted) -> Version | None:
        """Return the version with exactly this content, if it was registered before."""
        versions = self.versions(fitted.scorer.kind)
        return next((version for version in versions if version.artefact == fitted.scorer.version), None)

    def version(self, model: Kind, version: str) -> Version:
        """Return one version.

        Raises:
            LookupError: naming the versions there are.
        """
        found = {known.version: known for known in self.versions(model)}
        if version not in found:
            raise LookupError(
                f"{self.name(model)} has no version {version!r}; it has {', '.join(found) or 'none yet: train it'}"
            )
        return found[version]

    def versions(self, model: Kind) -> list[Version]:
        """Return all versions, the latest first; none where the model was never registered."""
        found = self._mlflow.search_model_versions(f"name = '{self.name(model)}'")
        aliases = self._aliases(model)
        ordered = sorted(found, key=lambda each: int(each.version), reverse=True)
        return [self._version(model, each, aliases) for each in ordered]

    def _version(self, model: Kind, found: Any, aliases: Mapping[str, str]) -> Version:
        number = str(found.version)
        return Version(
            model=model,
            version=number,
            artefact=found.tags.get("artefact", ""),
            run_id=found.run_id,
            aliases=tuple(sorted(alias for alias, version in aliases.items() if version == number)),
            metrics=dict(self._mlflow.get_run(found.run_id).data.metrics),
            reason=found.tags.get("reason", ""),
        )

    def _registered(self, model: Kind) -> Any | None:
        found = self._mlflow.search_registered_models(f"name = '{self.name(model)}'")
        return found[0] if found else None

    def _aliases(self, model: Kind) -> dict[str, str]:
        registered = self._registered(model)
        return {alias: str(version) for alias, version in registered.aliases.items()} if registered else {}

    def champion(self, model: Kind) -> Version | None:
        """Return the version in use, if there is one."""
        version = self._aliases(model).get(CHAMPION)
        return self.version(model, version) if version else None

    def champions(self) -> dict[Kind, Version]:
        """Return the versions in use by model."""
        found = {model: self.champion(model) for model in KINDS}
        return {model: version for model, version in found.items() if version}

    def fetch(self, version: Version, directory: Path) -> Path:
        """Copy a version's artefact below ``directory`` and return where it lies."""
        copied = self._mlflow.download_artifacts(version.run_id, ARTEFACT, str(directory))
        return Path(copied)

    def promote(self, model: Kind, version: str) -> Version:
        """Make ``version`` the champion, whatever the gate said: that is a person's right.

        Raises:
            LookupError: if there is no such version.
        """
        self.version(model, version)
        reigns = self._reigns(model)
        self._reign(model, reigns if reigns[-1:] == [version] else [*reigns, version])
        return self.version(model, version)

    def rollback(self, model: Kind) -> Version:
        """Make the champion before the present one champion again.

        Raises:
            LookupError: if there was none before.
        """
        reigns = self._reigns(model)
        if len(reigns) < 2:  # noqa: PLR2004  # the present one and one before it
            raise LookupError(f"{self.name(model)} has had {len(reigns)} champions: there is none to go back to")
        self._reign(model, reigns[:-1])
        return self.version(model, reigns[-2])

    def challenge(self, model: Kind, version: str) -> None:
        """Mark ``version`` as the challenger."""
        self._mlflow.set_registered_model_alias(self.name(model), CHALLENGER, version)

    def _reigns(self, model: Kind) -> list[str]:
        registered = self._registered(model)
        return list(json.loads(registered.tags.get(_REIGNS, "[]"))) if registered else []

    def _reign(self, model: Kind, reigns: list[str]) -> None:
        """Write the history before the alias: a crash in between leaves the old champion in use."""
        name = self.name(model)
        self._mlflow.set_registered_model_tag(name, _REIGNS, json.dumps(reigns))
        self._mlflow.set_registered_model_alias(name, CHAMPION, reigns[-1])
        if self._aliases(model).get(CHALLENGER) == reigns[-1]:
            self._mlflow.delete_registered_model_alias(name, CHALLENGER)
