"""What does looking early do to a test? 78 experiments of a shop with their running means and variances.

Yardstick: each comparison read by itself, z beyond ±1.96; for looking at every checkpoint, one look at the end.

Data: asos_digital_experiments.parquet

    python -m benchmarks.asos --data DIR

99 treatments × 4 metrics are 396 comparisons; nobody knows which of them are real, so a share is no score. Ours
is the rule of an experiment report: Welch's test, and Benjamini and Hochberg's control over all metrics and arms
of the experiment. Kairos has nothing sequential yet: a reader who looks at each checkpoint and stops at the first
discovery declares the share shown for a look at every checkpoint; these figures are what a sequential test will
be held against. Intervals draw whole experiments.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, ttest_ind_from_stats

from benchmarks.answer import Row, answer
from measures.bootstrap import interval
from measures.outcome import NotComputableError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmarks.answer import Measured
    from decisions.scorers.base import FloatArray

FILE = "asos_digital_experiments.parquet"
COMPARISON = ["experiment_id", "variant_id", "metric_id"]
LEVEL = 0.05
NAIVE = 1.96


def looks(table: pd.DataFrame) -> pd.DataFrame:
    """Return every checkpoint of every comparison in time order, with ``naive`` and ``ours``: declared or not.

    Where a variance is missing nothing can be declared.
    """
    found = table.sort_values([*COMPARISON, "time_since_start"]).reset_index(drop=True)
    error = np.sqrt(found["variance_c"] / found["count_c"] + found["variance_t"] / found["count_t"])
    found["naive"] = ((found["mean_t"] - found["mean_c"]) / error).abs() > NAIVE
    found["p"] = welch(found)
    found["ours"] = found.groupby(["experiment_id", "time_since_start"])["p"].transform(discovered)
    return found


def welch(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return the p-value that an experiment report finds for a mean, from counts, means and variances alone."""
    arms = [
        (
            table[f"mean_{arm}"].to_numpy(np.float64),
            np.sqrt(table[f"variance_{arm}"].to_numpy(np.float64)),
            table[f"count_{arm}"].to_numpy(np.float64),
        )
        for arm in ("t", "c")
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(ttest_ind_from_stats(*arms[0], *arms[1], equal_var=False).pvalue, dtype=np.float64)


def discovered(p: pd.Series[float]) -> NDArray[np.bool_]:
    """Return which of one look's p-values are discoveries, all of them taken together; NaN is none."""
    known = p.notna().to_numpy()
    answers = np.zeros(len(p), dtype=np.bool_)
    if known.any():
        answers[known] = false_discovery_control(p[known]) <= LEVEL
    return answers


def ends(found: pd.DataFrame) -> pd.DataFrame:
    """Return one row a comparison: what is declared at its last look, and at any."""
    own = found.groupby(COMPARISON, sort=True)
    last = own[["naive", "ours"]].last()
    some = own[["naive", "ours"]].any().add_suffix("_ever")
    return last.join(some).astype(float).reset_index()


def run(table: pd.DataFrame) -> Measured:
    """Return one look beside the naive reading, and looking always beside one look."""
    found = looks(table)
    each = ends(found)
    pairs = [
        ("one look, at the end", "ours", "naive", "truth unknown", "z beyond ±1.96 each"),
        ("a look at every checkpoint", "naive_ever", "naive", "near 1", "z beyond ±1.96, one look"),
        ("a look at every checkpoint", "ours_ever", "ours", "near 1", "ours, one look"),
    ]
    rows = [_row(each, *pair) for pair in pairs]
    return rows, {
        "comparisons": len(each),
        "experiments": int(each["experiment_id"].nunique()),
        "checkpoints_median": float(found.groupby(COMPARISON).size().median()),
        "without_variance_at_the_end": int(found.groupby(COMPARISON).tail(1)["p"].isna().sum()),
        "declared_early_and_not_at_the_end": {name: _taken_back(each, name) for name in ("naive", "ours")},
        "missing": "a test that may be looked at any time: nothing sequential exists yet",
    }


def _row(each: pd.DataFrame, case: str, ours: str, theirs: str, better: str, yardstick: str) -> Row:
    about: dict[str, Any] = {"case": case, "better": better, "yardstick": yardstick}
    ratio = interval(
        _ratio,
        (each[ours], each[theirs]),
        clusters=pd.factorize(each["experiment_id"])[0],
        seed=0,
    )
    name = "share declared by z beyond ±1.96" if ours.startswith("naive") else "share declared by ours"
    return Row.of(ratio, theirs=float(each[theirs].mean()), measure=name, **about)


def _ratio(ours: FloatArray, theirs: FloatArray) -> float:
    if not theirs.any():
        raise NotComputableError("the yardstick declares nothing")
    return float(ours.mean() / theirs.mean())


def _taken_back(each: pd.DataFrame, name: str) -> float | None:
    """Return, of what is declared at some look, the share that the last look no longer declares."""
    ever = each[each[f"{name}_ever"] > 0]
    return float(1 - ever[name].mean()) if len(ever) else None


def measure(data: Path, given: argparse.Namespace) -> Measured:
    """Return the rows of the data set in ``data``."""
    del given
    return run(pd.read_parquet(data / FILE))


if __name__ == "__main__":
    sys.exit(answer(__doc__, measure))
