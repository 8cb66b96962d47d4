"""A sender who experiments: whom it writes to, with what, where and when, is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulation.arena.playing import Wanted
from simulation.shop import OFFERS

if TYPE_CHECKING:
    import pyarrow as pa

    from simulation.arena.playing import Asked

_SENDS = 0.6
"""The share of questions that get a message."""


class Exploring:
    """Answers at random, evenly over offers, permitted channels and free hours."""

    def __init__(self, *, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def hear(self, events: pa.Table, day: int) -> None:
        """Need nothing: it learns from no one."""

    def choose(self, asked: Asked) -> Wanted:
        """Answer the questions of one day."""
        hours = self._random.random(asked.free.shape) * asked.free
        channels = self._random.random(asked.reachable.shape) * asked.reachable
        sends = self._random.random(len(asked.who)) < _SENDS
        row = np.flatnonzero(sends & asked.free.any(axis=1) & asked.reachable.any(axis=1))
        offer = self._random.integers(len(OFFERS), size=len(row))
        return Wanted(row, offer, channels[row].argmax(axis=1), hours[row].argmax(axis=1))
