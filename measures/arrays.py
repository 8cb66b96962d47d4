"""Checked columns: every measure takes its inputs through here, so that a wrong one is named and not summed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from measures.outcome import NotComputableError

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


def columns(**named: ArrayLike) -> tuple[Floats, ...]:
    """Return the named columns as finite, equally long, non-empty float vectors.

    Raises:
        NotComputableError: naming the column and what is wrong with it.
    """
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in named.items()}
    first, length = next((name, array.size) for name, array in arrays.items())
    for name, array in arrays.items():
        if array.ndim != 1 or array.size != length:
            raise NotComputableError(
                f"{name} has shape {array.shape}; it must be a vector as long as {first} ({length})"
            )
        if not np.isfinite(array).all():
            bad = int(np.count_nonzero(~np.isfinite(array)))
            raise NotComputableError(f"{name} holds {bad} values that are no finite number; leave those units out")
    if length == 0:
        raise NotComputableError(f"{first} is empty: there is nothing to measure")
    return tuple(arrays.values())


def binary(**named: ArrayLike) -> tuple[Floats, ...]:
    """Return the named columns like :func:`columns`, holding nothing but 0 and 1."""
    arrays = columns(**named)
    for name, array in zip(named, arrays, strict=True):
        if not np.isin(array, (0.0, 1.0)).all():
            raise NotComputableError(f"{name} must hold 0 and 1 only")
    return arrays


def within(low: float, high: float, **named: ArrayLike) -> tuple[Floats, ...]:
    """Return the named columns like :func:`columns`, all between ``low`` and ``high``."""
    arrays = columns(**named)
    for name, array in zip(named, arrays, strict=True):
        if array.min() < low or array.max() > high:
            raise NotComputableError(
                f"{name} must lie in [{low:g}, {high:g}], found {array.min():g} … {array.max():g}"
            )
    return arrays


def chances(**named: ArrayLike) -> tuple[Floats, ...]:
    """Return the named columns like :func:`columns`, as probabilities of what happened: above 0, at most 1."""
    arrays = within(0, 1, **named)
    for name, array in zip(named, arrays, strict=True):
        if array.min() <= 0:
            zeros = int((array <= 0).sum())
            raise NotComputableError(f"{name} holds {zeros} zeros: what was done had a chance; log it as drawn")
    return arrays


def codes(clusters: ArrayLike | None, n: int) -> tuple[Integers, int]:
    """Return each unit's cluster as a number from 0, and how many clusters there are; by default each its own."""
    if clusters is None:
        return np.arange(n), n
    labels = np.asarray(clusters)
    if labels.shape != (n,):
        raise NotComputableError(f"clusters has shape {labels.shape}; it must be a vector of {n} labels")
    unique, inverse = np.unique(labels, return_inverse=True)
    return inverse.astype(np.intp), int(unique.size)


def sum_by(values: Floats, group: Integers, count: int) -> Floats:
    """Return the sum of ``values`` in each of ``count`` groups, by their numbers from 0."""
    return np.bincount(group, weights=values, minlength=count).astype(np.float64)
