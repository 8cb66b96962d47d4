"""Fewer, sorted files: what many small appends leave behind is merged, a bucket's month at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.contracts import EVENT_SCHEMA
from features.lake.manifest import sweep

if TYPE_CHECKING:
    from features.lake.manifest import Draft
    from features.progress import Progress

_ORDER = [("customer_id", "ascending"), ("occurred_at", "ascending"), ("event_id", "ascending")]


def compact(draft: Draft, progress: Progress) -> int:
    """Merge in ``draft`` every folder of several event files into one sorted file; return how many were.

    A single file is sorted already, by the append that wrote it. What killed writes left behind goes too.
    """
    sweep(draft.root, draft.manifest)
    folders = [f for f in draft.manifest.under("events") if len(draft.manifest.folders[f]) > 1]
    progress("compact", 0, len(folders))
    for done, folder in enumerate(folders, start=1):
        draft.replace(folder, draft.read(folder, EVENT_SCHEMA).sort_by(_ORDER))
        progress("compact", done, len(folders))
    return len(folders)
