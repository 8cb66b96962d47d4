"""Attribution that is lost, and attribution that claims what came anyway.

Whether an order names its message is decided by tags, cookies and windows, not by what moved the customer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulation.calendar import DAY
from simulation.draws import Purpose
from simulation.log.wire import KINDS, ROW

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.draws import Draws
    from simulation.family import Noise
    from simulation.log.wire import Rows

    Floats = NDArray[np.float64]


class Claimable:
    """Everybody's last message that no order names yet: what an ordinary order can be put down to."""

    def __init__(self, sent: Rows | None = None) -> None:
        self._sent = np.zeros(0, dtype=ROW) if sent is None else sent

    def fork(self) -> Claimable:
        """Return one of its own."""
        return Claimable(self._sent)

    def hear(self, sent: Rows) -> None:
        """Take new messages (nobody's twice), each of which takes the place of its customer's one before."""
        before = self._sent[~np.isin(self._sent["who"], sent["who"])]
        self._sent = np.concatenate([before, sent])

    def claims(self, orders: Rows, noise: Noise, draws: Draws) -> Rows:
        """Return events that name a message for some of ``orders`` (of one day, nobody's twice)."""
        if not noise.claimed or not len(self._sent):
            return np.zeros(0, dtype=ROW)
        drawn = _drawn(orders, draws)
        lucky = orders[drawn < noise.claimed]
        _, mine, theirs = np.intersect1d(lucky["who"], self._sent["who"], return_indices=True)
        since = lucky["seconds"][mine] - self._sent["seconds"][theirs]
        near = (since >= 0) & (since < noise.claim_days * DAY)
        named: Rows = self._sent[theirs[near]].copy()
        bought = lucky[mine[near]]
        self._sent = np.delete(self._sent, theirs[near])
        named["kind"] = KINDS.index("converted")
        named["seconds"], named["value"] = bought["seconds"] + 1, bought["value"]
        return named


def kept(named: Rows, noise: Noise, draws: Draws) -> Rows:
    """Return the events of ``named`` that are not lost."""
    if not noise.unclaimed:
        return named
    found: Rows = named[_drawn(named, draws) >= noise.unclaimed]
    return found


def _drawn(events: Rows, draws: Draws) -> Floats:
    return draws.of_events(Purpose.CLAIMS, events["kind"], events["who"], events["seconds"])
