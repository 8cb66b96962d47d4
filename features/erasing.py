"""People out of the built features: every snapshot on disk, and every materialization that is still there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.files import clear_drafts, clear_spill, write_parquet
from features.layout import Layout
from features.store.erasing import erase_online
from features.tables.moments import CUSTOMER
from features.whose import about, without

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How many rows went: of snapshots (all views), and of materializations (the current one and older ones)."""

    snapshots: int
    online: int


def erase_features(root: Path, customer_ids: Collection[str]) -> Forgotten:
    """Take customers out of everything below ``root``, built or half built, file by file.

    No build or materialization may be at work meanwhile. Killed anywhere and run again, it ends clean: a file
    is replaced whole. A customer's household may have moved since the build, so every file is looked into.
    """
    layout = Layout(root)
    clear_spill(layout.spill)
    gone = sum(_without(file, customer_ids) for folder in _views(layout) for file in _files(folder))
    return Forgotten(snapshots=gone, online=_erase_online(layout, customer_ids))


def _views(layout: Layout) -> Iterator[Path]:
    """Yield every folder of snapshots there is, of views that are no longer built too."""
    if layout.root.is_dir():
        others = {layout.online, layout.spill}
        yield from sorted(each for each in layout.root.iterdir() if each.is_dir() and each not in others)


def _files(folder: Path) -> list[Path]:
    clear_drafts(folder)
    return sorted(folder.glob("*.parquet"))


def _without(file: Path, customer_ids: Collection[str]) -> int:
    if not pc.any(about(pq.ParquetFile(file).read([CUSTOMER])[CUSTOMER], customer_ids)).as_py():
        return 0
    before = pq.ParquetFile(file).read()
    after = without(before, customer_ids)
    write_parquet(after, file)
    return int(before.num_rows - after.num_rows)


def _erase_online(layout: Layout, customer_ids: Collection[str]) -> int:
    stores = list(layout.online.glob("*/online.db")) if layout.online.is_dir() else []
    if not stores:
        return 0
    return sum(erase_online(store, customer_ids) for store in stores)
