"""Which code made a record: kept beside it, so that what other code made is never taken for it."""

from __future__ import annotations

import hashlib
import platform
from typing import TYPE_CHECKING

from pipelines.options import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CODE = {".py", ".sql", ".yaml", ".toml", ".lock"}


def fingerprint(parts: tuple[str, ...], root: Path = ROOT) -> str:
    """Return a hash of Python's version and of every file of code below ``parts``: names and contents."""
    found = hashlib.sha256(platform.python_version().encode())
    for part in parts:
        for path in _files(root / part):
            found.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    return sorted(path for path in place.rglob("*") if path.is_file() and path.suffix in CODE)
