"""The embedded registry, read without MLflow: importing it takes seconds, a look at its SQLite file milliseconds.

Only reading: whoever writes goes through :mod:`training.registry`, and a test holds that both read the same. A
registry of another kind, or with tables that are not as here, is MLflow's to read.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from training.version import Version

if TYPE_CHECKING:
    from decisions.scorers.base import Kind

_SQLITE = "sqlite:///"
_BUSY_SECONDS = 30.0
_VERSIONS = (
    "SELECT version, run_id FROM model_versions"
    " WHERE workspace = 'default' AND name = ? AND current_stage != 'Deleted_Internal' ORDER BY version DESC"
)
_TAGS = "SELECT \"key\", value FROM model_version_tags WHERE workspace = 'default' AND name = ? AND version = ?"
_ALIASES = (
    "SELECT alias FROM registered_model_aliases"
    " WHERE workspace = 'default' AND name = ? AND version = ? ORDER BY alias"
)
_METRICS = 'SELECT "key", CASE WHEN is_nan THEN NULL ELSE value END FROM latest_metrics WHERE run_uuid = ?'


class NotEmbeddedError(LookupError):
    """The registry is no SQLite file of the layout that is known here."""


def versions(uri: str, name: str, model: Kind) -> list[Version]:
    """Return all versions of the registered model ``name``, the latest first; none where there is no file yet.

    Raises:
        NotEmbeddedError: where MLflow has to be asked.
    """
    file = Path(uri.removeprefix(_SQLITE))
    if not uri.startswith(_SQLITE):
        raise NotEmbeddedError(uri)
    if not file.exists():
        return []
    try:
        opened = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        with closing(opened) as connection:
            found = connection.execute(_VERSIONS, (name,)).fetchall()
            return [_version(connection, name, model, number, run_id) for number, run_id in found]
    except sqlite3.Error as error:
        raise NotEmbeddedError(f"{file}: {error}") from error


def _version(connection: sqlite3.Connection, name: str, model: Kind, number: int, run_id: str) -> Version:
    tags = dict(connection.execute(_TAGS, (name, number)).fetchall())
    metrics = connection.execute(_METRICS, (run_id,)).fetchall()
    return Version(
        model=model,
        version=str(number),
        artefact=tags.get("artefact") or "",
        run_id=run_id,
        aliases=tuple(alias for (alias,) in connection.execute(_ALIASES, (name, number))),
        metrics={key: float("nan") if value is None else value for key, value in metrics},
        reason=tags.get("reason") or "",
    )
