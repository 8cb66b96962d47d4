"""Views: how feature columns are packed for storage, and unpacked for use.

A view's numbers travel as one array a row. Feast's SQLite store keeps one row a feature and its offline join
carries every column through a window: an array is one value in both (docs/decisions-log.md has the times).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.vocabulary import ATTRIBUTES, CUSTOMER, HOURS_OF_WEEK, Vocabulary

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from numpy.typing import NDArray

_NAN = float("nan")


@dataclass(frozen=True)
class FloatView:
    """A view of float columns: plain ones, or arrays of ``width`` numbers each (which may be one).

    ``resting`` are its values for a customer who is known but of whom it has no rows: nothing happened yet.
    NaN stands for null inside the array, because Feast's lists hold no nulls.
    """

    name: str
    columns: tuple[str, ...]
    resting: tuple[float, ...]
    width: int | None = None
    daily: bool = True
    texts: ClassVar[bool] = False

    @cached_property
    def size(self) -> int:
        """How many numbers one packed row holds."""
        return len(self.columns) * (self.width or 1)

    def pack(self, table: ir.Table) -> ir.Table:
        """Return ``customer_id``, the moment (as both of Feast's timestamps) and the packed array."""
        import ibis  # noqa: PLC0415 - only builds pack; online reads need no Ibis

        if self.width is None:
            packed = ibis.array([table[column].fill_null(_NAN) for column in self.columns])
        else:
            first, *rest = (table[column] for column in self.columns)
            packed = (first.concat(*rest) if rest else first).map(lambda number: number.fill_null(_NAN))
        return _stamped(table, **{self.name: packed})

    def unpack(self, packed: pa.Array, known: NDArray[np.bool_]) -> dict[str, pa.Array]:
        """Return the columns of a packed array; rows without one rest where ``known``, else are null."""
        rows = _matrix(packed, self.size)
        rows[packed.is_null().to_numpy(zero_copy_only=False) & known] = self.resting
        present = known | packed.is_valid().to_numpy(zero_copy_only=False)
        if self.width is None:
            return {column: _column(rows[:, i]) for i, column in enumerate(self.columns)}
        parts = rows.reshape(len(rows), len(self.columns), self.width)
        return {column: _arrays(parts[:, i], present) for i, column in enumerate(self.columns)}


@dataclass(frozen=True)
class TextView:
    """A view of text columns; an empty text stands for null inside the array."""

    name: str
    columns: tuple[str, ...]
    daily: bool = False
    texts: ClassVar[bool] = True

    def pack(self, table: ir.Table) -> ir.Table:
        """Return ``customer_id``, the moment (as both of Feast's timestamps) and the packed array."""
        import ibis  # noqa: PLC0415 - as above

        return _stamped(table, **{self.name: ibis.array([table[column].fill_null("") for column in self.columns])})

    def unpack(self, packed: pa.Array, known: NDArray[np.bool_]) -> dict[str, pa.Array]:
        """Return the columns of a packed array; rows without one are null, ``known`` or not."""
        del known
        rows = packed.to_pylist()
        _check_size({len(row) for row in rows if row is not None}, len(self.columns))
        return {
            column: pa.array([(row[i] or None) if row else None for row in rows], pa.string())
            for i, column in enumerate(self.columns)
        }


@dataclass(frozen=True)
class RaggedView:
    """A view of arrays that are as long as each other, but not as those of the next row: texts, or floats.

    It holds no nulls inside; a customer of whom it has no row has null arrays, known or not.
    """

    name: str
    columns: tuple[str, ...]
    texts: bool = False
    daily: bool = False

    def pack(self, table: ir.Table) -> ir.Table:
        """Return ``customer_id``, the moment (as both of Feast's timestamps) and the arrays end to end."""
        first, *rest = (table[column] for column in self.columns)
        return _stamped(table, **{self.name: first.concat(*rest) if rest else first})

    def unpack(self, packed: pa.Array, known: NDArray[np.bool_]) -> dict[str, pa.Array]:
        """Return the columns, each the same share of a packed array; rows without one are null."""
        del known
        lengths = pc.fill_null(packed.value_lengths(), 0).to_numpy(zero_copy_only=False).astype(np.int64)
        size, rest = np.divmod(lengths, len(self.columns))
        if rest.any():
            raise WidthError(f"packed rows hold {lengths.tolist()} values, not as many for each of {self.columns}")
        return {name: _share(packed, lengths, size, i) for i, name in enumerate(self.columns)}


View = FloatView | TextView | RaggedView


class WidthError(ValueError):
    """A packed row does not have the length its view says: it was written under another vocabulary."""


def views(vocabulary: Vocabulary) -> tuple[View, ...]:
    """Return every view of a vocabulary, in the order of the feature frame."""
    pressure = tuple(
        FloatView(f"pressure_{channel}", columns, (*[0.0] * (len(columns) - 1), _NAN))
        for channel in vocabulary.channels
        for columns in [vocabulary.pressure_of(channel)]
    )
    return (
        FloatView("activity", vocabulary.activity, (_NAN,) * len(vocabulary.activity)),
        *pressure,
        *_category_view(vocabulary),
        FloatView("rhythm", vocabulary.rhythm_arrays, (0.0,) * HOURS_OF_WEEK, HOURS_OF_WEEK, daily=False),
        TextView("contact", (*vocabulary.contact, ATTRIBUTES)),
        RaggedView("tally_pairs", vocabulary.tally_arrays[:1], texts=True),
        RaggedView("tally", vocabulary.tally_arrays[1:]),
    )


def _category_view(vocabulary: Vocabulary) -> tuple[FloatView, ...]:
    width = len(vocabulary.categories)
    if not width:
        return ()
    resting = (*[_NAN] * width, *[0.0] * width, *[_NAN] * width)
    return (FloatView("categories", vocabulary.category_arrays, resting, width),)


def _stamped(table: ir.Table, **packed: ir.Value) -> ir.Table:
    moment = table.event_timestamp
    return table.select(CUSTOMER, event_timestamp=moment, created_at=moment, **packed)


def _check_size(found: set[int], size: int) -> None:
    if found - {size}:
        raise WidthError(f"packed rows hold {sorted(found)} values where the vocabulary has {size}")


def _matrix(packed: pa.Array, size: int) -> NDArray[np.float64]:
    rows = np.full((len(packed), size), _NAN)
    valid = packed.is_valid().to_numpy(zero_copy_only=False)
    lengths = packed.value_lengths().drop_null().unique().to_pylist()
    _check_size(set(lengths), size)
    rows[valid] = packed.flatten().to_numpy(zero_copy_only=False).reshape(-1, size)
    return rows


def _column(numbers: NDArray[np.float64]) -> pa.Array:
    return pa.array(numbers, mask=np.isnan(numbers))


def _arrays(numbers: NDArray[np.float64], present: NDArray[np.bool_]) -> pa.Array:
    lists = pa.FixedSizeListArray.from_arrays(_column(numbers.ravel()), numbers.shape[1]).cast(
        pa.list_(pa.float64())
    )
    return pc.if_else(pa.array(present), lists, pa.scalar(None, lists.type))


def _share(packed: pa.Array, lengths: NDArray[np.int64], size: NDArray[np.int64], place: int) -> pa.Array:
    """Return of each row its ``place``-th stretch of ``size`` elements."""
    ends = np.cumsum(size)
    begins = np.cumsum(lengths) - lengths + place * size
    taken = np.arange(size.sum()) + np.repeat(begins - (ends - size), size)
    values = packed.flatten().take(pa.array(taken))
    offsets = pa.array(np.concatenate([[0], ends]), pa.int32())
    return pa.ListArray.from_arrays(offsets, values, mask=packed.is_null())
