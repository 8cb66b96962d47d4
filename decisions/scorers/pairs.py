"""Customer × category pairs as a matrix: what the response model sees of one customer and one category."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from decisions.scorers.base import array_matrix, matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from decisions.scorers.base import FloatArray

PAIR_ARRAYS = ("category_share", "category_orders_90d", "category_recency_days")
CATEGORY = "category"
"""The column that holds the category's position in the vocabulary."""


def pair_features(activity: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of :func:`pair_matrix`, in order."""
    return (*activity, *PAIR_ARRAYS, CATEGORY)


def pair_matrix(
    frame: pa.Table, activity: Sequence[str], categories: Sequence[str], wanted: Sequence[str]
) -> FloatArray:
    """Return one row per customer and wanted category, customers outermost: (n · len(wanted), features).

    ``categories`` is the vocabulary's list the arrays are aligned with.

    Raises:
        ValueError: if the frame lacks a column, or its arrays are as long as another vocabulary's.
    """
    own = matrix(frame, activity)
    positions = [list(categories).index(name) for name in wanted]
    arrays = [array_matrix(frame, name, len(categories))[:, positions] for name in PAIR_ARRAYS]
    number = np.tile(np.array(positions, dtype=np.float64), frame.num_rows)
    return np.column_stack([np.repeat(own, len(wanted), axis=0), *(array.ravel() for array in arrays), number])
