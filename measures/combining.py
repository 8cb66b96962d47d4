"""One p-value out of several that depend on each other in ways nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from measures.arrays import within

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_LAST = 0.99
"""A p-value of 1 alone would outweigh all others: its Cauchy value is minus infinity."""


def cauchy(p_values: ArrayLike) -> float:
    """Return the Cauchy combination (Liu & Xie 2020): P(a mean of dependent Cauchy values is as large).

    It holds its level, for small levels, however the tests depend on each other, and loses next to nothing where
    they agree, as tests of one sample cut in several ways do. P-values above 0.99 count as that, which can only
    make the combination larger than it would otherwise be allowed to be small.

    Raises:
        NotComputableError: for no p-values, or one outside [0, 1].
    """
    (p,) = within(0, 1, p_values=p_values)
    # Near nought 1/(π p) is tan((1/2 − p) π) to all digits, and does not overflow into its pole.
    held = np.clip(p, 1e-300, _LAST)
    value = np.where(held < 1e-10, 1 / (np.pi * held), np.tan((0.5 - held) * np.pi))  # noqa: PLR2004
    mean = float(value.mean())
    return float(1 / (np.pi * mean)) if mean > 1e10 else float(0.5 - np.arctan(mean) / np.pi)  # noqa: PLR2004
