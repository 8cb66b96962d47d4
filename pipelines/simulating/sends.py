"""Messages that were decided, with what was expected of them: numbers in columns, one row a message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa

from simulation.messages import Messages
from simulation.shop import CHANNELS, OFFERS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from decisions.records import Decision

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_OFFER = {offer.offer_id: number for number, offer in enumerate(OFFERS)}
_CHANNEL = {name: number for number, name in enumerate(CHANNELS)}
_NUMBERS = ("customer", "offer", "channel", "sent_at")


@dataclass(frozen=True, slots=True)
class Sends:
    """``messages`` with their decisions' ids, and the euros ``expected`` of each.

    Of V without the price of a place and without ΔLTV, what follows from lost reach and tired people: the truth of
    a single message (``Day.net``) has neither.
    """

    messages: Messages
    expected: Floats

    def __len__(self) -> int:
        return len(self.messages)

    @classmethod
    def none(cls) -> Self:
        """Return no messages."""
        return cls(Messages.none(), np.zeros(0))

    @classmethod
    def of(cls, decisions: Sequence[Decision]) -> Self:
        """Return those of ``decisions`` that are to send."""
        sends = [each for each in decisions if each.action == "send"]
        rows = np.array([_numbers(each) for each in sends], dtype=np.int64).reshape(-1, len(_NUMBERS))
        ids = pa.array([each.decision_id for each in sends], pa.string())
        return cls(_messages(rows.T, ids), np.array([_worth(each) for each in sends], dtype=np.float64))

    @property
    def ids(self) -> list[str]:
        """The decisions' ids."""
        ids: list[str] = self.messages.decision.to_pylist()
        return ids

    def __add__(self, other: Sends) -> Sends:
        return Sends(
            Messages.joined([self.messages, other.messages]), np.concatenate([self.expected, other.expected])
        )

    def take(self, rows: Flags) -> Sends:
        """Return the flagged rows."""
        return Sends(self.messages.take(rows), self.expected[rows])

    def named(self, ids: Collection[str]) -> Sends:
        """Return those whose decision is among ``ids``."""
        return self.take(np.array([each in ids for each in self.ids], dtype=np.bool_))

    def by_moment(self) -> Iterator[tuple[datetime, list[str]]]:
        """Yield each moment of sending, in order, with the decisions that go then."""
        ids = np.array(self.ids, dtype=object)
        for second in np.unique(self.messages.sent_at).tolist():
            yield datetime.fromtimestamp(second, UTC), ids[self.messages.sent_at == second].tolist()

    def as_json(self) -> dict[str, list[Any]]:
        """Return the columns as lists."""
        numbers = {name: getattr(self.messages, name).tolist() for name in _NUMBERS}
        return {**numbers, "decision": self.ids, "expected": self.expected.tolist()}

    @classmethod
    def from_json(cls, columns: Mapping[str, list[Any]]) -> Self:
        """Return what :meth:`as_json` wrote."""
        numbers = [np.array(columns[name], dtype=np.int64) for name in _NUMBERS]
        ids = pa.array(columns["decision"], pa.string())
        return cls(_messages(numbers, ids), np.array(columns["expected"], dtype=np.float64))


def _messages(numbers: Iterable[NDArray[np.int64]], ids: pa.StringArray) -> Messages:
    customer, offer, channel, sent_at = numbers
    return Messages(customer, offer, channel, sent_at, ids)


def _numbers(decision: Decision) -> tuple[int, int, int, int]:
    assert decision.offer_id  # a send names what, where and when
    assert decision.channel
    assert decision.send_at
    second = int(decision.send_at.timestamp())
    return int(decision.customer_id[1:]), _OFFER[decision.offer_id], _CHANNEL[decision.channel], second


def _worth(decision: Decision) -> float:
    value = decision.expected_value
    return value.total + value.price + value.ltv_loss if value else np.nan
