"""Who buys in which category next: the response model, for where nothing incremental is known.

Asked per customer and category: will they buy in it within ``days`` of the cut-off? Trees start from the
category's own rate, so that where features tell nothing the answer is its popularity. Recency is among the
features: a category just bought for good is seen to be one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from decisions.scorers.affinity import Affinity, bounded
from decisions.scorers.base import FloatArray, array_matrix
from decisions.scorers.calibration import calibrated, log_odds
from decisions.scorers.pairs import pair_features, pair_matrix
from decisions.scorers.trees import raw_scores
from features.tables.moments import json_text
from features.vocabulary import LONG_WINDOW
from measures.proper import log_loss_units
from training.fitting import Boosting, Training, calibrate, cross_fit, fit_booster
from training.sets import MOMENT, clusters, numbers, one_each, rows, spine, with_features
from training.tuning import tuned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from features.vocabulary import Vocabulary
    from training.sources import TrainingSources

_FOLDS = 2
_RECENT_EDGES = (0.5, 1.5, 2.5, 5.5, 9.5)
"""Edges of own orders in 90 days: how often they bought, for the baseline that knows nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchases:
    """Customers with their features at a cut-off, and what they bought in the days after it.

    ``bought`` (n, categories) is 1.0 where they bought in the category; ``cutoff`` numbers the cut-offs, 0 the
    latest.
    """

    frame: pa.Table
    bought: FloatArray

    @property
    def cutoff(self) -> NDArray[np.float64]:
        """Which cut-off each row belongs to."""
        return numbers(self.frame, "cutoff")

    def of(self, mask: NDArray[np.bool_]) -> Purchases:
        """Return the rows where ``mask`` is true."""
        return Purchases(frame=rows(self.frame, mask), bought=self.bought[mask])

    @property
    def people(self) -> NDArray[np.int64]:
        """The customer behind each pair, pairs in the order of ``bought.ravel()``."""
        return np.repeat(clusters(self.frame["customer_id"]), self.bought.shape[1])


def activity_features(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the columns of a customer; features over a year tell the age of a young store of events."""
    long = f"_{LONG_WINDOW}d"
    return tuple(name for name in vocabulary.activity if not name.endswith(long) and name != "tenure_days")


def purchases(sources: TrainingSources, moments: Sequence[datetime], *, days: int) -> Purchases:
    """Return, for each of ``moments``, everybody who had bought before it and what they bought within ``days``."""
    categories = sources.vocabulary.categories
    window = timedelta(days=days)
    seen = one_each(sources.collect(lambda events: _bought(events, moments, window, categories)))
    asked = [_asked(seen, number, moment) for number, moment in enumerate(moments)]
    frame = with_features(sources.store, pa.concat_tables(asked))
    return Purchases(
        frame=frame.drop_columns(["bought"]),
        bought=array_matrix(frame, "bought", len(categories)),
    )


def learn_response(
    train: Purchases, vocabulary: Vocabulary, *, days: int, boosting: Boosting, tune: int = 0, seed: int
) -> Affinity:
    """Return the response model of ``train``, tuned in ``tune`` trials and calibrated out of fold by customer."""
    activity, categories = activity_features(vocabulary), vocabulary.categories
    rates = popularity(train)
    training = Training(
        columns=pair_matrix(train.frame, activity, categories, categories),
        names=pair_features(activity),
        labels=train.bought.ravel(),
        groups=train.people,
        offset=np.tile(log_odds(rates), len(train.bought)),
    )
    boosting = tuned(training, boosting, trials=tune, seed=seed)
    knots = calibrate(cross_fit(training, boosting, seed=seed, folds=_FOLDS), training.labels)
    booster = fit_booster(training, boosting, seed=seed)
    odds = raw_scores(booster, training.columns) + cast("FloatArray", training.offset)
    ratio = bounded(calibrated(knots, odds).reshape(train.bought.shape) / rates)
    return Affinity(
        days=days,
        activity=activity,
        categories=categories,
        knots=knots,
        peers=dict(zip(categories, rates.tolist(), strict=True)),
        scale=dict(zip(categories, (1 / ratio.mean(axis=0)).tolist(), strict=True)),
        booster=booster,
    )


def popularity(train: Purchases) -> FloatArray:
    """Return each category's share of buyers, (categories,), one pseudo-customer off certainty."""
    return cast("FloatArray", (train.bought.sum(axis=0) + 0.5) / (len(train.bought) + 1))


def own_recent(train: Purchases, test: Purchases) -> FloatArray:
    """Return the rate of those who bought as often in the last 90 days, (n, categories): a strong baseline."""
    rates = popularity(train)
    out = np.empty_like(test.bought)
    for position, rate in enumerate(rates):
        group, asked = _often(train, position), _often(test, position)
        size = np.bincount(group, minlength=len(_RECENT_EDGES) + 1)
        hits = np.bincount(group, train.bought[:, position], minlength=len(_RECENT_EDGES) + 1)
        out[:, position] = ((hits + 10 * rate) / (size + 10))[asked]
    return out


def log_losses(bought: FloatArray, chance: FloatArray) -> FloatArray:
    """Return each pair's logarithmic loss, in the order of ``bought.ravel()``."""
    return log_loss_units(bought.ravel(), np.broadcast_to(chance, bought.shape).ravel())


def hit_rate(bought: FloatArray, chance: FloatArray) -> float:
    """Return how often the category ranked first was bought, among customers who bought in some but not all."""
    telling = (bought.max(axis=1) > 0) & (bought.min(axis=1) < 1)
    if not telling.any():
        return float("nan")
    first = np.broadcast_to(chance, bought.shape)[telling].argmax(axis=1)
    return float(bought[telling][np.arange(len(first)), first].mean())


def _often(part: Purchases, position: int) -> NDArray[np.int64]:
    orders = np.nan_to_num(array_matrix(part.frame, "category_orders_90d", part.bought.shape[1])[:, position])
    return np.digitize(orders, _RECENT_EDGES)


def _bought(events: Any, moments: Sequence[datetime], window: timedelta, categories: Sequence[str]) -> Any:
    bought = events.filter(events["type"] == "purchased")
    bought = bought.mutate(category=json_text(bought["properties"], "$.category"))
    at = bought["occurred_at"]
    within = {
        f"bought_{number}_{position}": (
            (at >= moment) & (at < moment + window) & (bought["category"] == category)
        ).any()
        for number, moment in enumerate(moments)
        for position, category in enumerate(categories)
    }
    return bought.group_by("customer_id").aggregate(first=at.min(), **within)


def _asked(seen: pa.Table, number: int, moment: datetime) -> pa.Table:
    present = seen.filter(pc.less(seen["first"], pa.scalar(moment, MOMENT)))
    names = sorted(
        (name for name in present.column_names if name.startswith(f"bought_{number}_")),
        key=lambda name: int(name.rsplit("_", 1)[1]),
    )
    flags = np.column_stack([pc.fill_null(present[name], fill_value=False).to_numpy() for name in names])
    bought = pa.FixedSizeListArray.from_arrays(pa.array(flags.astype(np.float64).ravel()), len(names))
    return spine(
        present["customer_id"],
        pa.array([moment] * present.num_rows, MOMENT),
        cutoff=pa.array(np.full(present.num_rows, number)),
        bought=bought.cast(pa.list_(pa.float64())),
    )
