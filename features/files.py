"""Files that are there whole or not at all, and the lock that lets one writer in."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file to write beside ``path``; it takes the place of ``path`` whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write ``table`` to ``path`` so that a crash leaves the old file or the new one, never a half."""
    with replacing(path) as draft, draft.open("wb") as file:
        pq.write_table(table, file, compression="zstd")
        _settle(file.fileno())


def write_text(text: str, path: Path) -> None:
    """Write ``text`` to ``path``, whole or not at all, and make the rename itself last."""
    with replacing(path) as draft, draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        _settle(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        _settle(folder)
    finally:
        os.close(folder)


def clear_drafts(folder: Path) -> int:
    """Remove what killed writers left half done in ``folder``, while no writer is at work; return how many."""
    drafts = list(folder.glob(".*.tmp"))
    for draft in drafts:
        draft.unlink(missing_ok=True)
    return len(drafts)


def clear_spill(folder: Path, *, older_than: timedelta = timedelta(days=1)) -> int:
    """Remove what killed jobs spilled to ``folder`` longer ago than a job may take; return how many."""
    entries = list(folder.iterdir()) if folder.is_dir() else []
    old = [each for each in entries if each.lstat().st_mtime < time.time() - older_than.total_seconds()]
    for each in old:
        shutil.rmtree(each, ignore_errors=True) if each.is_dir() else each.unlink(missing_ok=True)
    return len(old)


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock file ``path`` against every other writer, in this process or another.

    The operating system lets go of it when the holder dies, however it dies.

    Raises:
        BlockingIOError: where another holds it and this is not to ``wait``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _settle(descriptor: int) -> None:
    os.fsync(descriptor)
