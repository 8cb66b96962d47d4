"""How much likelier than their peers a customer is to buy in a category: the response model's share in tau."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from decisions.scorers.calibration import calibrated, knots_as_json, knots_from_json, log_odds
from decisions.scorers.pairs import pair_features, pair_matrix
from decisions.scorers.trees import check_features, raw_scores
from measures.knots import Knots

if TYPE_CHECKING:
    from decisions.scorers.base import Batch, FloatArray

LEAST, MOST = 0.2, 5.0
"""Bounds of the affinity: a response model is no licence to silence an offer, nor to trust it without end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Affinity:
    """A response model: P(buys in the category within ``days``) per customer and category.

    ``peers`` is the share of customers who did, by category: the trees start from its log-odds. ``scale`` makes
    the bounded ratio to it average 1 over the customers it was learned from.
    """

    days: int
    activity: tuple[str, ...]
    categories: tuple[str, ...]
    knots: Knots
    peers: Mapping[str, float]
    scale: Mapping[str, float]
    booster: str

    def check(self) -> None:
        """Refuse a booster that was trained on other columns."""
        check_features(self.booster, pair_features(self.activity))

    def probability(self, batch: Batch) -> dict[str, FloatArray]:
        """Return calibrated P(buys within ``days``), (n,), for each category of the batch's offers it knows."""
        asked = {offer.category for offer in batch.offers}
        wanted = [name for name in self.categories if name in asked]
        if not wanted:
            return {}
        pairs = pair_matrix(batch.frame, self.activity, self.categories, wanted)
        start = log_odds(np.array([self.peers[name] for name in wanted]))
        odds = raw_scores(self.booster, pairs).reshape(batch.size, len(wanted)) + start
        found = calibrated(self.knots, odds)
        return {
            name: np.where(batch.cold, self.peers[name], found[:, position])
            for position, name in enumerate(wanted)
        }

    def relative(self, batch: Batch) -> dict[str, FloatArray]:
        """Return the affinity, (n,), by category: bounded, averaging 1 over the customers it was learned from."""
        found = self.probability(batch)
        return {
            name: np.where(batch.cold, 1.0, self.scale[name] * bounded(found[name] / self.peers[name]))
            for name in found
        }

    def as_json(self) -> dict[str, Any]:
        """Return all but the booster as a JSON object."""
        return {
            "days": self.days,
            "activity": list(self.activity),
            "categories": list(self.categories),
            "knots": knots_as_json(self.knots),
            "peers": dict(self.peers),
            "scale": dict(self.scale),
        }

    @classmethod
    def from_json(cls, facts: Mapping[str, Any], booster: str) -> Self:
        """Read what :meth:`as_json` wrote."""
        return cls(
            days=facts["days"],
            activity=tuple(facts["activity"]),
            categories=tuple(facts["categories"]),
            knots=knots_from_json(facts["knots"]),
            peers=facts["peers"],
            scale=facts["scale"],
            booster=booster,
        )


def bounded(ratio: FloatArray) -> FloatArray:
    """Return ``ratio`` within the affinity's bounds."""
    return np.clip(ratio, LEAST, MOST)
