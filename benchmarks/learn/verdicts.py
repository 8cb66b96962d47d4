"""What the verdict of the uplift learners says where all gain alike, and where they differ as stated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import binomtest

from benchmarks.answer import Row
from benchmarks.learn.parallel import each
from training.models.offer.learners import Trees
from training.models.offer.randomised import RandomisedSends
from training.models.offer.verdict import ALPHA, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

ROWS = 1000
MEAN, SPREAD = 0.2, 1.0
"""Extra orders of a message, and the standard deviation of their logarithm where people differ."""
MARGIN = 3.0
_TREES = Trees(rounds=25)
_FEATURES = ("a", "b", "c", "d")


def measure(nulls: int, others: int) -> dict[str, Any]:
    """Return the share of false verdicts with its exact interval, and the power at the stated effect."""
    false, found = _claimed(0.0, nulls), _claimed(SPREAD, others)
    return {
        "rows": ROWS,
        "null_worlds": nulls,
        "false_verdicts": float(np.mean(false)),
        "interval": _exact(false),
        "level": ALPHA,
        "stated_effect": f"a message adds {MEAN} orders on average, whose logarithm varies by ±{SPREAD:g}",
        "worlds": others,
        "power": float(np.mean(found)),
        "power_interval": _exact(found),
    }


def rows(told: dict[str, Any]) -> Sequence[Row]:
    """Return the rows of the page."""
    low, high = told["interval"]
    return [
        Row(
            case=f"{told['null_worlds']} worlds in which all gain alike",
            measure="share of verdicts that rank customers",
            better="lower",
            ours=told["false_verdicts"],
            yardstick="the level",
            theirs=ALPHA,
            ratio=told["false_verdicts"] / ALPHA,
            interval=(low / ALPHA, high / ALPHA),
            note=f"where they differ ({told['stated_effect']}) {told['power']:.0%} of verdicts rank them",
        )
    ]


def _claimed(spread: float, worlds: int) -> list[bool]:
    return each(_one, [spread] * worlds, range(worlds))


def _one(spread: float, seed: int) -> bool:
    return judge(_world(spread, seed), trees=_TREES, seed=seed).learner is not None


def _world(spread: float, seed: int) -> RandomisedSends:
    """A trial of orders: many never buy, features tell who does, and one of them who is moved."""
    random = np.random.default_rng([3, seed])
    columns = random.normal(size=(ROWS, len(_FEATURES)))
    rate = random.gamma(1.0, 0.3, ROWS) * np.exp(0.4 * columns[:, 1])
    effect = MEAN * np.exp(spread * columns[:, 0] - spread**2 / 2)
    treated = random.random(ROWS) < 0.5  # noqa: PLR2004
    return RandomisedSends(
        columns=columns,
        names=_FEATURES,
        treated=treated,
        propensity=np.full(ROWS, 0.5),
        margin=MARGIN * random.poisson(rate + treated * effect).astype(np.float64),
        groups=np.arange(ROWS),
    )


def _exact(told: Sequence[bool]) -> list[float]:
    around = binomtest(sum(told), len(told)).proportion_ci(0.95, method="exact")
    return [float(around.low), float(around.high)]
