"""What an offer adds, compared with no message: incremental gross margin of one send, before all costs.

Three grades of knowledge, the best that there is for each offer and channel:

1. *measured*: randomised sends gave an effect, for everybody alike (``pooled``) or by customer (``learner``);
2. *ratio*: few randomised sends gave ``kappa``, the pooled ratio of the effects on margin and on engagement:
   ``tau = P(engage) · kappa``;
3. *declared*: none were randomised: ``tau = P(engage) · conversion · incremental share · margin · affinity``, with
   the affinity a response model's. That is not incremental, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np

from decisions.scorers.affinity import Affinity
from decisions.scorers.artefact import Artefact, ArtefactScorer
from decisions.scorers.base import Effect, Kind, same_for_all
from decisions.scorers.uplift import Learned

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from decisions.scorers.base import Batch, Engagement, FloatArray
    from features.contracts import Offer

DECLARED = "no_randomised_sends"


@dataclass(frozen=True)
class OfferModel(ArtefactScorer):
    """The scorer.

    ``facts["effects"]`` by ``"offer|channel"``: ``{"grade": "measured", "pooled": …, "learner": … or null}`` or
    ``{"grade": "ratio", "kappa": …}``. ``facts["response"]``: the response model, or null. ``facts["why"]`` ends
    the notes of what is declared.
    """

    kind: ClassVar[Kind] = "offer"

    def __post_init__(self) -> None:
        """Refuse boosters whose columns are not the artefact's."""
        if self._affinity is not None:
            self._affinity.check()
        for learned in self._learned.values():
            learned.check()

    @classmethod
    def prior(cls, why: str) -> Self:
        """Return the scorer of no data: what is declared of channels and margins, alike for all customers."""
        return cls(Artefact(kind=cls.kind, facts={"effects": {}, "response": None, "why": why}))

    @property
    def is_prior(self) -> bool:
        """Whether nothing was fitted."""
        return not self._effects and self.artefact.facts["response"] is None

    def response(self, batch: Batch) -> dict[str, FloatArray]:
        """Return P(buys in the category within the response model's horizon), (n,), by category it knows."""
        return {} if self._affinity is None else self._affinity.probability(batch)

    def predict(self, batch: Batch, engagement: Engagement) -> Effect:
        """Return tau of every offer on each of its channels, and P(redeem | sent) of every offer."""
        affinity = self._affinities(batch)
        tau = {
            f"{offer.offer_id}|{channel}": self._tau(batch, engagement, offer, channel, affinity)
            for offer in batch.offers
            for channel in offer.channels
        }
        redeem = {
            offer.offer_id: _redeem(batch, engagement, offer, affinity[offer.offer_id]) for offer in batch.offers
        }
        incremental = bool(tau) and all(pair in self._effects for pair in tau)
        # One effect for everybody is what a ratio says as well, and counts say whose is larger.
        measured = frozenset(pair for pair in tau if pair in self._learned)
        return Effect(
            tau=tau, redeem=redeem, incremental=incremental, notes=tuple(self._notes(tau)), measured=measured
        )

    def _affinities(self, batch: Batch) -> dict[str, FloatArray]:
        known = {} if self._affinity is None else self._affinity.relative(batch)
        alike = same_for_all(1.0)
        return {offer.offer_id: known.get(offer.category, alike) for offer in batch.offers}

    def _tau(
        self, batch: Batch, engagement: Engagement, offer: Offer, channel: str, affinity: Mapping[str, FloatArray]
    ) -> FloatArray:
        pair = f"{offer.offer_id}|{channel}"
        known = self._effects.get(pair)
        engage = engagement.probability[channel]
        if known is None:
            declared = batch.priors.of(channel).conversion * batch.priors.incremental_share * offer.margin
            return engage * declared * affinity[offer.offer_id]
        if known["grade"] == "ratio":
            return cast("FloatArray", engage * known["kappa"])
        if pair not in self._learned:
            return same_for_all(known["pooled"])
        return np.where(batch.cold, known["pooled"], self._learned[pair].effect(batch.frame))

    def _notes(self, pairs: Mapping[str, FloatArray]) -> Iterator[str]:
        why = self.artefact.facts["why"]
        for pair in pairs:
            known = self._effects.get(pair)
            if known is None:
                yield f"prior:offer:{pair}:{why}"
            elif known["grade"] == "measured" and known["learner"] is None:
                yield f"offer:{pair}:no_detectable_heterogeneity"

    @property
    def _effects(self) -> Mapping[str, Mapping[str, Any]]:
        effects: Mapping[str, Mapping[str, Any]] = self.artefact.facts["effects"]
        return effects

    @cached_property
    def _affinity(self) -> Affinity | None:
        facts = self.artefact.facts["response"]
        return None if facts is None else Affinity.from_json(facts, self.artefact.boosters["response"])

    @cached_property
    def _learned(self) -> Mapping[str, Learned]:
        return {
            pair: Learned.from_json(known["learner"], self.artefact.boosters)
            for pair, known in self._effects.items()
            if known["grade"] == "measured" and known["learner"] is not None
        }


def _redeem(batch: Batch, engagement: Engagement, offer: Offer, affinity: FloatArray) -> FloatArray:
    # The likeliest channel: an incentive's cost is never understated.
    chances = [engagement.probability[name] * batch.priors.of(name).conversion for name in offer.channels]
    return np.asarray(np.minimum(np.maximum.reduce(np.broadcast_arrays(*chances)) * affinity, 1.0))
