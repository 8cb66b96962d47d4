"""The files that a path names: one, several by a pattern, a folder with all that is below it."""

from __future__ import annotations

from dataclasses import dataclass
from glob import glob
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

from features.importing.problems import MappingError

_PACKAGE = "package:"
WILD = "*?["
"""Signs that make a path a pattern, here as in DuckDB."""
_HIDDEN = ("_", ".")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"  # what Hive and Spark write for null

READERS = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "lines",
    ".ndjson": "lines",
}
KINDS = f"{', '.join(READERS)} (each text kind also with .gz)"


@dataclass(frozen=True, slots=True)
class Found:
    """A file, how people are told of it, and what its folders say of its rows (``year=2023`` and the like)."""

    path: Path
    shown: str
    partition: tuple[tuple[str, str | None], ...] = ()

    @property
    def packed(self) -> bool:
        """Whether it is packed with gzip."""
        return self.path.suffix.lower() == ".gz"


def find_files(path: str, base: Path) -> list[Found]:
    """Return the files that ``path`` names, in the order of their names.

    Of a folder and of a pattern, files and folders whose names begin with ``_`` or ``.`` are left out: they are
    marks that the writing program leaves behind.

    Raises:
        MappingError: there is none, or the package is not installed.
    """
    root, inside = _inside_package(path) if path.startswith(_PACKAGE) else (base, path)
    whole = root / inside
    if whole.is_file():
        found = [whole]
    elif whole.is_dir():
        found = _below(whole, path)
    elif any(c in inside for c in WILD):
        found = _matching(inside, root, path)
    else:
        raise MappingError(f"file {path!r} is not there (looked for {whole.name} in the folder it names)")
    return [Found(file, _shown(file, root), _partition(file, root)) for file in sorted(set(found))]


def reader_of(path: str, files: list[Found]) -> str:
    """Return what reads the files: their endings say it.

    Raises:
        MappingError: an ending is not known, or there are several kinds.
    """
    readers = {_reader(file.path) for file in files}
    if None in readers:
        raise MappingError(f"file {path!r} is of no known kind: {KINDS}")
    if len(readers) > 1:
        raise MappingError(f"the files of {path!r} are of several kinds: name those of one, like folder/*.csv")
    return str(readers.pop())


def _reader(file: Path) -> str | None:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    plain = suffixes[:-1] if suffixes[-1:] == [".gz"] else suffixes
    return READERS.get(plain[-1]) if plain else None


def _inside_package(path: str) -> tuple[Path, str]:
    name, _, inside = path.removeprefix(_PACKAGE).partition("/")
    spec = find_spec(name)  # finds a package without importing it: some are slow to load
    if spec is None or not spec.submodule_search_locations:
        raise MappingError(f"{path!r}: the package {name!r} is not installed; install it, or name another file")
    return Path(next(iter(spec.submodule_search_locations))), inside


def _matching(pattern: str, root: Path, path: str) -> list[Path]:
    parts = Path(pattern).parts
    fixed = next(place for place, part in enumerate(parts) if any(c in part for c in WILD))
    meant = any(part.startswith(_HIDDEN) for part in parts[fixed:])
    found: list[Path] = []
    for hit in glob(pattern, root_dir=root, recursive=True):  # noqa: PTH207 - Path.glob takes no absolute pattern
        if meant or not _marked(Path(hit).parts[fixed:]):
            whole = root / hit
            found += _below(whole, path) if whole.is_dir() and parts[-1] != "**" else [whole] * whole.is_file()
    if not found:
        raise MappingError(f"file {path!r} is not there: the pattern matches no file")
    return found


def _below(folder: Path, path: str) -> list[Path]:
    files = [f for f in folder.rglob("*") if f.is_file() and not _marked(f.relative_to(folder).parts)]
    if not files:
        raise MappingError(f"file {path!r} is not there: the folder {folder.name} holds no file")
    other = next((f for f in sorted(files) if _reader(f) is None), None)
    if other is not None:
        raise MappingError(
            f"folder {path!r} holds {other.name}, which is of no known kind: {KINDS}; "
            "name the files you mean by a pattern, like folder/*.csv"
        )
    return files


def _marked(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(_HIDDEN) for part in parts)


def _shown(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name


def _partition(file: Path, root: Path) -> tuple[tuple[str, str | None], ...]:
    folders = file.relative_to(root).parts[:-1] if file.is_relative_to(root) else file.parts[:-1]
    pairs = [folder.partition("=") for folder in folders if "=" in folder]
    return tuple((unquote(k), None if v == _NO_VALUE else unquote(v)) for k, _, v in pairs if k)
