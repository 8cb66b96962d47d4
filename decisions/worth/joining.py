"""Which message each of many events is about, by the rule of :mod:`features.tables.messages`, in arrays.

Reports of a customer's sends that share a name are of one message, and so are those that a third report ties: a
message is a connected component. An event is about every message that goes by a name it bears.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Which reports are of one message: that of the first of them, in their order."""

    label: Ints
    """By report: the first report of its message."""
    by_name: Ints
    """By name: the first report of the message that goes by it, and how many reports there are where none does.
    The last stands for no name."""

    @property
    def heads(self) -> Ints:
        """The first report of each message."""
        return np.flatnonzero(self.label == np.arange(len(self.label)))

    def first(self, among: NDArray[np.bool_]) -> Ints:
        """By report that heads a message: the first of the message's reports that is ``among`` these.

        How many reports there are stands for none.
        """
        size = len(self.label)
        found = np.full(size, size)
        np.minimum.at(found, self.label[among], np.flatnonzero(among))
        return found


def joined(names: Ints, known: int) -> Joined:
    """Join reports by their names: (reports, names of each) below ``known``; ``known`` is no name.

    Each round hands the smallest label on over every name, and then to whom that label itself has been joined, so
    that a chain of ties takes rounds by its logarithm.
    """
    size = len(names)
    label = np.arange(size)
    while True:
        by_name = np.full(known + 1, size)
        np.minimum.at(by_name, names, label[:, None])
        by_name[known] = size
        lower = np.minimum(label, by_name[names].min(axis=1))
        lower = lower[lower]
        if np.array_equal(lower, label):
            return Joined(label, by_name)
        label = lower
