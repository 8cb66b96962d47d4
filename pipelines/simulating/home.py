"""A home of its own for each simulated product: nothing in it is shared with a real one."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from pydantic import SecretStr

from features.files import locked, replacing
from runtime.retention import Retention
from runtime.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEMPLATE = "mlflow-template.db"


def settings_in(home: Path, *, policy: Path, catalogue: Path, salt: str) -> Settings:
    """Return the settings of the product at ``home``, whose draws are keyed by ``salt``.

    Whatever names a place is given, so that no setting of this machine leads a simulation into real stores.
    """
    return Settings(
        home=home,
        policy=policy,
        catalogue=catalogue,
        ledger_url=None,
        mlflow_root=home / "mlruns",
        mlflow_uri=None,
        model_prefix="kairos",
        buckets=1,
        threads=1,
        now=None,
        salt=SecretStr(salt),  # no secret: whoever repeats the simulation draws the same
        retention=Retention(),
    )


@contextmanager
def held(home: Path) -> Iterator[None]:
    """Hold ``home`` for one run: a second would write into the same diary and ledger.

    Raises:
        RuntimeError: where another run is at work there.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(home / ".run.lock", wait=False))
        except BlockingIOError:
            raise RuntimeError(
                f"{home}: another run is at work there; wait until it ends, or give another --home"
            ) from None
        yield


def prepare_models(settings: Settings) -> None:
    """Give the home an MLflow store: a copy of a migrated one, which the homes beside it share.

    Migrating a new store takes ten seconds.
    """
    store = settings.mlflow_root / "mlflow.db"
    if store.exists():
        return
    template = settings.home.parent / TEMPLATE
    with locked(settings.home.parent / f".{TEMPLATE}.lock"):
        if not template.exists():
            _migrate(template)
    with replacing(store) as draft:
        shutil.copyfile(template, draft)


def _migrate(template: Path) -> None:
    from mlflow import MlflowClient

    with replacing(template) as draft:
        uri = f"sqlite:///{draft}"
        MlflowClient(tracking_uri=uri, registry_uri=uri).search_registered_models()
