"""Messages as a delivery layer hands them over: columns, one row a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Messages:
    """``customer``, ``offer`` and ``channel`` are numbers; ``sent_at`` seconds of the epoch.

    ``decision`` is what the message answers (null: nobody asked Kairos).
    """

    customer: Ints
    offer: Ints
    channel: Ints
    sent_at: Ints
    decision: pa.StringArray

    def __len__(self) -> int:
        return len(self.customer)

    @classmethod
    def of(cls, customer: Ints, offer: Ints, channel: Ints, sent_at: Ints) -> Messages:
        """Return messages that answer no decision."""
        who, what, where, when = (np.asarray(each, dtype=np.int64) for each in (customer, offer, channel, sent_at))
        return cls(who, what, where, when, pa.nulls(len(customer), pa.string()))

    @classmethod
    def none(cls) -> Messages:
        """Return no messages."""
        empty = np.array([], dtype=np.int64)
        return cls.of(empty, empty, empty, empty)

    @classmethod
    def joined(cls, parts: Sequence[Messages]) -> Messages:
        """Return the messages of all ``parts`` (at least one), in order."""
        return cls(
            customer=np.concatenate([part.customer for part in parts]),
            offer=np.concatenate([part.offer for part in parts]),
            channel=np.concatenate([part.channel for part in parts]),
            sent_at=np.concatenate([part.sent_at for part in parts]),
            decision=pa.concat_arrays([part.decision for part in parts]),
        )

    def take(self, rows: NDArray[np.generic]) -> Messages:
        """Return the rows given by number or by flag."""
        index = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return Messages(
            self.customer[index],
            self.offer[index],
            self.channel[index],
            self.sent_at[index],
            self.decision.take(pa.array(index)),
        )

    def by_turn(self) -> list[Messages]:
        """Return them cut so that each part holds nobody twice: everybody's first, then second messages."""
        order = np.lexsort((self.sent_at, self.customer))
        customer = self.customer[order]
        first = np.r_[True, customer[1:] != customer[:-1]] if len(order) else np.array([], dtype=np.bool_)
        start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0)) if len(order) else order
        turn = np.arange(len(order)) - start
        return [self.take(order[turn == number]) for number in range(int(turn.max(initial=-1)) + 1)]
