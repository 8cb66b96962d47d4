"""Open Feast over a folder of ours, and give it a DuckDB with bounds."""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Any

import ibis
import yaml

from features.engine import bounded_duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from pathlib import Path

    from features.vocabulary import Vocabulary

_ONE_AT_A_TIME = threading.RLock()
"""Feast takes its DuckDB from Ibis' process-wide default backend, so only one job may set it at a time."""


def open_repository(folder: Path) -> Any:
    """Return Feast's own store, with registry and online store in ``folder``."""
    template = resources.files("features.store").joinpath("feature_store.yaml").read_text()
    settings = yaml.safe_load(Template(template).substitute(KAIROS_FEATURES=str(folder.absolute())))
    with hushed():  # importing Feast turns everybody's deprecation warnings on
        from feast import FeatureStore, RepoConfig  # noqa: PLC0415 - takes seconds

        return FeatureStore(config=RepoConfig(**settings, repo_path=folder.absolute()))


def register(repository: Any, vocabulary: Vocabulary, root: Path, *, ttl: timedelta, files: str) -> None:
    """Register the definitions of ``vocabulary`` over ``files`` of each view below ``root``."""
    with hushed():
        from features.store.definitions import define  # noqa: PLC0415 - imports Feast

        repository.apply(define(vocabulary, root.absolute(), ttl=ttl, files=files).all)


@contextlib.contextmanager
def bounded(*, memory_limit: str, threads: int, spill: Path) -> Iterator[Any]:
    """Let Feast work on a fresh DuckDB within these bounds, and put Ibis' default back afterwards."""
    with _ONE_AT_A_TIME, bounded_duckdb(memory_limit=memory_limit, threads=threads, spill=spill) as connection:
        before = ibis.options.default_backend
        ibis.set_backend(connection)
        try:
            yield connection
        finally:
            ibis.options.default_backend = before


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Keep Feast's printed progress and its libraries' deprecations to themselves."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
