"""Rows by whose they are: to take people out of a table, wherever it lies."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Tombstones = Callable[[Iterable[str]], set[str]]
"""Tells which of some customers were erased."""


def nobody(customer_ids: Iterable[str]) -> set[str]:
    """Answer as where no customer was ever erased."""
    del customer_ids
    return set()


def about(column: Any, customer_ids: Collection[str]) -> Any:
    """Return of each value in ``column`` whether it names one of the customers; of null, that it does not."""
    return pc.is_in(column, value_set=pa.array(customer_ids, pa.string()))


def without(rows: pa.Table, customer_ids: Collection[str]) -> pa.Table:
    """Return the rows whose ``customer_id`` names none of the customers; a row that names nobody stays."""
    return rows.filter(pc.invert(about(rows["customer_id"], customer_ids)))
