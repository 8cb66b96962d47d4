"""The messages of a log, one row each, with what came of them so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.calendar import DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.world.rivals.journal import Events

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]


class Pressure:
    """Everybody's messages, each halving with time: as of the last one of each."""

    def __init__(self, size: int, half_life_days: float) -> None:
        self._level = np.zeros(size)
        self._at = np.zeros(size, dtype=np.int64)
        self._half_life = half_life_days * DAY

    def at(self, who: Ints, moments: Ints) -> Floats:
        """Return the pressure that ``who`` are under at ``moments`` (of one shape once broadcast)."""
        level: Floats = self._level[who] * 0.5 ** (np.maximum(0, moments - self._at[who]) / self._half_life)
        return level

    def weigh(self, who: Ints, moments: Ints) -> Floats:
        """Let messages, the oldest first, weigh on ``who``; return the pressure that each one met."""
        met = np.zeros(len(who))
        order = np.lexsort((np.arange(len(who)), who))
        first = np.r_[True, who[order][1:] != who[order][:-1]] if len(order) else np.zeros(0, dtype=np.bool_)
        start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0)) if len(order) else order
        turn = np.arange(len(order)) - start
        for number in range(int(turn.max(initial=-1)) + 1):
            rows = order[turn == number]
            met[rows] = self.at(who[rows], moments[rows])
            self._level[who[rows]] = met[rows] + 1
            self._at[who[rows]] = moments[rows]
        return met


class Sends:
    """One row a message, in the order they were heard."""

    _KINDS = ("opened", "hidden", "clicked", "ordered", "bounced")

    def __init__(self) -> None:
        none = np.zeros(0, dtype=np.int64)
        self.who, self.channel, self.offer, self.at, self.hour = none, none, none, none, none
        self.pressure = np.zeros(0)
        self._names = pa.array([], pa.string())
        self._flags = {kind: np.zeros(0, dtype=np.bool_) for kind in self._KINDS}

    def __len__(self) -> int:
        return len(self.who)

    def hear(self, sent: Events, pressure: Floats, hour: Ints) -> None:
        """Take new messages, which met ``pressure``, sent at a local ``hour``."""
        self.who, self.channel = np.r_[self.who, sent.who], np.r_[self.channel, sent.channel]
        self.offer, self.at = np.r_[self.offer, sent.offer], np.r_[self.at, sent.at]
        self.pressure, self.hour = np.r_[self.pressure, pressure], np.r_[self.hour, hour]
        self._names = pa.concat_arrays([self._names, sent.message])
        for kind, flags in self._flags.items():
            self._flags[kind] = np.r_[flags, np.zeros(len(sent), dtype=np.bool_)]

    def mark(self, kind: str, events: Events) -> None:
        """Note that ``events`` happened to the messages they name."""
        if len(events):
            row = pc.drop_null(pc.index_in(events.message, value_set=self._names)).to_numpy()
            self._flags[kind][row] = True

    @property
    def shown(self) -> Flags:
        """Return which messages show by what a person did that they were seen."""
        return self._flags["opened"] | self._flags["clicked"] | self._flags["ordered"]

    def flag(self, kind: str) -> Flags:
        """Return to which messages ``kind`` happened."""
        return self._flags[kind]
