"""The online side: a materialization lies in a folder of its own, and one small file says which folder counts.

So a reader sees the old state whole or the new one whole: Feast's file registry is not written atomically, and a
view that is materializing refuses reads.
"""

from __future__ import annotations

import json
import shutil
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from features.files import replacing
from features.layout import MATERIALIZED_AT
from features.store.repository import open_repository
from features.tables.moments import CUSTOMER
from features.views import FloatView, View
from features.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from features.layout import Layout

_CHUNK = 500  # SQLite bounds the variables of one statement
_KEPT = 2  # the folder in use, and the one before it for readers still at it


@dataclass(frozen=True, slots=True)
class Rows:
    """What the online store holds of some customers: a packed array a view, and the moment it is of."""

    packed: dict[str, pa.Array]
    as_of: pa.Array


def publish(layout: Layout, folder: Path, vocabulary: Vocabulary) -> None:
    """Make a finished materialization the one that counts, and clear away those before the last."""
    words = {"channels": vocabulary.channels, "categories": vocabulary.categories}
    with replacing(layout.pointer) as file:
        file.write_text(json.dumps({"folder": folder.name, "vocabulary": words}))
    finished = sorted(path for path in layout.online.iterdir() if path.is_dir())
    for old in [path for path in finished if path != folder][: -_KEPT + 1]:
        shutil.rmtree(old, ignore_errors=True)


class Reader:
    """Reads the current materialization; follows when another takes its place. Safe to share among threads."""

    def __init__(self, layout: Layout, vocabulary: Vocabulary) -> None:
        self._layout = layout
        self._vocabulary = vocabulary
        self._lock = threading.Lock()
        self._opened: tuple[tuple[int, int], Any] | None = None

    def read(self, ids: Sequence[str], every: Sequence[View]) -> Rows:
        """Return the rows of ``ids`` (unique), in order."""
        with self._lock:
            try:
                repository = self._repository()
                parts = [_read(repository, ids[i : i + _CHUNK], every) for i in range(0, len(ids), _CHUNK)]
            except BaseException:
                self._opened = None  # what is damaged now may be mended at the next call
                raise
        return Rows(
            {view.name: pa.concat_arrays([part.packed[view.name] for part in parts]) for view in every},
            pa.concat_arrays([part.as_of for part in parts]),
        )

    def _repository(self) -> Any:
        pointer = self._layout.pointer
        state = pointer.stat()
        mark = (state.st_mtime_ns, state.st_ino)
        if self._opened is None or self._opened[0] != mark:
            self._opened = (mark, self._open(json.loads(pointer.read_text())))
        return self._opened[1]

    def _open(self, current: dict[str, Any]) -> Any:
        words = current["vocabulary"]
        held = Vocabulary(tuple(words["channels"]), tuple(words["categories"]))
        if held != self._vocabulary:
            raise ValueError(f"materialized for {held}, asked for {self._vocabulary}; build and materialize again")
        return open_repository(self._layout.online / current["folder"])


def _read(repository: Any, ids: Sequence[str], every: Sequence[View]) -> Rows:
    answer = repository.get_online_features(
        features=[f"{view.name}:{view.name}" for view in every],
        entity_rows=[{CUSTOMER: customer} for customer in ids],
    ).proto
    found = dict(zip(answer.metadata.feature_names.val, answer.results, strict=True))
    seconds = np.array(
        [[moment.seconds for moment in found[view.name].event_timestamps] for view in every], dtype=np.int64
    )
    # 0 stands for "no row". All views of a customer are of one moment; where not, the oldest is what holds.
    oldest = np.where(seconds > 0, seconds, np.iinfo(np.int64).max).min(axis=0)
    as_of = pa.array(oldest * 1_000_000, pa.timestamp("us", "UTC"), mask=oldest == np.iinfo(np.int64).max)
    return Rows({view.name: _packed(view, found[view.name].values) for view in every}, as_of)


def _packed(view: View, values: Sequence[Any]) -> pa.Array:
    if isinstance(view, FloatView):
        rows = [value.double_list_val.val if value.HasField("double_list_val") else None for value in values]
        return pa.array(rows, pa.list_(pa.float64()))
    words = [value.string_list_val.val if value.HasField("string_list_val") else None for value in values]
    return pa.array(words, pa.list_(pa.string()))


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
