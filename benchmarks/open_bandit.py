"""Off-policy estimates on the Open Bandit sample, against what the evaluated policies really earned.

Thompson sampling is evaluated from the log of a uniform random policy, and the other way round, where the
overlap is thin and a report without a warning would be wrong. The Thompson policy draws a Beta for each of the 80
items and shows the three largest at positions 1–3; its probabilities come by simulation.

Yardstick: the click rate that the evaluated policy really had (published: .0042 and .0038).

Data: random_all.parquet, bts_all.parquet, thompson_prior_all.json

    python -m benchmarks.open_bandit --data DIR
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.answer import Row, answer
from measures.offpolicy import Log, PolicyValue, evaluate

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from benchmarks.answer import Measured

Table = NDArray[np.float64]
POSITIONS = 3
PSEUDO_SHOWS = 200.0
"""Shows of the overall click rate that each item's own rate is shrunk by, in the reward model."""


def thompson(prior: dict[str, list[float]], *, draws: int, seed: int) -> Table:
    """Return P(item at position) as items × positions, by simulation of the Beta draws."""
    rng, chunk = np.random.default_rng(seed), 5000
    alpha, beta = np.array(prior["alpha"]), np.array(prior["beta"])
    shown = np.zeros((alpha.size, POSITIONS))
    for _ in range(draws // chunk):
        sampled = rng.beta(alpha, beta, size=(chunk, alpha.size))
        top = np.argsort(-sampled, axis=1)[:, :POSITIONS]
        for position in range(POSITIONS):
            shown[:, position] += np.bincount(top[:, position], minlength=alpha.size)
    return shown / (draws // chunk * chunk)


def reward_model(item: NDArray[np.intp], click: Table, fold: NDArray[np.intp], items: int) -> Table:
    """Return each fold's shrunk click rate by item, learned on the other folds: folds × items."""
    rates = []
    for left_out in range(fold.max() + 1):
        kept = fold != left_out
        shows = np.bincount(item[kept], minlength=items)
        clicks = np.bincount(item[kept], weights=click[kept], minlength=items)
        rates.append((clicks + PSEUDO_SHOWS * click[kept].mean()) / (shows + PSEUDO_SHOWS))
    return np.array(rates)


def estimates(file: Path, policy: Table, *, seed: int) -> tuple[PolicyValue, ...]:
    """Return every estimate of ``policy`` from the log in ``file``."""
    log = pq.read_table(file)
    item, position = (np.asarray(log[name]).astype(np.intp) for name in ("item_id", "position"))
    click, propensity = (np.asarray(log[name]).astype(np.float64) for name in ("click", "propensity_score"))
    place = position - position.min()
    fold = np.random.default_rng(seed).integers(5, size=item.size).astype(np.intp)
    rates = reward_model(item, click, fold, policy.shape[0])
    return evaluate(
        Log(
            reward=click,
            propensity=propensity,
            target=policy[item, place],
            predicted=rates[fold, item],
            predicted_policy=np.einsum("ni,in->n", rates[fold], policy[:, place]),
        )
    )


def report(case: str, found: tuple[PolicyValue, ...], truth: float) -> tuple[list[Row], dict[str, Any]]:
    """Return each estimate beside the truth, and by estimator how far the log overlaps with the policy."""
    about: dict[str, Any] = {"theirs": truth, "case": case, "better": "near 1", "yardstick": "what it really had"}
    rows = [
        replace(
            Row.beside(each.value, measure=f"clicks a show, {each.estimator}", **about),
            note="; ".join(each.overlap.warnings) or None,
        )
        for each in found
    ]
    overlap = {
        each.estimator: {
            "effective_sample": each.overlap.effective_sample,
            "largest_weight": each.overlap.largest_weight,
            "warnings": list(each.overlap.warnings),
        }
        for each in found
    }
    return rows, overlap


def run(data: Path, *, draws: int = 100_000, seed: int = 0) -> Measured:
    """Return both directions beside the published truths."""
    policy = thompson(json.loads((data / "thompson_prior_all.json").read_text()), draws=draws, seed=seed)
    uniform = np.full_like(policy, 1 / policy.shape[0])
    cases = {
        "Thompson, from the random log": (data / "random_all.parquet", policy, 0.0042),
        "random, from the Thompson log": (data / "bts_all.parquet", uniform, 0.0038),
    }
    found = {
        case: report(case, estimates(file, target, seed=seed), truth)
        for case, (file, target, truth) in cases.items()
    }
    return [row for rows, _ in found.values() for row in rows], {
        "overlap": {case: overlap for case, (_, overlap) in found.items()},
        "published": {"Thompson, from the random log": {"IPS": 0.004553, "DR": 0.004727}},
    }


def measure(data: Path, given: argparse.Namespace) -> Measured:
    """Return the rows of the data set in ``data``."""
    return run(data, draws=given.draws)


if __name__ == "__main__":
    sys.exit(answer(__doc__, measure, options=[("draws", 100_000)]))
