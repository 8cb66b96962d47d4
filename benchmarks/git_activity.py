"""When does a developer commit? The rhythm of a week learned on the first 70% of each history, judged on the rest.

    python -m benchmarks.git_activity --data DIR

Authors of 50 commits and more (no merges, no bots), weighted equally, local hours. Everything is learned within
the first 70%: the half-life and the blend's weights on its own last 30%. Beside it: everybody's curve, the person
with 168 pseudo-counts of it, a person's own raw hours and the median hour; and all of it on sparse histories (5–49
commits).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from decisions.scorers.base import FloatArray
from features.vocabulary import HOURS_OF_WEEK
from training.models.send_time.model import rules
from training.models.send_time.rhythm import History, learn_rhythm, losses

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


def run(commits: list[Commits], *, seed: int = 0) -> dict[str, float]:
    """Return mean negative log-likelihood, and the share of later commits in the best hours, by contender."""
    inner = [own.split()[0] for own in commits]
    tried = {half_life: history(inner, half_life) for half_life in HALF_LIVES}
    learned = {half_life: learn_rhythm(part, seed=seed) for half_life, part in tried.items()}
    best = min(HALF_LIVES, key=lambda life: _loss(learned[life].curves(tried[life].judged.earlier), tried[life]))
    test, plain = history(commits, best).judged, history(commits, np.inf).judged
    curves = learned[best].curves(test.earlier)
    everybody = plain.earlier.sum(axis=0) / plain.earlier.sum()
    own = plain.earlier.sum(axis=1, keepdims=True)
    return {
        "people": float(len(test.later)),
        "half_life_days": best,
        "clusters": float(len(learned[best].mixing)),
        "nll_model": _loss(curves, test),
        "nll_everybody": _loss(everybody[None, :], test),
        "nll_person_168": _loss((plain.earlier + 168 * everybody) / (own + 168), test),
        **rules(curves, plain, everybody),
    }


def _loss(curves: FloatArray, history: History) -> float:
    return float(losses(curves, history.judged.later).mean())


def main() -> None:
    """Print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help=f"folder that holds {FILE}")
    path = parser.parse_args().data / FILE
    groups = {"dense": authors(path, least=50, most=np.inf), "sparse": authors(path, least=5, most=50)}
    print(json.dumps({name: run(commits) for name, commits in groups.items()}, indent=1))  # noqa: T201  # a benchmark prints


if __name__ == "__main__":
    main()
