"""Who is moved by an e-mail? Four learners on the MineThatData e-mail test, against a response model.

Yardstick: a response model (who visits after an e-mail), by Qini on the same out-of-fold rows.

Data: hillstrom_first_half.csv

    python -m benchmarks.hillstrom --data DIR

Qini (scikit-uplift's definition) of visits over random halves: fitted on one, measured on the other; and the
cross-fitted verdict on all rows. Published on halves of the full file, women's arm: S .0633, X .0561, T .0488, DR
.0466, response .0325; men's arm: nothing to rank.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.answer import Row, answer
from decisions.scorers.trees import raw_scores
from decisions.scorers.uplift import LEARNERS
from measures.bootstrap import interval
from measures.uplift import qini
from training.models.offer.learners import Trees, arms, expected, learn
from training.models.offer.randomised import RandomisedSends
from training.models.offer.verdict import RESPONSE, Verdict, judge

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from benchmarks.answer import Measured
    from decisions.scorers.base import FloatArray

ARMS = {"women's e-mail": "Womens E-Mail", "men's e-mail": "Mens E-Mail"}
FILE = "hillstrom_first_half.csv"


def randomised(table: pd.DataFrame, arm: str) -> RandomisedSends:
    """Return one arm against no e-mail, with visits as the outcome."""
    rows = table[table["segment"].isin([arm, "No E-Mail"])].reset_index(drop=True)
    features = rows.drop(columns=["segment", "visit", "conversion", "spend"])
    columns = pd.get_dummies(features, columns=["zip_code", "channel"]).drop(columns=["history_segment"])
    return RandomisedSends(
        columns=columns.to_numpy(np.float64),
        names=tuple(name.replace(" ", "_") for name in columns.columns),
        treated=(rows["segment"] == arm).to_numpy(),
        propensity=np.full(len(rows), 0.5),
        margin=rows["visit"].to_numpy(np.float64),
        groups=np.arange(len(rows)),
    )


def halves(sends: RandomisedSends, *, seed: int, trees: Trees) -> dict[str, float]:
    """Return the Qini of each learner, and of the response model, on the half it was not fitted on."""
    first = np.random.default_rng(seed).permutation(len(sends.margin)) % 2 == 0
    train, test = sends.of(first), sends.of(~first)
    nuisance = expected(train, trees=trees, seed=seed)
    effects: dict[str, FloatArray] = {
        name: learn(name, train, nuisance, trees=trees, seed=seed).effect_of(test.columns) for name in LEARNERS
    }
    effects["response"] = raw_scores(arms(train, trees, seed)[1], test.columns)
    return {name: qini(test.margin, effect, test.treated) for name, effect in effects.items()}


def beside(arm: str, sends: RandomisedSends, verdict: Verdict) -> Row:
    """Return the chosen learner's Qini over the response model's, out of fold; its interval by bootstrap.

    Where the verdict is that there is nothing to rank, there is nothing to compare, and the row says so.
    """
    theirs = qini(sends.margin, verdict.effects[RESPONSE], sends.treated)
    about: dict[str, Any] = {
        "case": arm,
        "measure": "Qini of visits",
        "better": "higher",
        "yardstick": "response model",
    }
    if verdict.learner is None:
        return Row(**about, ours=None, theirs=theirs, ratio=None, interval=None, why=verdict.words)
    data = sends.margin, verdict.effects[verdict.learner], verdict.effects[RESPONSE], sends.treated
    return Row.of(interval(_ratio, data, seed=0, reps=400), theirs=theirs, **about)


def _ratio(visits: FloatArray, ours: FloatArray, theirs: FloatArray, treated: FloatArray) -> float:
    return qini(visits, ours, treated) / qini(visits, theirs, treated)


def run(data: Path, *, repeats: int = 10, trees: Trees | None = None) -> Measured:
    """Return both arms beside the yardstick, and all learners' Qini over ``repeats`` halves."""
    table = pd.read_csv(data / FILE)
    grown = trees or Trees()
    rows, more = [], {}
    for name, arm in ARMS.items():
        sends = randomised(table, arm)
        found = pd.DataFrame([halves(sends, seed=seed, trees=grown) for seed in range(repeats)])
        verdict = judge(sends, trees=grown, seed=0)
        rows.append(beside(name, sends, verdict))
        more[name] = {
            "qini": found.mean().round(4).to_dict(),
            "qini_sd": found.std().round(4).to_dict(),
            "verdict": verdict.words,
            "learner": verdict.learner,
        }
    return rows, more


def measure(data: Path, given: argparse.Namespace) -> Measured:
    """Return the rows of the data set in ``data``."""
    return run(data, repeats=given.repeats)


if __name__ == "__main__":
    sys.exit(answer(__doc__, measure, options=[("repeats", 10)]))
