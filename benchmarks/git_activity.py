"""When does a developer commit? The rhythm of a week learned on the first 70% of each history, judged on the rest.

Yardstick: the person with 168 pseudo-counts of everybody's curve, by negative log-likelihood; everybody's curve.

Data: git_activity.parquet

    python -m benchmarks.git_activity --data DIR

Authors of 50 commits and more (no merges, no bots), weighted equally, local hours. Everything is learned within
the first 70%: the half-life and the blend's weights on its own last 30%. Beside it: everybody's curve, the person
with 168 pseudo-counts of it, a person's own raw hours and the median hour; and all of it on short histories (5–49
commits). The negative log-likelihood is in nats a commit, the mean of a person's, over people.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.answer import Row, answer
from decisions.scorers.base import FloatArray
from features.vocabulary import HOURS_OF_WEEK
from measures.bootstrap import interval
from training.models.send_time.model import rules
from training.models.send_time.rhythm import History, learn_rhythm, losses, share_in_best

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from benchmarks.answer import Measured
    from measures.arrays import Floats

FILE = "git_activity.parquet"
EARLIER = 0.7
HALF_LIVES = (60.0, 120.0, 240.0, 480.0)
"""Days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commits:
    """One author's commits in order: local hour of the week, and time in days."""

    hours: np.ndarray[Any, np.dtype[np.int64]]
    days: FloatArray

    def split(self) -> tuple[Commits, Commits]:
        """Return the first 70% and the rest."""
        cut = int(len(self.hours) * EARLIER)
        return (
            Commits(hours=self.hours[:cut], days=self.days[:cut]),
            Commits(hours=self.hours[cut:], days=self.days[cut:]),
        )

    def counts(self, half_life: float = np.inf) -> FloatArray:
        """Return counts over the week, (168,), fading with age at the last commit."""
        weights = 0.5 ** ((self.days[-1:] - self.days) / half_life)
        return np.bincount(self.hours, weights, HOURS_OF_WEEK).astype(np.float64)


def authors(path: Path, *, least: int, most: float) -> list[Commits]:
    """Return the authors with at least ``least`` and fewer than ``most`` commits."""
    table = pd.read_parquet(path).query("not is_merge and not is_bot").sort_values(["author", "ts_utc"])
    table["hour"] = table["ts_local"].dt.dayofweek * 24 + table["ts_local"].dt.hour
    table["day"] = (table["ts_utc"] - table["ts_utc"].min()) / pd.Timedelta(days=1)
    return [
        Commits(hours=own["hour"].to_numpy(np.int64), days=own["day"].to_numpy())
        for _, own in table.groupby("author", sort=True)
        if least <= len(own) < most
    ]


def history(commits: list[Commits], half_life: float) -> History:
    """Return what each did before its own cut, and after."""
    earlier, later = zip(*(own.split() for own in commits), strict=True)
    return History(
        earlier=np.array([own.counts(half_life) for own in earlier]),
        later=np.array([own.counts() for own in later]),
    )


def run(commits: list[Commits], *, case: str, seed: int = 0) -> tuple[list[Row], dict[str, float]]:
    """Return the model beside both yardsticks, by loss and by later commits in the best hours, and all rules."""
    inner = [own.split()[0] for own in commits]
    tried = {half_life: history(inner, half_life) for half_life in HALF_LIVES}
    learned = {half_life: learn_rhythm(part, seed=seed) for half_life, part in tried.items()}
    best = min(HALF_LIVES, key=lambda life: _loss(learned[life].curves(tried[life].judged.earlier), tried[life]))
    test, plain = history(commits, best).judged, history(commits, np.inf).judged
    curves = learned[best].curves(test.earlier)
    everybody = plain.earlier.sum(axis=0) / plain.earlier.sum()
    own = plain.earlier.sum(axis=1, keepdims=True)
    yardsticks = {
        "person, 168 pseudo-counts": (plain.earlier + 168 * everybody) / (own + 168),
        "everybody": np.broadcast_to(everybody, curves.shape),
    }
    rows = [row for name, curve in yardsticks.items() for row in _beside(case, name, curves, curve, test.later)]
    about = {
        "people": float(len(test.later)),
        "half_life_days": best,
        "clusters": float(len(learned[best].mixing)),
    }
    return rows, {**about, **rules(curves, plain, everybody)}


def _beside(case: str, name: str, curves: FloatArray, theirs: FloatArray, later: FloatArray) -> list[Row]:
    loss = losses(curves, later), losses(theirs, later)
    share = share_in_best(curves, later), share_in_best(theirs, later)
    return [
        _row(*loss, case=case, measure="negative log-likelihood", better="lower", yardstick=name),
        _row(*share, case=case, measure="share in best 21 hours", better="higher", yardstick=name),
    ]


def _row(ours: Floats, theirs: Floats, **about: str) -> Row:
    """Return the ratio of means over people, drawn in pairs."""
    ratio = interval(lambda first, second: float(first.mean() / second.mean()), (ours, theirs), seed=0)
    return Row.of(ratio, theirs=float(theirs.mean()), **about)


def _loss(curves: FloatArray, history: History) -> float:
    return float(losses(curves, history.judged.later).mean())


def measure(data: Path, given: argparse.Namespace) -> Measured:
    """Return dense and sparse histories beside their yardsticks."""
    del given
    groups = {"50 commits and more": (50, np.inf), "5 to 49 commits": (5, 50)}
    found = {
        name: run(authors(data / FILE, least=least, most=most), case=name)
        for name, (least, most) in groups.items()
    }
    return [row for rows, _ in found.values() for row in rows], {name: more for name, (_, more) in found.items()}


if __name__ == "__main__":
    sys.exit(answer(__doc__, measure))
