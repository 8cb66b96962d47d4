"""A rival at somebody else's volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from benchmarks.world.rivals.scene import Rival
    from simulation.arena.playing import Asked, Wanted


class Metered:
    """Sends as many messages as ``schedule`` says, up to each day, and the ones that ``rival`` likes best.

    ``schedule`` is messages by day from day 0. Those that the rival would have kept back come last, and go only
    where the volume asks for them. A message that would go after the schedule's end does not count.
    """

    def __init__(self, rival: Rival, schedule: Sequence[float] | NDArray[np.number]) -> None:
        self._rival = rival
        self._until = np.cumsum(np.asarray(schedule, dtype=np.float64))
        self._given = 0

    def hear(self, events: pa.Table, day: int) -> None:
        """Pass on the events."""
        self._rival.hear(events, day)

    def choose(self, asked: Asked) -> Wanted:
        """Return the best answers that the schedule has room for."""
        found = self._rival.answers(asked)
        order = found.best_first()
        counts = asked.day + found.wanted.hour[order] // 24 < len(self._until)
        room = self._until[min(asked.day, len(self._until) - 1)] - self._given
        taken = np.cumsum(counts) <= room
        self._given += int((counts & taken).sum())
        return found.only(order[taken])
