"""The randomised ratio against a truth that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import binomtest

from benchmarks.answer import Row
from benchmarks.learn.parallel import each
from benchmarks.learn.shop import CHANNELS, Known, Shop, predicted, sampled
from training.evidence.ratio import ratio
from training.evidence.ratios import weigh

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVEL = 0.95
TRUTHS = (0.0, 0.33, 1.0, 3.0)
"""How many times what is predicted comes: one after the other over seeds."""
LEAST_HELD, MOST_HELD = 0.01, 0.5
_WEEKS = 6
_SOUGHT = 1.5


def measure(customers: int, seeds: int) -> dict[str, Any]:
    """Return coverage with its exact interval, and widths over the best."""
    truths = [TRUTHS[seed % len(TRUTHS)] for seed in range(seeds)]
    found = each(_one, [customers] * seeds, truths, range(seeds))
    held = [bool(one["covered"]) for one in found]
    around = binomtest(sum(held), seeds).proportion_ci(LEVEL, method="exact")
    error = np.mean([one["error"] for one in found])
    return {
        "customers": customers,
        "seeds": seeds,
        "level": LEVEL,
        "covered": float(np.mean(held)),
        "interval": [float(around.low), float(around.high)],
        "bias": float(np.mean([one["bias"] for one in found])),
        "bias_error": float(np.std([one["bias"] for one in found]) / seeds**0.5),
        "posterior_covered": float(np.mean([one["posterior"] for one in found])),
        "width_over_best": float(error / np.mean([one["best"] for one in found])),
        "width_over_omniscient": float(error / np.mean([one["omniscient"] for one in found])),
        "error": float(error),
        "by_truth": {f"{truth:g}": _of_truth(found, truth) for truth in TRUTHS[:seeds]},
    }


def rows(told: dict[str, Any]) -> Sequence[Row]:
    """Return the rows of the page."""
    case = f"the ratio, {told['customers']:,} customers"
    low, high = told["interval"]
    return [
        Row(
            case=case,
            measure="share of 95% intervals that hold the truth",
            better="near 1",
            ours=told["covered"],
            yardstick="the level",
            theirs=LEVEL,
            ratio=told["covered"] / LEVEL,
            interval=(low / LEVEL, high / LEVEL),
        ),
        Row(
            case=case,
            measure="width",
            better="lower",
            ours=told["error"],
            yardstick="the least possible without knowing the level of orders",
            theirs=told["error"] / told["width_over_best"],
            ratio=told["width_over_best"],
            interval=None,
            why=f"below {_SOUGHT} is asked for",
        ),
    ]


def _one(customers: int, truth: float, seed: int) -> dict[str, float]:
    random = np.random.default_rng([1, seed])
    shop = Shop.drawn(customers, random)
    known = Known.of(shop, random)
    for _ in range(_WEEKS):
        channel = random.integers(0, len(CHANNELS), customers)
        sent = random.random(customers) < LEAST_HELD + random.random() * (1 - LEAST_HELD)
        seen = random.random(customers) < shop.attention[np.arange(customers), channel]
        extra = np.where(sent & seen, random.poisson(shop.lift), 0)
        known.count(channel, sent, seen, extra.astype(np.float64))
    model = known.learned()
    channel = random.integers(0, len(CHANNELS), customers)
    gain = predicted(model.personal(known.tally, known.life), channel)
    propensity = 1 - random.uniform(LEAST_HELD, MOST_HELD, customers)
    sent = random.random(customers) < propensity
    orders = random.poisson(shop.rate + sent * truth * gain).astype(np.float64)
    draws = sampled(
        channel=channel,
        sent=sent,
        propensity=propensity,
        orders=orders,
        expected=known.expected(model),
        gain=gain,
        window=0,
    )
    told = ratio(draws)
    if told is None:
        raise RuntimeError(f"seed {seed}: no ratio was told of {customers} draws")
    low, high = told.estimate.interval
    below, above = weigh(draws).ratios.pairs["tea|email"].interval
    chance = shop.rate + propensity * truth * gain
    held = propensity * (1 - propensity)
    return {
        "truth": truth,
        "covered": float(low <= truth <= high),
        "posterior": float(below <= truth <= above),
        "bias": told.mean - truth,
        "error": told.estimate.error,
        "best": float(np.sum(gain**2 * held / chance)) ** -0.5,
        "omniscient": float(np.sum(gain**2 * propensity / (shop.rate + truth * gain))) ** -0.5,
    }


def _of_truth(found: Sequence[dict[str, float]], truth: float) -> dict[str, float]:
    mine = [one for one in found if one["truth"] == truth]
    return {
        "covered": float(np.mean([one["covered"] for one in mine])),
        "bias": float(np.mean([one["bias"] for one in mine])),
        "error": float(np.mean([one["error"] for one in mine])),
    }
