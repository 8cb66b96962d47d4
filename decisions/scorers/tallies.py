"""From a feature frame to what the value model counts."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from decisions.scorers.base import matrix
from decisions.worth.life import Life
from decisions.worth.tally import Tally
from features.vocabulary import TALLY_PAIRS, WINDOWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from decisions.scorers.base import FloatArray
    from decisions.worth.news import News

_YEAR = 365.0
_SESSIONS = tuple(f"sessions_{days}d" for days in WINDOWS)
LIFE = ("orders_365d", "spend_365d", "sessions_365d", "tenure_days", "recency_days", *_SESSIONS)
"""The columns that say how customers live."""


def tally_of(frame: pa.Table, channels: Sequence[str], offers: Sequence[str], news: News | None = None) -> Tally:
    """Return the tally of each row: (rows, channels, offers + 1), all other offers together the last.

    What was sent on a channel not among ``channels`` is left out. ``news`` of the same rows are added.

    Raises:
        ValueError: naming a column the frame does not have.
    """
    names = [each.name for each in fields(Tally)]
    missing = [name for name in (TALLY_PAIRS, *map(_column, names)) if name not in frame.column_names]
    if missing:
        raise ValueError(f"the feature frame lacks {missing!r}: build the features with this vocabulary")
    shape = (frame.num_rows, len(channels), len(offers) + 1)
    row, pairs = _flat(frame[TALLY_PAIRS])
    counts = {name: _counted(frame, name)[1] for name in names}
    at = _places(pairs, channels, offers)
    if news is not None:
        heard = _table(news.pairs, channels, offers)[news.pair]
        row, at = np.concatenate([row, news.row]), np.concatenate([at, heard])
        counts = {name: np.concatenate([counts[name], news.counts[name]]) for name in names}
    kept = at >= 0
    place, size = row[kept] * (shape[1] * shape[2]) + at[kept], int(np.prod(shape))
    summed = {name: np.bincount(place, each[kept], minlength=size).reshape(shape) for name, each in counts.items()}
    if news is not None:
        # Nothing is counted below nought: what the ledger takes off, features may have under another name.
        summed = {name: np.maximum(each, 0.0) for name, each in summed.items()}
    return Tally(**{name: np.asarray(each, dtype=np.float64) for name, each in summed.items()})


def evidence_of(counted: Tally, channels: Sequence[str], offers: Sequence[str]) -> dict[str, FloatArray]:
    """Return by ``"offer|channel"`` what may be told of each row's messages, (rows, 3): of the named offers.

    Messages (as ripe as they are), those that were seen as far as it shows, and orders that name them.
    """
    messages, orders = counted.exposed + counted.hidden, counted.ordered + counted.hidden_ordered
    each = np.stack([messages, counted.seen, orders], axis=3).round(2)
    return {
        f"{offer}|{channel}": np.asarray(each[:, row, column], dtype=np.float64)
        for row, channel in enumerate(channels)
        for column, offer in enumerate(offers)
    }


def life_of(frame: pa.Table) -> Life:
    """Return how each row's customer lives, as far as the last year tells.

    Orders that messages are credited with are taken off, as if all of them fell into that year. When somebody last
    visited is known by windows only, and taken as late as it can have been.
    """
    orders, spend, sessions, tenure, recency, *windows = matrix(frame, LIFE).T
    tenure, orders = np.nan_to_num(tenure), np.nan_to_num(orders)
    own = np.maximum(0.0, orders - _credited(frame))
    visited = np.full(frame.num_rows, np.inf)
    edges = (0.0, *WINDOWS[:-1])
    for edge, within in reversed(list(zip(edges, windows, strict=True))):
        visited = np.where(np.nan_to_num(within) > 0, edge, visited)
    silent = np.fmin(np.where(np.isnan(recency), np.inf, recency), visited)
    return Life(
        orders=own,
        revenue=np.nan_to_num(spend) * np.divide(own, orders, out=np.zeros_like(own), where=orders > 0),
        days=np.minimum(tenure, _YEAR),
        signs=orders + np.nan_to_num(sessions),
        silent_days=np.minimum(silent, np.minimum(tenure, _YEAR)),
    )


def _credited(frame: pa.Table) -> FloatArray:
    """Return how many messages of each row were followed by an order that names them."""
    total = np.zeros(frame.num_rows)
    for name in ("ordered", "hidden_ordered"):
        row, values = _counted(frame, name)
        total += np.bincount(row, values, minlength=frame.num_rows)
    return total


def _column(name: str) -> str:
    return f"tally_{name}"


def _counted(frame: pa.Table, name: str) -> tuple[NDArray[np.int64], FloatArray]:
    """Return the row of each element of a count, and the elements; null counts as nothing."""
    row, values = _flat(frame[_column(name)])
    return row, np.nan_to_num(np.asarray(pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False)))


def _flat(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], pa.Array]:
    """Return the row of each element, and the elements."""
    lists = column.combine_chunks()
    rows = pc.list_parent_indices(lists).to_numpy().astype(np.int64)
    return rows, pc.list_flatten(lists)


def _places(pairs: pa.Array, channels: Sequence[str], offers: Sequence[str]) -> NDArray[np.int64]:
    """Return each pair's place among (channels, offers + 1); −1 where the channel is none of them."""
    names = pc.dictionary_encode(pairs)
    table = _table(names.dictionary.to_pylist(), channels, offers)
    return table[names.indices.to_numpy(zero_copy_only=False)] if len(pairs) else np.zeros(0, dtype=np.int64)


def _table(pairs: Sequence[str], channels: Sequence[str], offers: Sequence[str]) -> NDArray[np.int64]:
    """Return the same of pairs as plain texts."""
    # An offer's id may hold the separator; a channel's name does not.
    split = [pair.rpartition("|") for pair in pairs]
    known = {offer: number for number, offer in enumerate(offers)}
    width = len(offers) + 1
    return np.array(
        [
            channels.index(channel) * width + known.get(offer, len(offers)) if channel in channels else -1
            for offer, _, channel in split
        ]
        or [-1],
        dtype=np.int64,
    )
