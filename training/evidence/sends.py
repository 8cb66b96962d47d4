"""Draws as the uplift learners take them: a set a pair of offer and channel, with features from before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from decisions.scorers.base import matrix
from features.vocabulary import LONG_WINDOW
from training.evidence.checks import check
from training.evidence.gathering import WINDOW_DAYS, Foretold, drawn, sampled
from training.evidence.outcomes import outcomes
from training.models.offer.randomised import RandomisedSends
from training.sets import MOMENT, spine, with_features

if TYPE_CHECKING:
    from training.evidence.gathering import Drawn
    from training.evidence.sample import Sample
    from training.sources import TrainingSources

_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends:
    """``by_pair`` as learners take them; ``aside`` says which sources cannot be believed, and why."""

    by_pair: Mapping[str, RandomisedSends]
    aside: Mapping[str, str]


def randomised_sends(sources: TrainingSources) -> Sends:
    """Return the draws of each pair; where several sources drew about one, those of the largest by its rarer arm.

    Sources differ: what one shows and another does not must not be learned as a difference between customers.
    """
    found = drawn(sources)
    if not found.table.num_rows:
        return Sends(by_pair={}, aside=found.aside)
    usual = _usual(sources, found)
    sample = sampled(sources, found, Foretold.nothing(found.table.num_rows), usual=usual)
    aside = {**found.aside, **check(sample).aside}
    by_pair = dict[str, RandomisedSends]()
    names = tuple(name for name in sources.vocabulary.activity if not name.endswith(f"_{LONG_WINDOW}d"))
    columns = matrix(_known_before(sources, found), names)
    for number, source in enumerate(sample.sources):
        for place, pair in enumerate(sample.pairs):
            rows = (sample.source == number) & (sample.pair == place)
            if source not in aside and rows.any():
                sends = _sends(sample, columns, names, rows)
                by_pair[pair] = max(sends, by_pair.get(pair, sends), key=lambda each: each.fewest)
    return Sends(by_pair=by_pair, aside=aside)


def _sends(sample: Sample, columns: np.ndarray, names: tuple[str, ...], rows: np.ndarray) -> RandomisedSends:
    return RandomisedSends(
        columns=columns[rows],
        names=names,
        treated=sample.sent[rows],
        propensity=sample.propensity[rows],
        margin=sample.margin[rows],
        groups=sample.unit[rows],
    )


def _usual(sources: TrainingSources, found: Drawn) -> float:
    """Return what the mean order brought, of all that followed a draw."""
    came = outcomes(sources, found.table, days=WINDOW_DAYS)
    return float(came.revenue.sum() / came.orders.sum()) if came.orders.sum() > 0 else 0.0


def _known_before(sources: TrainingSources, found: Drawn) -> pa.Table:
    """Return the features of each draw's customer when the draw's window began."""
    at = np.asarray(pc.cast(found.table["at"], pa.int64()).to_numpy(), dtype=np.int64)
    first = np.full(int(found.window.max() - found.window.min()) + 1, at.max())
    np.minimum.at(first, found.window - found.window.min(), at)
    moments = pa.array(first[found.window - found.window.min()] // _DAY * _DAY, pa.int64()).cast(MOMENT)
    return with_features(sources.store, spine(found.table["customer_id"], moments))
