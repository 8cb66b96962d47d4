"""Has a distribution moved? The population stability index between two samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MODERATE, LARGE = 0.1, 0.25
"""The field's customary bounds: below the first stable, above the second moved (Siddiqi, 2006)."""


def stability_index(before: ArrayLike, after: ArrayLike, *, bins: int = 10) -> float | None:
    """Return the population stability index of ``after`` against ``before``; 0 is no change.

    Both are one-dimensional samples; NaN counts as a bin of its own, so that a feature that stops being
    computed shows as drift. Bins are the quantiles of ``before``; each share is smoothed by half an observation,
    so that an empty bin gives a large number and not infinity. None where either sample is empty.
    """
    old, new = _floats(before), _floats(after)
    if old.size == 0 or new.size == 0:
        return None
    edges = _edges(old, bins)
    expected, actual = _shares(old, edges), _shares(new, edges)
    return float(np.sum((actual - expected) * np.log(actual / expected)))


def _floats(sample: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(sample, dtype=np.float64).ravel()


def _edges(sample: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    known = sample[~np.isnan(sample)]
    if known.size == 0:
        return np.empty(0)
    cuts = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1], method="inverted_cdf"))
    return np.asarray(
        cuts[cuts < known.max()], dtype=np.float64
    )  # a cut at the maximum would leave nothing above it


def _shares(sample: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    missing = np.isnan(sample)
    counts = np.bincount(np.searchsorted(edges, sample[~missing], side="left"), minlength=edges.size + 1)
    smoothed = np.append(counts, missing.sum()) + 0.5
    return np.asarray(smoothed / smoothed.sum(), dtype=np.float64)
