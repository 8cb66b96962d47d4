"""Who is moved by an e-mail? Four learners on the MineThatData e-mail test, against a response model.

    python -m benchmarks.hillstrom --data DIR

Qini (scikit-uplift's definition) of visits over random halves: fitted on one, measured on the other; and the
cross-fitted verdict on all rows. Published on halves of the full file, women's arm: S .0633, X .0561, T .0488, DR
.0466, response .0325; men's arm: nothing to rank.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from decisions.scorers.trees import raw_scores
from decisions.scorers.uplift import LEARNERS
from measures.uplift import qini
from training.models.offer.learners import Trees, arms, expected, learn
from training.models.offer.randomised import RandomisedSends
from training.models.offer.verdict import judge

if TYPE_CHECKING:
    from decisions.scorers.base import FloatArray

ARMS = {"women": "Womens E-Mail", "men": "Mens E-Mail"}
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


def run(data: Path, *, repeats: int = 10, trees: Trees | None = None) -> dict[str, Any]:
    """Return by arm: mean and spread of Qini over ``repeats`` halves, and the verdict."""
    table = pd.read_csv(data / FILE)
    grown = trees or Trees()
    result = {}
    for name, arm in ARMS.items():
        sends = randomised(table, arm)
        found = pd.DataFrame([halves(sends, seed=seed, trees=grown) for seed in range(repeats)])
        verdict = judge(sends, trees=grown, seed=0)
        result[name] = {
            "qini": found.mean().round(4).to_dict(),
            "qini_sd": found.std().round(4).to_dict(),
            "verdict": verdict.words,
            "learner": verdict.learner,
        }
    return result


def main() -> None:
    """Print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help=f"folder that holds {FILE}")
    parser.add_argument("--repeats", type=int, default=10)
    given = parser.parse_args()
    print(json.dumps(run(given.data, repeats=given.repeats), indent=1))  # noqa: T201  # a benchmark prints


if __name__ == "__main__":
    main()
