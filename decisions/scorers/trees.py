"""A LightGBM model inside a scorer: loaded once, asked by column name."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from decisions.scorers.base import matrix
from decisions.scorers.native import Model

if TYPE_CHECKING:
    import pyarrow as pa

    from decisions.scorers.base import FloatArray

ONE_THREAD_BELOW = 100_000
"""Rows from which more threads than one are worth their coordination."""

_KEPT = 32
"""Parsed boosters kept: more than the scorers of one process, champions and arms together."""


@lru_cache(maxsize=_KEPT)
def _parsed(text: str) -> Model:
    return Model(text)


def check_features(text: str, features: tuple[str, ...]) -> None:
    """Refuse a booster that was trained on other columns, or in another order.

    Raises:
        ValueError: naming the first column that differs.
    """
    own = _parsed(text).features
    if own != features:
        differing = next((pair for pair in zip(own, features, strict=False) if pair[0] != pair[1]), "their number")
        raise ValueError(
            f"the booster's columns and the artefact's differ in {differing!r}: the directory mixes two models"
        )


def margins(text: str, frame: pa.Table, features: tuple[str, ...]) -> FloatArray:
    """Return the raw scores (log-odds for a binary objective) of every row, (n,)."""
    return raw_scores(text, matrix(frame, features))


def raw_scores(text: str, columns: FloatArray) -> FloatArray:
    """Return the raw scores of the rows of ``columns``, which are in the order the booster was trained on."""
    if not len(columns):
        return np.empty(0)
    return _parsed(text).raw_scores(columns, threads=threads_for(len(columns)))


def threads_for(rows: int) -> int:
    """Return how many threads LightGBM gets: one for few rows, else as many as there are (0).

    Its threads wait for each other by spinning: beside other work on the same two cores, 100 trees of 14,000 rows
    took 9.5 s on two threads and 0.6 s on one.
    """
    return 1 if rows < ONE_THREAD_BELOW else 0
