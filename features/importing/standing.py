"""Rows about customers who were erased: they are left out, wherever else they would have gone."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from features.whose import Tombstones as Erased
from features.whose import nobody, without

__all__ = ["Erased", "nobody", "standing"]


def standing(rows: pa.Table, erased: Erased) -> pa.Table:
    """Return the rows whose ``customer_id`` names nobody who was erased; a row that names nobody stays."""
    gone = erased(pc.unique(rows["customer_id"]).drop_null().to_pylist())
    return without(rows, gone) if gone else rows
