"""Rows about customers who were erased: they are left out, wherever else they would have gone."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from features.readings import candidates
from features.whose import without

if TYPE_CHECKING:
    from collections.abc import Iterable

    from features.whose import Tombstones


def standing(rows: pa.Table, erased: Tombstones) -> pa.Table:
    """Return the rows whose ``customer_id`` names nobody who was erased; a row that names nobody stays."""
    gone = erased(pc.unique(rows["customer_id"]).drop_null().to_pylist())
    return without(rows, gone) if gone else rows


def refused_standing(rows: pa.Table, erased: Tombstones) -> pa.Table:
    """Return refused rows (``row``, ``customer_id``, perhaps ``others``) without those of erased customers.

    A tombstone names nobody, so that each id must be asked for: whom the row is about, as it stands and without
    blanks around; where it says nowhere, whatever in it may be one.
    """
    named = _named(rows)
    gone = erased(chain.from_iterable(named))
    if not gone:
        return rows
    return rows.filter(pa.array([gone.isdisjoint(names) for names in _named(rows)], pa.bool_()))


def _named(rows: pa.Table) -> Iterable[Iterable[str]]:
    others = rows["others"].to_pylist() if "others" in rows.column_names else [[]] * rows.num_rows
    for customer, more, row in zip(rows["customer_id"].to_pylist(), others, rows["row"].to_pylist(), strict=True):
        yield (customer, customer.strip()) if customer is not None else {*more, *candidates(row)}
