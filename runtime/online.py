"""Present features of customers, from what Feast materialized; Feast itself is not needed to read it."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from features.layout import Layout
from features.store.reading import OnlineStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa


class FeaturesNotBuiltError(RuntimeError):
    """No features were ever built below the root: ``kairos features build`` and ``materialize`` make them."""


class OnlineFeatures:
    """The feature frame of a few customers, under the vocabulary the features were built with.

    A later build, with another vocabulary perhaps, is noticed by its manifest. Safe to use from many threads.
    """

    def __init__(self, root: Path) -> None:
        self._layout = Layout(root)
        self._lock = Lock()
        self._opened: tuple[int, OnlineStore] | None = None

    def online(self, customer_ids: Sequence[str], *, now: datetime) -> pa.Table:
        """Return the feature frame at ``now``, one row per customer in the order given.

        What is not known, too old to stand for ``now`` or from after it, is null.

        Raises:
            FeaturesNotBuiltError: where no build has finished.
            FeaturesUnavailable: where one has, but cannot be read.
        """
        frame = self._store().online(customer_ids, now=now)
        names = {"features_as_of": "event_timestamp"}
        return frame.rename_columns([names.get(name, name) for name in frame.column_names])

    def _store(self) -> OnlineStore:
        built = self._moment_of_build()
        with self._lock:
            if self._opened is None or self._opened[0] != built:
                self._opened = (built, self._open())
            return self._opened[1]

    def _moment_of_build(self) -> int:
        try:
            return self._layout.manifest.stat().st_mtime_ns
        except FileNotFoundError as error:
            raise FeaturesNotBuiltError(f"no features below {self._layout.root}: build them") from error

    def _open(self) -> OnlineStore:
        return OnlineStore(self._layout.root, self._layout.read_manifest().vocabulary)
