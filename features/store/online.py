"""The online side: a materialization lies in a folder of its own, and one small file says which folder counts.

So a reader sees the old state whole or the new one whole: Feast's file registry is not written atomically, and a
view that is materializing refuses reads.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from features.files import replacing
from features.layout import MATERIALIZED_AT
from features.quoting import sql_name
from features.store.rows import PROJECT, entity_key, numbers, texts
from features.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from features.layout import Layout, Manifest
    from features.views import View

ONLINE_FILE = "online.db"
"""Feast's SQLite store in the folder of a materialization."""

_CHUNK = 500  # SQLite bounds the variables of one statement
_ROWS = "SELECT entity_key, value, event_ts FROM {table} WHERE feature_name = ? AND entity_key IN ({marks})"
_KEPT = 2  # the folder in use, and the one before it for readers still at it


@dataclass(frozen=True, slots=True)
class Rows:
    """What the online store holds of some customers: a packed array a view, and the moment it is of.

    ``heard_at`` is that of the build's manifest (:class:`features.layout.Manifest`).
    """

    packed: dict[str, pa.Array]
    as_of: pa.Array
    heard_at: datetime | None


def publish(layout: Layout, folder: Path, manifest: Manifest) -> None:
    """Make a finished materialization the one that counts, and clear away those before the last."""
    vocabulary, heard_at = manifest.vocabulary, manifest.heard_at
    words = {"channels": vocabulary.channels, "categories": vocabulary.categories}
    held = {"folder": folder.name, "vocabulary": words, "heard_at": heard_at.isoformat() if heard_at else None}
    with replacing(layout.pointer) as file:
        file.write_text(json.dumps(held))
    finished = sorted(path for path in layout.online.iterdir() if path.is_dir())
    for old in [path for path in finished if path != folder][: -_KEPT + 1]:
        shutil.rmtree(old, ignore_errors=True)


class Reader:
    """Reads the current materialization; follows when another takes its place. Safe to share among threads."""

    def __init__(self, layout: Layout, vocabulary: Vocabulary) -> None:
        self._layout = layout
        self._vocabulary = vocabulary
        self._lock = threading.Lock()
        self._opened: tuple[tuple[int, int], sqlite3.Connection] | None = None
        self._heard_at: datetime | None = None

    def read(self, ids: Sequence[str], every: Sequence[View]) -> Rows:
        """Return the rows of ``ids`` (unique), in order."""
        with self._lock:
            try:
                held = {view.name: _held(self._connection(), ids, view) for view in every}
                heard_at = self._heard_at
            except BaseException:
                self._opened = None  # what is damaged now may be mended at the next call
                raise
        return Rows(
            {view.name: _packed(view, held[view.name], ids) for view in every}, _as_of(held, ids), heard_at
        )

    def _connection(self) -> sqlite3.Connection:
        pointer = self._layout.pointer
        state = pointer.stat()
        mark = (state.st_mtime_ns, state.st_ino)
        if self._opened is None or self._opened[0] != mark:
            self._opened = (mark, self._open(json.loads(pointer.read_text())))
        return self._opened[1]

    def _open(self, current: dict[str, Any]) -> sqlite3.Connection:
        words = current["vocabulary"]
        held = Vocabulary(tuple(words["channels"]), tuple(words["categories"]))
        if held != self._vocabulary:
            raise ValueError(f"materialized for {held}, asked for {self._vocabulary}; build and materialize again")
        heard_at = current.get("heard_at")
        self._heard_at = datetime.fromisoformat(heard_at) if heard_at else None
        file = self._layout.online / current["folder"] / ONLINE_FILE
        # An URI, because a plain path would make an empty database of a file that is gone.
        return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)


_Held = dict[str, tuple[bytes, int]]
"""Value and moment (seconds) by customer."""


def _held(connection: sqlite3.Connection, ids: Sequence[str], view: View) -> _Held:
    keys = {entity_key(each): each for each in ids}
    ordered, found = list(keys), _Held()
    for begin in range(0, len(ordered), _CHUNK):
        part = ordered[begin : begin + _CHUNK]
        query = _ROWS.format(table=sql_name(f"{PROJECT}_{view.name}"), marks=",".join("?" * len(part)))
        for key, value, moment in connection.execute(query, (view.name, *part)):
            found[keys[key]] = (value, int(moment))
    return found


def _as_of(held: Mapping[str, _Held], ids: Sequence[str]) -> pa.Array:
    """Return of when each customer's rows are. All are of one moment; where not, the oldest is what holds."""
    moments = [[rows[each][1] for rows in held.values() if each in rows] for each in ids]
    ticks = [min(each) * 1_000_000 if each else None for each in moments]
    return pa.array(ticks, pa.int64()).cast(pa.timestamp("us", "UTC"))


def _packed(view: View, held: _Held, ids: Sequence[str]) -> pa.Array:
    values = [held[each][0] if each in held else b"" for each in ids]
    if view.texts:
        return pa.array([texts(value) for value in values], pa.list_(pa.string()))
    return pa.array([numbers(value) for value in values], pa.list_(pa.float64()))


@contextmanager
def drafted(layout: Layout) -> Iterator[Path]:
    """Give the folder of a new materialization (names sort by time); it goes where the work fails."""
    folder = layout.online / datetime.now(UTC).strftime(MATERIALIZED_AT)
    folder.mkdir(parents=True)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
