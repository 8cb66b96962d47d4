"""P(no activity in the next N days), and what it makes of a customer's remaining value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from decisions.scorers.artefact import Artefact, ArtefactScorer
from decisions.scorers.attributes import Encoder, objects_of, odds_of_line
from decisions.scorers.base import Kind, Lifetime, matrix, same_for_all
from decisions.scorers.calibration import calibrated, knots_from_json, probability_of
from decisions.scorers.lifetime import discounted_years, unknown_value, yearly_spend
from decisions.scorers.trees import check_features, margins, raw_scores

if TYPE_CHECKING:
    from decisions.scorers.base import Batch, FloatArray
    from measures.knots import Knots

MONEY = ("spend_365d", "tenure_days")
"""Columns the remaining value is read from, whatever the booster uses."""


@dataclass(frozen=True)
class ChurnModel(ArtefactScorer):
    """The scorer. ``facts``: ``days`` (N), ``knots``, ``peer_churn``, ``peer_spend`` (a year's); or ``prior``.

    Without a booster everybody has the peers' rate. With ``attributes`` (:mod:`decisions.scorers.attributes`) the
    booster, or a ``line`` of weights, reads a customer's own attributes and nothing they did; a ``peer_spend`` of
    null is not known.
    """

    kind: ClassVar[Kind] = "churn"

    def __post_init__(self) -> None:
        """Refuse a booster whose columns are not the artefact's."""
        if self.artefact.boosters:
            check_features(self.artefact.boosters["booster"], self.artefact.features)

    @classmethod
    def prior(cls, why: str) -> Self:
        """Return the scorer of no data: churn unknown, one declared year of margin ahead."""
        return cls(Artefact(kind=cls.kind, facts={"prior": why}))

    @property
    def is_prior(self) -> bool:
        """Whether nothing was fitted."""
        return "prior" in self.artefact.facts

    def churn(self, batch: Batch) -> FloatArray:
        """Return calibrated P(no activity in the next N days), (n,); who has no features gets the peers' rate."""
        if "attributes" in self.artefact.facts:
            return self._by_attributes(batch)
        if not self.artefact.boosters:
            return np.full(batch.size, self.artefact.facts["peer_churn"])
        odds = margins(self.artefact.boosters["booster"], batch.frame, self.artefact.features)
        return np.where(batch.cold, self.artefact.facts["peer_churn"], calibrated(self._knots, odds))

    def _by_attributes(self, batch: Batch) -> FloatArray:
        objects = objects_of(batch.frame)
        columns = Encoder.from_json(self.artefact.facts["attributes"]).matrix(objects)
        known = np.array([bool(each) for each in objects], dtype=np.bool_)
        if "line" in self.artefact.facts:
            chances = probability_of(odds_of_line(self.artefact.facts["line"], columns))
        else:
            chances = calibrated(self._knots, raw_scores(self.artefact.boosters["booster"], columns))
        return np.where(known, chances, self.artefact.facts["peer_churn"])

    def remaining(self, batch: Batch, churn: FloatArray) -> FloatArray:
        """Return the expected discounted margin ahead, (n,) (see :mod:`decisions.scorers.lifetime`)."""
        facts = self.artefact.facts
        if facts["peer_spend"] is None:
            margin = np.full(batch.size, unknown_value(batch.priors))
        else:
            spend, tenure = matrix(batch.frame, MONEY).T
            margin = batch.priors.gross_margin * yearly_spend(spend, tenure, peers=facts["peer_spend"])
        return margin * discounted_years(churn, days=facts["days"], discount=batch.priors.discount)

    def predict(self, batch: Batch) -> Lifetime:
        """Return churn and, by channel, the remaining margin that hangs on being reachable there."""
        if self.is_prior:
            return self._declared(batch)
        churn = self.churn(batch)
        return Lifetime(churn=churn, reachable=_reachable(batch, self.remaining(batch, churn)))

    def _declared(self, batch: Batch) -> Lifetime:
        return Lifetime(
            churn=same_for_all(float("nan")),
            reachable=_reachable(batch, same_for_all(unknown_value(batch.priors))),
            notes=(f"prior:churn:{self.artefact.facts['prior']}",),
        )

    @cached_property
    def _knots(self) -> Knots:
        return knots_from_json(self.artefact.facts["knots"])


def _reachable(batch: Batch, remaining: FloatArray) -> dict[str, FloatArray]:
    return {channel: remaining * batch.priors.of(channel).reach_share for channel in batch.channels}
