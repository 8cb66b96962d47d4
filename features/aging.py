"""What has lain too long: refused rows that nobody looked into, online stores that another has replaced."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.layout import MATERIALIZED_AT, Layout

if TYPE_CHECKING:
    from pathlib import Path


def old_quarantine(folder: Path, before: datetime) -> list[Path]:
    """Return the files in ``folder`` all of whose rows were refused before ``before``."""
    return [path for path in sorted(folder.glob("*.parquet")) if _last_import(path) < before]


def _last_import(path: Path) -> datetime:
    last: datetime = pc.max(pq.ParquetFile(path).read(["imported_at"])["imported_at"]).as_py()
    return last


def old_materializations(root: Path, before: datetime) -> list[Path]:
    """Return the online stores below ``root`` that were made before ``before`` and are no longer in use."""
    layout = Layout(root)
    current = json.loads(layout.pointer.read_text())["folder"] if layout.pointer.exists() else None
    others = [each for each in layout.online.glob("*") if each.is_dir() and each.name != current]
    return sorted(each for each in others if _made(each) < before)


def _made(folder: Path) -> datetime:
    return datetime.strptime(folder.name, MATERIALIZED_AT).replace(tzinfo=UTC)
