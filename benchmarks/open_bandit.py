"""Off-policy estimates on the Open Bandit sample, against what the evaluated policies really earned.

Thompson sampling is evaluated from the log of a uniform random policy, and the other way round, where the
overlap is thin and a report without a warning would be wrong. The Thompson policy draws a Beta for each of the 80
items and shows the three largest at positions 1–3; its probabilities come by simulation.

    python -m benchmarks.open_bandit --data DIR
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from measures.offpolicy import Log, PolicyValue, evaluate
from measures.outcome import Interval

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


def report(found: tuple[PolicyValue, ...]) -> list[dict[str, Any]]:
    """Return the estimates as plain numbers."""
    rows: list[dict[str, Any]] = []
    for each in found:
        value = each.value
        numbers = (value.estimate, value.low, value.high) if isinstance(value, Interval) else (None, None, None)
        row = dict(zip(("estimate", "low", "high"), numbers, strict=True))
        rows.append(
            {
                "estimator": each.estimator,
                **row,
                "effective_sample": each.overlap.effective_sample,
                "largest_weight": each.overlap.largest_weight,
                "warnings": list(each.overlap.warnings),
            }
        )
    return rows


def run(data: Path, *, draws: int = 100_000, seed: int = 0) -> dict[str, Any]:
    """Return both directions with the published truths beside them."""
    policy = thompson(json.loads((data / "thompson_prior_all.json").read_text()), draws=draws, seed=seed)
    uniform = np.full_like(policy, 1 / policy.shape[0])
    return {
        "thompson_from_random": {
            "truth": 0.0042,
            "published": {"IPS": 0.004553, "DR": 0.004727},
            "estimates": report(estimates(data / "random_all.parquet", policy, seed=seed)),
        },
        "random_from_thompson": {
            "truth": 0.0038,
            "estimates": report(estimates(data / "bts_all.parquet", uniform, seed=seed)),
        },
    }


def main() -> None:
    """Print the scoreboard as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with random_all.parquet and its siblings")
    print(json.dumps(run(parser.parse_args().data), indent=2))  # noqa: T201 - a command's output


if __name__ == "__main__":
    main()
