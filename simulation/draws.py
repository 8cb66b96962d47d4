"""Draws that belong to a customer, a day and a purpose, not to the order in which they are asked for.

Two policies in the same world share every draw that both of them meet (common random numbers), so that what
differs between them is what they did. Draws come from a counter-based generator (Philox, Salmon et al. 2011): the
counter names purpose and day, the position in the array names the customer.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum, auto
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bytes = NDArray[np.int8]
    Words = NDArray[np.uint64]

_DAYS_BEFORE_ZERO = 1 << 20
"""Added to a day's number, so that history has counters of its own."""


class Purpose(IntEnum):
    """What a draw decides. New ones go to the end: the number is part of every world's bytes."""

    TRAITS = auto()
    SESSIONS = auto()
    SESSION_TIMES = auto()
    ORDERS = auto()
    ORDER_TIMES = auto()
    ORDER_LINES = auto()
    CHURN = auto()
    SENDER = auto()
    BOUNCE = auto()
    SEEN = auto()
    SEEN_DELAY = auto()
    CLICKED = auto()
    BOUGHT = auto()
    REDEEMED = auto()
    LEFT = auto()
    COMPLAINED = auto()
    DRIVEN_OFF = auto()
    MACHINES = auto()
    LOSSES = auto()
    LATENESS = auto()
    CLAIMS = auto()


class Draws:
    """Every random number of one world."""

    def __init__(self, family: str, seed: int) -> None:
        named = hashlib.blake2b(f"kairos world/{family}/{seed}".encode(), digest_size=16).digest()
        self._key = np.frombuffer(named, dtype=np.uint64)

    def generator(self, purpose: Purpose, day: int = 0, *, turn: int = 0) -> np.random.Generator:
        """Return the stream of one purpose on one day; ``turn`` tells a second message of a day from the first."""
        counter = np.array([0, turn, purpose, day + _DAYS_BEFORE_ZERO], dtype=np.uint64)
        return np.random.Generator(np.random.Philox(key=self._key, counter=counter))

    def uniform(self, purpose: Purpose, day: int, customers: int, *, turn: int = 0) -> Floats:
        """Return one number in [0, 1) for each of ``customers``."""
        return self.generator(purpose, day, turn=turn).random(customers)

    def of_events(self, purpose: Purpose, kind: Bytes, who: Ints, moments: Ints) -> Floats:
        """Return one number in [0, 1) for each event, named by its kind, customer and second.

        A hash, not a stream: which other events there are changes nothing.
        """
        named = hashlib.blake2b(f"{purpose}".encode(), digest_size=8, key=self._key.tobytes()).digest()
        mixed = _mixed(who.astype(np.uint64) * np.uint64(256) + kind.astype(np.uint64))
        mixed = _mixed(mixed ^ np.frombuffer(named, dtype=np.uint64))
        return (_mixed(mixed ^ moments.astype(np.uint64)) >> np.uint64(11)).astype(np.float64) / 2.0**53


def _mixed(words: Words) -> Words:
    """Return the finaliser of SplitMix64 (Steele et al. 2014): every bit of a word bears on every bit."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
