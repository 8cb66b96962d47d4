"""What moves only when the simulation says so: the time, and the features that decisions read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

from runtime.online import FeaturesNotBuiltError, OnlineFeatures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa


class MovableClock:
    """A clock that stands still until it is moved."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def move(self, moment: datetime) -> None:
        """Let it be ``moment`` (aware, UTC)."""
        self._moment = moment

    def now(self) -> datetime:
        """Return the moment it stands at."""
        return self._moment


class StandingFeatures:
    """The online features of the last refresh, which stand until the next.

    A shop rebuilds features every night, and the store forgets what is older than two days. A simulation that
    refreshes less often reads them as of the refresh instead, all at once.
    """

    def __init__(self, root: Path) -> None:
        self._online = OnlineFeatures(root)
        self._frame: pa.Table | None = None

    def stand(self, customer_ids: Sequence[str], *, as_of: datetime) -> None:
        """Read everybody's features as they were at ``as_of``, and let them stand."""
        self._frame = self._online.online(customer_ids, now=as_of)

    def online(self, customer_ids: Sequence[str], *, now: datetime) -> pa.Table:
        """Return the rows of ``customer_ids``, in order, whatever ``now`` is.

        Raises:
            FeaturesNotBuiltError: before the first refresh.
            KeyError: for somebody who was not there at the refresh.
        """
        del now
        if self._frame is None:
            raise FeaturesNotBuiltError("no features were ever refreshed in this simulation")
        rows = pc.index_in(_strings(customer_ids), value_set=self._frame["customer_id"].combine_chunks())
        if rows.null_count:
            raise KeyError(f"{rows.null_count} of {len(rows)} customers were not there at the last refresh")
        return self._frame.take(rows)


def _strings(values: Sequence[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, pa.string())
