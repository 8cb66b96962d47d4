"""Who says yes when called, while the world around the calls changes? Retraining on the last calls, over time.

Yardstick: the same trees trained once on the first 70% of the calls; LightGBM's defaults retrained alike; the
rate of the last calls for everybody.

Data: bank_additional_full.parquet

    python -m benchmarks.bank_marketing --data DIR [--every CALLS]

41,188 calls of a Portuguese bank in time order, 2008–2010. The last 30% are judged: before each 500 of them the
model is fitted and calibrated anew on the last 10,000 or 20,000 calls. `duration` is never read, for it is not
known before a call. Two figures, because acceptance moves from 5.6% to 24.6%: over the whole later part a model
is praised for knowing *when* people accept; within 500 calls only *who*. The log-loss is of calibrated
probabilities, in nats a call, the mean of the 500s'; intervals draw these 500s.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.answer import Row, answer
from benchmarks.usual import USUAL
from decisions.scorers.base import FloatArray
from decisions.scorers.calibration import calibrated
from measures.bootstrap import interval
from measures.outcome import NotComputableError
from measures.proper import log_loss_units
from measures.ranking import auc
from training.fitting import CAREFUL, Training, calibrate, cross_fit, fit_booster, odds_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.answer import Measured

FILE = "bank_additional_full.parquet"
EARLIER = 0.7
WINDOWS = (10_000, 20_000)
"""Calls learned from, the last ones."""
NEVER_CALLED = 999
"""How the file writes days since an earlier campaign where there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """The calls that are judged: accepted or not, and the number of the 500 each belongs to."""

    accepted: FloatArray
    window: NDArray[np.int64]

    def over_all(self, score: FloatArray, theirs: FloatArray, **about: str) -> Row:
        """Return both areas under the ROC curve over the whole later part."""
        data = (self.accepted, score, theirs)
        ratio = interval(_auc_ratio, data, clusters=self.window, seed=0, reps=400)
        return Row.of(ratio, theirs=float(auc(self.accepted, theirs)), **_ranked("AUC, whole later part", about))

    def within(self, score: FloatArray, theirs: FloatArray, **about: str) -> Row:
        """Return both areas within each window, averaged over windows."""
        return _means(self._areas(score), self._areas(theirs), **_ranked("AUC within 500 calls, mean", about))

    def log_loss(self, p: FloatArray, theirs: FloatArray, **about: str) -> Row:
        """Return both mean losses in nats a call, averaged over windows."""
        parts = [self._by_window(log_loss_units(self.accepted, each)) for each in (p, theirs)]
        return _means(parts[0], parts[1], measure="log-loss", better="lower", **about)

    def _by_window(self, values: FloatArray) -> FloatArray:
        return np.bincount(self.window, values) / np.bincount(self.window)

    def _areas(self, score: FloatArray) -> FloatArray:
        found = [
            auc(self.accepted[rows], score[rows])
            for rows in (self.window == number for number in np.unique(self.window))
            if 0 < self.accepted[rows].sum() < rows.sum()
        ]
        if not found:
            raise NotComputableError("no window holds both a yes and a no")
        return np.array(found)


def calls(path: Path) -> Training:
    """Return all calls in time order as a training set; each is its own group."""
    table = pd.read_parquet(path).drop(columns="duration")
    features = table.drop(columns="y")
    features["pdays"] = features["pdays"].where(features["pdays"] < NEVER_CALLED)
    columns = pd.get_dummies(features)
    return Training(
        columns=columns.to_numpy(np.float64),
        names=tuple(name.replace(" ", "_") for name in columns.columns),
        labels=(table["y"] == "yes").to_numpy().astype(np.float64),
        groups=np.arange(len(table)),
    )


def part(whole: Training, first: int, last: int) -> Training:
    """Return the calls from ``first`` up to ``last``."""
    rows = np.zeros(len(whole.labels), dtype=np.bool_)
    rows[first:last] = True
    return whole.part(rows)


