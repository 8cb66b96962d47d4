"""Where built features lie, and the manifest that says what they hold.

::

    <root>/manifest.json            vocabulary, until, buckets: written last, so it vouches for the rest
    <root>/<view>/00003.parquet     one file a view and bucket
    <root>/signs/00003.parquet      the signs of life behind the rhythm
    <root>/online/current.json      names the folder of the last materialization
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from features.files import replacing
from features.vocabulary import Vocabulary

SIGNS = "signs"
MATERIALIZED_AT = "%Y%m%dT%H%M%S%f"
"""How the folder of a materialization is named, so that names sort by time."""

_DIGITS = 5


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the last complete build holds."""

    vocabulary: Vocabulary
    until: date
    buckets: int
    customers: int
    half_life_days: float
    heard_at: datetime | None = None
    """What the ledger was told by then was in the lake that the build read; None where nobody can say."""

    def groups(self, *, customers: int) -> list[Group]:
        """Cut the buckets into groups of about ``customers`` at most, each one glob of file names.

        Work that costs something each time it is begun takes a group at a time: Feast spends a tenth of a second
        on planning a view, whatever its size. A group never holds less than one bucket.
        """
        digits = 0
        while digits < _DIGITS and self.customers * 10 ** (digits + 1) <= customers * max(1, self.buckets):
            digits += 1
        width = 10**digits
        return [
            Group(f"{first:0{_DIGITS}d}"[: _DIGITS - digits] + "?" * digits + ".parquet", first // width)
            for first in range(0, self.buckets, width)
        ]


@dataclass(frozen=True, slots=True)
class Group:
    """Buckets that are worked on together: the glob of their file names, and their number among the groups."""

    glob: str
    number: int

    @property
    def width(self) -> int:
        """How many buckets a whole group holds."""
        return int(10 ** self.glob.count("?"))


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
    def pointer(self) -> Path:
        """The file that names the materialization in use."""
        return self.online / "current.json"

    @property
    def spill(self) -> Path:
        """Where DuckDB may put what does not fit in memory."""
        return self.root / "spill"

    def file(self, view: str, bucket: int) -> Path:
        """Return the file of one view and bucket."""
        return self.root / view / f"{bucket:0{_DIGITS}d}.parquet"

    def files(self, view: str) -> list[Path]:
        """Return every finished file of a view."""
        return sorted((self.root / view).glob("*.parquet"))

    def read_manifest(self) -> Manifest:
        """Return the manifest.

        Raises:
            FileNotFoundError: where no build has finished.
        """
        if not self.manifest.exists():
            raise FileNotFoundError(f"{self.root} holds no built features; run `kairos features build` first")
        held = json.loads(self.manifest.read_text())
        words = held["vocabulary"]
        vocabulary = Vocabulary(tuple(words["channels"]), tuple(words["categories"]))
        return Manifest(
            vocabulary,
            date.fromisoformat(held["until"]),
            held["buckets"],
            held["customers"],
            held["half_life_days"],
            datetime.fromisoformat(held["heard_at"]) if held.get("heard_at") else None,
        )

    def write_manifest(self, manifest: Manifest) -> None:
        """Vouch for a finished build."""
        heard_at = manifest.heard_at.isoformat() if manifest.heard_at else None
        held = asdict(manifest) | {"until": manifest.until.isoformat(), "heard_at": heard_at}
        with replacing(self.manifest) as file:
            file.write_text(json.dumps(held, indent=1))
