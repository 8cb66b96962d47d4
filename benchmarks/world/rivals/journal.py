"""The log as rivals keep it: the events of each kind as columns of numbers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import EVENT_SCHEMA
from simulation.arena.playing import channels, moments_of, numbers
from simulation.shop import CATEGORIES, OFFERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_OFFERS = pa.array([offer.offer_id for offer in OFFERS])
_CATEGORIES = pa.array(CATEGORIES)
_NUMBERS = ("who", "channel", "offer", "category", "at", "automated", "value")


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """One row an event; −1 where it has no channel, offer or category. ``at`` is in seconds of the epoch."""

    who: Ints
    channel: Ints
    offer: Ints
    category: Ints
    at: Ints
    automated: Flags
    value: Floats
    message: pa.Array

    def __len__(self) -> int:
        return len(self.who)

    @classmethod
    def read(cls, events: pa.Table) -> Self:
        """Read events as the contract has them."""
        category = pc.extract_regex(events["properties"], '"category":"(?P<name>[^"]*)"')
        return cls(
            numbers(events),
            channels(events),
            _index(events["offer_id"], _OFFERS),
            _index(pc.struct_field(category, "name"), _CATEGORIES),
            moments_of(events),
            events["automated"].to_numpy(),
            pc.fill_null(events["value"], 0.0).to_numpy(),
            events["message_id"].combine_chunks(),
        )

    @classmethod
    def joined(cls, parts: Sequence[Events]) -> Self:
        """Return the events of all ``parts`` (at least one), in order."""
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _NUMBERS}
        return cls(**columns, message=pa.concat_arrays([part.message for part in parts]))

    def take(self, rows: Flags) -> Events:
        """Return the events that ``rows`` flags."""
        return self._at(np.flatnonzero(rows))

    def oldest_first(self) -> Events:
        """Return the events by time, those of one second in the order they came."""
        return self._at(np.argsort(self.at, kind="stable"))

    def _at(self, places: Ints) -> Events:
        columns = {name: getattr(self, name)[places] for name in _NUMBERS}
        return Events(**columns, message=self.message.take(pa.array(places)))

    def within(self, since: int, until: int) -> Events:
        """Return the events of [``since``, ``until``)."""
        return self.take((self.at >= since) & (self.at < until))

    def count(self, size: int) -> Floats:
        """Return how many there are of each of ``size`` customers."""
        return np.bincount(self.who, minlength=size).astype(np.float64)

    def followed_by(self, others: Events) -> Flags:
        """Return whether one of ``others`` is about the same message."""
        found: Flags = pc.is_in(self.message, value_set=others.message).to_numpy(zero_copy_only=False)
        return found


class Journal:
    """Everything heard so far."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Events]] = defaultdict(list)
        self._people: dict[str, Events] = {}
        self._none = Events.read(EVENT_SCHEMA.empty_table())

    def hear(self, events: pa.Table) -> None:
        """Write ``events`` down."""
        self._people.clear()
        everything, kinds = Events.read(events), pc.dictionary_encode(events["type"].combine_chunks())
        kind_of = kinds.indices.to_numpy()
        for index, kind in enumerate(kinds.dictionary.to_pylist()):
            self._parts[kind].append(everything.take(kind_of == index))

    def of(self, *kinds: str) -> Events:
        """Return all events of ``kinds`` (at least one), those of machines among them."""
        return _joined([self._whole(kind) for kind in kinds])

    def human(self, *kinds: str) -> Events:
        """Return the events of ``kinds`` (at least one) that people caused."""
        return _joined([self._by_people(kind) for kind in kinds])

    def _whole(self, kind: str) -> Events:
        parts = self._parts[kind]
        if len(parts) > 1:
            self._parts[kind] = parts = [Events.joined(parts)]
        return parts[0] if parts else self._none

    def _by_people(self, kind: str) -> Events:
        if kind not in self._people:
            events = self._whole(kind)
            self._people[kind] = events.take(~events.automated)
        return self._people[kind]


def _joined(parts: Sequence[Events]) -> Events:
    return parts[0] if len(parts) == 1 else Events.joined(parts)


def _index(values: pa.ChunkedArray, names: pa.Array) -> Ints:
    index: Ints = pc.fill_null(pc.index_in(values, names), -1).to_numpy().astype(np.int64)
    return index
