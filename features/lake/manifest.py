"""Which files make up the lake: one small file, replaced in one step, is the truth.

A write puts its new files beside the old ones and then replaces the manifest. Whoever reads sees the lake
before the write or after it, however many buckets the write touched; a file that no manifest names (a write
that was killed, a half-written file) is never read, and goes at the next compaction.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Self

import pyarrow as pa
import pyarrow.parquet as pq

from features.files import write_parquet, write_text
from features.lake.buckets import bucket_folder

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "manifest.json"
KINDS = ("events", "customers", "households")
"""The folders of a lake. What lies below them is named by the manifest, or by nobody."""


class BrokenManifestError(ValueError):
    """Nobody knows which files make up the lake: what is there must neither be read nor swept away."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} {why}: put it back from a backup, or move the lake's {', '.join(KINDS)} away and import again"
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of the lake, by folder (both relative to its root), and the number the next file gets."""

    folders: dict[str, tuple[str, ...]]
    next_part: int

    @classmethod
    def load(cls, root: Path) -> Self:
        """Read the manifest of the lake at ``root``; a new lake's is empty.

        Raises:
            BrokenManifestError: it cannot be read, or is not there although files are.
        """
        path = root / MANIFEST
        if not path.exists():
            if _parts(root):
                raise BrokenManifestError(path, "is not there, but files of the lake are")
            return cls({}, 1)
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            return cls({folder: tuple(files) for folder, files in kept["folders"].items()}, kept["next_part"])
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise BrokenManifestError(path, "cannot be read") from error

    def save(self, root: Path) -> None:
        """Replace the manifest of the lake at ``root`` in one step."""
        folders = {folder: list(files) for folder, files in sorted(self.folders.items()) if files}
        text = json.dumps({"folders": folders, "next_part": self.next_part}, indent=1)
        write_text(text, root / MANIFEST)

    def under(self, *parts: str) -> list[str]:
        """Return the folders at or below ``parts``, in order."""
        above = "/".join(parts)
        return sorted(f for f in self.folders if f == above or f.startswith(f"{above}/"))

    def files(self, *parts: str) -> list[str]:
        """Return the files at or below ``parts``, in order, relative to the lake's root."""
        return [f"{folder}/{name}" for folder in self.under(*parts) for name in self.folders[folder]]


class Draft:
    """A write in progress: new files and files to drop, of which nobody knows until :meth:`commit`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.manifest = Manifest.load(root)
        self._folders = defaultdict(list, {f: list(names) for f, names in self.manifest.folders.items()})
        self._next = self.manifest.next_part
        self._new: list[Path] = []
        self._old: list[Path] = []

    def add(self, folder: str, table: pa.Table) -> None:
        """Put ``table`` into ``folder`` as one more file; an empty table adds none."""
        if not table.num_rows:
            return
        name = f"part-{self._next:08d}.parquet"
        self._next += 1
        path = self.root / folder / name
        self._new.append(path)
        if not (self.root / MANIFEST).exists():  # before the first file: a manifest that is missing was lost
            self.manifest.save(self.root)
        write_parquet(table, path)
        self._folders[folder].append(name)

    def replace(self, folder: str, table: pa.Table) -> None:
        """Let ``table`` stand in ``folder`` instead of all that was there."""
        self._old += [self.root / folder / name for name in self._folders.pop(folder, [])]
        self.add(folder, table)

    def forget(self, file: str) -> None:
        """Name ``file``, relative to the root, no longer."""
        folder, _, name = file.rpartition("/")
        self._folders[folder].remove(name)
        self._old.append(self.root / file)

    def read(self, folder: str, schema: pa.Schema) -> pa.Table:
        """Return what the draft holds in ``folder``."""
        tables = [pq.ParquetFile(self.root / folder / name).read() for name in self._folders.get(folder, [])]
        return _together(tables, schema)

    def commit(self) -> None:
        """Make the draft the lake, then remove the files it no longer names."""
        if not (self._new or self._old):
            return
        folders = {folder: tuple(names) for folder, names in self._folders.items()}
        Manifest(folders, self._next).save(self.root)
        for path in self._old:
            path.unlink(missing_ok=True)

    def abandon(self) -> None:
        """Remove what the draft wrote: the lake stays as it was."""
        for path in self._new:
            path.unlink(missing_ok=True)


def unnamed(root: Path, manifest: Manifest) -> list[str]:
    """Return what killed writes left behind, relative to ``root``: parts nobody names, and half-written files."""
    named = {file for kind in KINDS for file in manifest.files(kind)}
    return sorted(_parts(root) - named)


def _parts(root: Path) -> set[str]:
    found = (path for kind in KINDS for path in (root / kind).rglob("*part-*.parquet*") if not path.is_dir())
    return {PurePosixPath(path.relative_to(root)).as_posix() for path in found}


def sweep(root: Path, manifest: Manifest) -> None:
    """Remove what killed writes left behind. They leave files: a folder is somebody's, and stays."""
    for file in unnamed(root, manifest):
        (root / file).unlink(missing_ok=True)


def events_folder(bucket: int, month: str) -> str:
    """Return where the events of a bucket and month (``2017-03``, UTC) lie."""
    return f"events/{bucket_folder(bucket)}/month={month}"


def customers_folder(bucket: int) -> str:
    """Return where the customers of a bucket lie."""
    return f"customers/{bucket_folder(bucket)}"


def households_folder(bucket: int) -> str:
    """Return where the directory of customers whose household lies in another bucket than they would lies."""
    return f"households/{bucket_folder(bucket)}"


def _together(tables: list[pa.Table], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *(table.cast(schema) for table in tables)])