def ours(train: Training, test: Training) -> FloatArray:
    """Return Kairos's calibrated probabilities."""
    knots = calibrate(cross_fit(train, CAREFUL, seed=0), train.labels)
    return calibrated(knots, odds_of(fit_booster(train, CAREFUL, seed=0), test))


def usual(train: Training, test: Training) -> FloatArray:
    """Return the log-odds of LightGBM's defaults."""
    return odds_of(fit_booster(train, USUAL, seed=0), test)


def rate(train: Training, test: Training) -> FloatArray:
    """Return the rate of the calls learned from, for everybody."""
    return np.full(len(test.labels), train.labels.mean())


def retrained(
    whole: Training, cut: int, fit: Callable[[Training, Training], FloatArray], *, last: int, every: int
) -> FloatArray:
    """Return the answers for all calls from ``cut`` on, each fitted on the ``last`` calls before its window."""
    size = len(whole.labels)
    return np.concatenate(
        [
            fit(part(whole, max(0, begin - last), begin), part(whole, begin, min(size, begin + every)))
            for begin in range(cut, size, every)
        ]
    )


def run(whole: Training, *, every: int = 500, windows: tuple[int, ...] = WINDOWS) -> Measured:
    """Return retraining beside the yardsticks for each length of the past."""
    size = len(whole.labels)
    cut = int(size * EARLIER)
    later = Later(accepted=whole.labels[cut:], window=np.arange(size - cut) // every)
    once = ours(part(whole, 0, cut), part(whole, cut, size))
    rows = [row for last in windows for row in _beside(whole, cut, later, once, last=last, every=every)]
    return rows, {"rates": _rates(whole, cut), "random_split_auc": _random(whole)}


def _beside(whole: Training, cut: int, later: Later, once: FloatArray, *, last: int, every: int) -> list[Row]:
    again = partial(retrained, whole, cut, last=last, every=every)
    model, plain, same = again(ours), again(usual), again(rate)
    case = f"last {last:,} calls"
    about = {"case": case, "yardstick": "trained once"}
    defaults = {"case": case, "yardstick": "LightGBM defaults, retrained"}
    return [
        later.over_all(model, once, **about),
        later.within(model, once, **about),
        later.log_loss(model, once, **about),
        later.over_all(model, plain, **defaults),
        later.within(model, plain, **defaults),
        later.log_loss(model, same, case=case, yardstick="rate of the last calls"),
    ]


def _random(whole: Training) -> float:
    """Return the area of a split that ignores time: what a careless test would have promised."""
    held = np.random.default_rng(0).random(len(whole.labels)) >= EARLIER
    train, test = whole.part(~held), whole.part(held)
    return float(auc(test.labels, odds_of(fit_booster(train, CAREFUL, seed=0), test)))


def _rates(whole: Training, cut: int) -> dict[str, float]:
    """Return what says whether the file was read right."""
    contact = whole.columns[:, whole.names.index("campaign")]
    return {
        "accepted_earlier": float(whole.labels[:cut].mean()),
        "accepted_later": float(whole.labels[cut:].mean()),
        "accepted_first_contact": float(whole.labels[contact == 1].mean()),
        "accepted_eighth_contact_and_later": float(whole.labels[contact >= 8].mean()),  # noqa: PLR2004  # as named
    }


def _auc_ratio(accepted: FloatArray, score: FloatArray, theirs: FloatArray) -> float:
    return float(auc(accepted, score) / auc(accepted, theirs))


def _means(first: FloatArray, second: FloatArray, **about: str) -> Row:
    ratio = interval(lambda one, other: float(one.mean() / other.mean()), (first, second), seed=0)
    return Row.of(ratio, theirs=float(second.mean()), **about)


def _ranked(measure: str, about: dict[str, Any]) -> dict[str, Any]:
    return {"measure": measure, "better": "higher", **about}


def measure(data: Path, given: argparse.Namespace) -> Measured:
    """Return the rows of the data set in ``data``."""
    return run(calls(data / FILE), every=given.every)


if __name__ == "__main__":
    sys.exit(answer(__doc__, measure, options=[("every", 500)]))
