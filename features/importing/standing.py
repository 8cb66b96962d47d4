"""Rows about customers who were erased: they are left out, wherever else they would have gone."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pyarrow as pa
import pyarrow.compute as pc

from features.whose import without

Erased = Callable[[Collection[str]], set[str]]
"""Tells which of some customers were erased."""


def nobody(customer_ids: Collection[str]) -> set[str]:
    """Answer as where no customer was ever erased."""
    del customer_ids
    return set()


def standing(rows: pa.Table, erased: Erased) -> pa.Table:
    """Return the rows whose ``customer_id`` names nobody who was erased; a row that names nobody stays."""
    gone = erased(pc.unique(rows["customer_id"]).drop_null().to_pylist())
    return without(rows, gone) if gone else rows
