"""Point-in-time sets: who is asked about and when, and the features as they stood at that moment."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.faults import DOUBLED, CustomerFault

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from training.sources import PointInTime

MOMENT = pa.timestamp("us", "UTC")
_ROW = "row_id"


def spine(customers: Any, moments: Any, **columns: Any) -> pa.Table:
    """Return the spine of a set: one row per question, with ``columns`` (labels, weights …) carried along."""
    return pa.table({"customer_id": customers, "event_timestamp": pc.cast(moments, MOMENT), **columns})


def with_features(store: PointInTime, questions: pa.Table) -> pa.Table:
    """Return ``questions`` with the features known at each ``event_timestamp``, in the order of ``questions``.

    A feature that is infinite is unknown.

    Raises:
        ValueError: if the store loses or multiplies rows; a set with other rows than were asked for is no set.
    """
    numbered = questions.append_column(_ROW, pa.array(np.arange(questions.num_rows)))
    found = store.training_set(numbered).sort_by(_ROW)
    if not found[_ROW].combine_chunks().equals(numbered[_ROW].combine_chunks()):
        raise ValueError(
            f"asked for {numbered.num_rows} rows point in time and got {found.num_rows}: rows were lost or "
            "doubled; check that each feature table has one row per customer and moment"
        )
    return _finite(found.drop_columns([_ROW]), own=questions.column_names)


def one_each(table: pa.Table) -> pa.Table:
    """Return ``table``, which has one row a customer.

    Raises:
        CustomerFault: where somebody has two, as in a lake that keeps their rows in two places.
    """
    counted = table.group_by("customer_id").aggregate([([], "count_all")])
    twice = counted.filter(pc.greater(counted["count_all"], 1))["customer_id"].to_pylist()
    if twice:
        raise CustomerFault(DOUBLED.format(customers=f"{len(twice)} customers"), customers=twice)
    return table


def at_midnight(moment: datetime) -> datetime:
    """Return the last UTC midnight not after ``moment``: the moment of a daily snapshot."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def clusters(customers: pa.ChunkedArray) -> NDArray[np.int64]:
    """Number the customers behind the rows, so that intervals can resample whole customers."""
    codes = customers.combine_chunks().dictionary_encode().indices
    return np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.int64)


def fingerprint(table: pa.Table, **settings: Any) -> str:
    """Return a hash of a set's content and of the settings it was made with; customers stay unreadable in it."""
    digest = hashlib.sha256(repr(sorted(settings.items())).encode())
    for name in sorted(table.column_names):
        digest.update(f"{name}:{table.schema.field(name).type}".encode())
        digest.update(_as_bytes(table[name]))
    return digest.hexdigest()[:16]


def _as_bytes(column: pa.ChunkedArray) -> bytes:
    """Return the values as one Arrow stream: independent of how the column was cut into chunks."""
    whole = pa.table({"values": pa.concat_arrays(column.chunks) if column.num_chunks else pa.nulls(0)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, whole.schema) as writer:
        writer.write_table(whole)
    return bytes(sink.getvalue())


def rows(table: pa.Table, mask: NDArray[np.bool_]) -> pa.Table:
    """Return the rows of ``table`` where ``mask`` is true."""
    return table.filter(pa.array(mask))


def numbers(table: pa.Table, name: str) -> NDArray[np.float64]:
    """Return a column as doubles; null is NaN."""
    return np.asarray(pc.cast(table[name], pa.float64()).to_numpy(), dtype=np.float64)


def at_least(table: pa.Table, name: str, least: float) -> NDArray[np.float64]:
    """Return :func:`numbers` of a feature that is never below ``least``; null is NaN.

    Raises:
        CustomerFault: naming the feature, and holding the customers of whom it is.
    """
    found = numbers(table, name)
    if (below := found < least).any():
        whose = rows(table, below)["customer_id"].to_pylist()
        said = f"{len(set(whose))} customers have {name} below {least:g}; run `kairos features build` again"
        raise CustomerFault(said, feature=name, customers=whose)
    return found


def _finite(table: pa.Table, own: Collection[str]) -> pa.Table:
    """Let an infinite feature be unknown: no split could use it, and it would end a line's fit for everybody."""
    for place, name in enumerate(table.column_names):
        if name not in own and pa.types.is_floating(table.schema.field(name).type):
            finite = pc.if_else(pc.is_finite(table[name]), table[name], None)
            table = table.set_column(place, name, finite)
    return table
