"""The sample: one row a draw, in columns; it names nobody."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_NAMES = ("sources", "pairs")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Arrays of (draws,). Money is margin; counts and money are of the window after the draw."""

    sources: tuple[str, ...]
    """Where draws come from: ``ledger``, or ``trial:NAME``."""
    pairs: tuple[str, ...]
    """What was drawn about, as decisions name it: ``"offer|channel"``."""
    source: Integers
    """Which of ``sources``."""
    pair: Integers
    """Which of ``pairs``."""
    window: Integers
    """The stretch of time the draw fell into: what changes from one to the next is no effect."""
    unit: Integers
    """The household, else the customer, numbered from 0: rows of one may depend on each other."""
    sent: NDArray[np.bool_]
    """What the draw said, whatever became of the message (intention to treat)."""
    propensity: Floats
    """P(sent) before the draw."""
    predicted: Floats
    """Extra orders of a message, by the value model without any ratio, from what was known before the draw."""
    orders: Floats
    """All orders in the window,"""
    expected: Floats
    """and how many of them were to be expected of the customer before the draw."""
    predicted_margin: Floats
    margin: Floats
    expected_margin: Floats
    """The same three in money."""

    def __post_init__(self) -> None:
        """Refuse columns of different lengths.

        Raises:
            ValueError: naming the column that is not as long as the first.
        """
        for name in self.columns():
            if getattr(self, name).shape != self.sent.shape:
                raise ValueError(f"{name} has {getattr(self, name).shape} rows and sent {self.sent.shape}")

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Return the names of the columns."""
        return tuple(each.name for each in fields(cls) if each.name not in _NAMES)

    @property
    def size(self) -> int:
        """How many draws there are."""
        return len(self.sent)

    def of(self, rows: NDArray[np.bool_] | Integers) -> Sample:
        """Return the chosen rows."""
        return replace(self, **{name: getattr(self, name)[rows] for name in self.columns()})

    def by_source(self) -> Iterator[tuple[str, Sample]]:
        """Give each source that has draws, with its own."""
        for number, name in enumerate(self.sources):
            if (mine := self.source == number).any():
                yield name, self.of(mine)

    def by_pair(self) -> Iterator[tuple[str, Sample]]:
        """Give each pair that has draws, with its own."""
        for number, name in enumerate(self.pairs):
            if (mine := self.pair == number).any():
                yield name, self.of(mine)
