"""Ten retrainings of a shop whose channels claim too much or too little, against one whose claims are right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from benchmarks.answer import Row
from benchmarks.learn.parallel import each
from benchmarks.learn.shop import CHANNELS, COST, MARGIN, OFFER, Known, Shop, predicted, sampled
from decisions.worth.ratios import Ratios
from measures.intervals import mean
from measures.outcome import Interval
from training.evidence.ratios import weigh, weighed
from training.evidence.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.evidence.sample import Floats, Integers

Kind = Literal["weighed", "unweighed", "uncorrected"]

RETRAININGS = 10
WEEKS = 2
"""Decisions of each customer between two retrainings."""
CLAIMS = (3.0, 1 / 3)
"""How many times the orders that messages cause are claimed for them."""
LEAST, MOST = 0.01, 0.5
_SCALE = 0.02
"""Euros of value at which the chance of the other arm falls by e."""
_NEAR = 0.95


def measure(customers: int, seeds: int) -> dict[str, Any]:
    """Return true value a customer after the last retraining, by claims and by what was learned from draws."""
    cases: list[tuple[float, Kind]] = [(1.0, "weighed"), (1.0, "uncorrected")]
    cases += [(claims, kind) for claims in CLAIMS for kind in ("weighed", "unweighed", "uncorrected")]
    asked = [(seed, claims, kind) for seed in range(seeds) for claims, kind in cases]
    seeds_, claimed, kinds = zip(*asked, strict=True)
    played = each(_played, [customers] * len(asked), seeds_, claimed, kinds)
    values = dict(zip(asked, played, strict=True))
    told = {f"claims {claims:.2g}, {kind}": _told(values, claims, kind, seeds) for claims, kind in cases}
    return {"customers": customers, "seeds": seeds, "retrainings": RETRAININGS, "cases": told}


def rows(told: dict[str, Any]) -> Sequence[Row]:
    """Return the rows of the page."""
    return [
        Row(
            case=f"after {told['retrainings']} retrainings, {name}",
            measure="true value of the policy",
            better="higher",
            ours=case["value"],
            yardstick="claims that are right",
            theirs=case["value"] / case["of_right"],
            ratio=case["of_right"],
            interval=None if case["interval"] is None else tuple(case["interval"]),
            why=None if case["interval"] else "one seed has no interval",
            note=f"the last ratio was {case['ratio']:.2f} ± {case['ratio_error']:.2f} on e-mail",
        )
        for name, case in told["cases"].items()
        if name != "claims 1, weighed"
    ]


def _told(values: Any, claims: float, kind: Kind, seeds: int) -> dict[str, Any]:
    mine = [values[seed, claims, kind] for seed in range(seeds)]
    right = [values[seed, 1.0, "weighed"]["value"] for seed in range(seeds)]
    shares = [each["value"] / other for each, other in zip(mine, right, strict=True)]
    around = mean(shares)
    return {
        "value": float(np.mean([each["value"] for each in mine])),
        "of_right": float(np.mean(shares)),
        "interval": [around.low, around.high] if isinstance(around, Interval) else None,
        "within_5_percent": bool(np.mean(shares) >= _NEAR),
        "ratio": float(np.mean([each["ratio"] for each in mine])),
        "ratio_error": float(np.mean([each["error"] for each in mine])),
    }


def _played(customers: int, seed: int, claims: float, kind: Kind) -> dict[str, float]:
    random = np.random.default_rng([2, seed])
    shop = Shop.drawn(customers, random)
    known = Known.of(shop, random)
    drawn: list[tuple[Known, list[Sample]]] = []
    ratios, scored = Ratios(), np.zeros((customers, len(CHANNELS)))
    for period in range(RETRAININGS + 1):
        model = known.learned()
        if drawn and kind != "uncorrected":
            told = [each for before, weeks in drawn for each in _foretold(before, weeks, model)]
            # What the product refuses: a sample whose propensities are none is set aside by its check.
            whole = _together(told, kind)
            ratios = (weigh(whole) if kind == "weighed" else weighed(whole)).ratios
        scored = _scored(known, model, ratios)
        if period < RETRAININGS:
            before = known.copied()
            weeks = range(period * WEEKS, (period + 1) * WEEKS)
            drawn.append((before, [_week(shop, known, scored, claims, random, week) for week in weeks]))
    channel = scored.argmax(axis=1)
    chosen = scored[np.arange(customers), channel] > 0
    last = ratios.of(OFFER, CHANNELS[0])
    return {"value": float((shop.worth(channel) * chosen).mean()), "ratio": last.mean, "error": last.error}


def _scored(known: Known, model: Any, ratios: Ratios) -> Floats:
    """Return V of (customers, channels)."""
    personal = model.personal(known.tally, known.life)
    factors = np.array([ratios.factor(OFFER, channel) for channel in CHANNELS])
    size = len(known.orders)
    gains = [predicted(personal, np.full(size, number)) for number in range(len(CHANNELS))]
    scored: Floats = np.column_stack(gains) * factors * MARGIN - COST
    return scored


def _week(
    shop: Shop, known: Known, scored: Floats, claims: float, random: np.random.Generator, week: int
) -> Sample:
    """Decide, live and count one week."""
    size = len(shop.rate)
    rows = np.arange(size)
    # The channel that looks better, mostly; its draw is the same whatever send or hold says after.
    channel = np.where(random.random(size) < 0.1, random.integers(0, len(CHANNELS), size), scored.argmax(axis=1))  # noqa: PLR2004
    value = scored[rows, channel]
    other = np.clip(MOST * np.exp(-np.abs(value) / _SCALE), LEAST, MOST)
    propensity = np.where(value > 0, 1 - other, other)
    sent = random.random(size) < propensity
    seen = random.random(size) < shop.attention[rows, channel]
    extra = np.where(sent & seen, random.poisson(shop.lift), 0).astype(np.float64)
    orders = random.poisson(shop.rate) + extra
    claimed = np.where(sent & seen, random.poisson(shop.lift * max(claims - 1, 0)), 0)
    claimed = claimed + (extra > 0) * (random.random(size) < claims)
    known.orders += orders - extra
    known.days += 7.0
    known.count(channel, sent, seen, claimed.astype(np.float64))
    return sampled(
        channel=channel,
        sent=sent,
        propensity=propensity,
        orders=orders,
        expected=np.zeros(size),
        gain=np.zeros(size),
        window=week,
    )


def _foretold(before: Known, weeks: Sequence[Sample], model: Any) -> list[Sample]:
    """Return the draws with what the model of today says of them, from what was known before them."""
    personal, expected = model.personal(before.tally, before.life), before.expected(model)
    return [replace(each, predicted=predicted(personal, each.pair), expected=expected) for each in weeks]


def _together(samples: Sequence[Sample], kind: Kind) -> Sample:
    """Return all draws as one sample; unweighed, everybody's propensity is taken for the share that was sent."""
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(each, name) for each in samples]) for name in Sample.columns()
    }
    whole = replace(samples[0], **columns)
    return whole if kind == "weighed" else replace(whole, propensity=_shares(whole.sent, whole.window))


def _shares(sent: Any, window: Integers) -> Floats:
    shares: Floats = (np.bincount(window, sent) / np.bincount(window))[window]
    return shares
