"""Where built features lie, and the manifest that says what they hold.

::

    <root>/manifest.json            vocabulary, until, buckets: written last, so it vouches for the rest
    <root>/<view>/00003.parquet     one file a view and bucket
    <root>/evidence/00003.parquet   the signs of life behind the rhythm
    <root>/online/current.json      names the folder of the last materialization
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from features.vocabulary import Vocabulary

EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the last complete build holds."""

    vocabulary: Vocabulary
    until: date
    buckets: int
    half_life_days: float


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths below one root."""

    root: Path

    @property
    def manifest(self) -> Path:
        """The manifest's file."""
        return self.root / "manifest.json"

    @property
    def online(self) -> Path:
        """The folder of materializations."""
        return self.root / "online"

    @property
    def spill(self) -> Path:
        """Where DuckDB may put what does not fit in memory."""
        return self.root / "spill"

    def file(self, view: str, bucket: int) -> Path:
        """Return the file of one view and bucket."""
        return self.root / view / f"{bucket:05d}.parquet"

    def files(self, view: str) -> list[Path]:
        """Return every finished file of a view."""
        return sorted((self.root / view).glob("*.parquet"))

    def read_manifest(self) -> Manifest:
        """Return the manifest.

        Raises:
            FileNotFoundError: where no build has finished.
        """
        held = json.loads(self.manifest.read_text())
        words = held["vocabulary"]
        vocabulary = Vocabulary(tuple(words["channels"]), tuple(words["categories"]))
        return Manifest(vocabulary, date.fromisoformat(held["until"]), held["buckets"], held["half_life_days"])

    def write_manifest(self, manifest: Manifest) -> None:
        """Vouch for a finished build."""
        held = asdict(manifest) | {"until": manifest.until.isoformat()}
        with replacing(self.manifest) as file:
            file.write_text(json.dumps(held, indent=1))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file to write beside ``path``; it takes the place of ``path`` whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
