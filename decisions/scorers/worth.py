"""What a message is worth to whom, from counts: the value model (:mod:`decisions.worth`) as a scorer.

It reads what a customer's own messages did (the vocabulary's tally) and how the customer lives, and says for every
offer and channel the extra margin of one message and the chance that it redeems the offer. Where it was never
trained it says nothing, and what was declared stands.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from decisions.scorers.artefact import Artefact, ArtefactScorer
from decisions.scorers.base import Counted, Kind
from decisions.scorers.tallies import LIFE, evidence_of, life_of, tally_of
from decisions.worth.attention import Attention
from decisions.worth.beliefs import Beliefs
from decisions.worth.cadence import cadence
from decisions.worth.effect import Effect
from decisions.worth.life import Peers
from decisions.worth.model import WorthModel
from decisions.worth.ratios import Ratios
from decisions.worth.shifts import Shift
from features.vocabulary import TALLY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from decisions.scorers.base import Batch, FloatArray
    from decisions.worth.model import Personal
    from decisions.worth.tally import Tally
    from features.contracts import Offer

INPUTS = (*TALLY, *LIFE)
"""The frame's columns that are read."""


@dataclass(frozen=True)
class WorthScorer(ArtefactScorer):
    """The scorer. ``facts``: the model's numbers (:func:`as_facts`) and ``hourly``; or ``prior``.

    With ``orders_told`` false no order was ever told: nobody's lift is read off having ordered nothing.
    """

    kind: ClassVar[Kind] = "worth"

    @classmethod
    def prior(cls, why: str) -> Self:
        """Return the scorer of no data, which leaves the value to what is declared."""
        return cls(Artefact(kind=cls.kind, facts={"prior": why}))

    @classmethod
    def of(
        cls,
        model: WorthModel,
        channels: tuple[str, ...],
        offers: tuple[str, ...],
        hourly: Mapping[str, Sequence[float]] = MappingProxyType({}),
        ratios: Ratios = Ratios(),  # noqa: B008  # frozen
    ) -> Self:
        """Return the scorer of ``model``, whose last offer stands for all but ``offers``.

        ``hourly`` holds by offer the factor on its lift at each of the 24 local hours, where hours differ;
        ``ratios`` how much of the lift is true, by what randomised sends showed.
        """
        facts = as_facts(model, channels, offers) | {"hourly": {name: list(each) for name, each in hourly.items()}}
        facts |= {"ratios": ratios.as_json()}
        return cls(Artefact(kind=cls.kind, facts=facts))

    @property
    def is_prior(self) -> bool:
        """Whether nothing was learned."""
        return "prior" in self.artefact.facts

    def predict(self, batch: Batch) -> Counted:
        """Return tau, P(redeem | sent) and how often, of every offer on each of its channels that was learned."""
        if self.is_prior:
            return Counted(tau={}, redeem={})
        told = tally_of(batch.frame, self.channels, self.offers, batch.news)
        personal = self._expected(told, batch)
        asked = [
            (offer, channel) for offer in batch.offers for channel in offer.channels if channel in self.channels
        ]
        found = {f"{offer.offer_id}|{channel}": self._pair(personal, offer, channel) for offer, channel in asked}
        return Counted(
            tau={pair: tau for pair, (tau, _) in found.items()},
            redeem={pair: redeem for pair, (_, redeem) in found.items()},
            hourly={offer.offer_id: self._hourly(offer) for offer, _ in asked if offer.offer_id in self._apart},
            cadence=self._cadence(personal, batch.offers, found),
            evidence=evidence_of(told, self.channels, self.offers),
            notes=() if self.orders_told else ("prior:worth:no_orders",),
            by_ratio=frozenset(
                f"{offer.offer_id}|{channel}"
                for offer, channel in asked
                if self.ratios.grade(offer.offer_id, channel) == "ratio"
            ),
        )

    def personal(self, batch: Batch) -> Personal:
        """Return what is expected of each customer of the batch."""
        return self._expected(tally_of(batch.frame, self.channels, self.offers, batch.news), batch)

    def _expected(self, told: Tally, batch: Batch) -> Personal:
        personal = self.model.personal(told, life_of(batch.frame))
        if self.orders_told:
            return personal
        return replace(personal, lift=np.broadcast_to(self.model.effect.lift, personal.lift.shape))

    def _pair(self, personal: Personal, offer: Offer, channel: str) -> tuple[FloatArray, FloatArray]:
        place = self.offers.index(offer.offer_id) if offer.offer_id in self.offers else len(self.offers)
        seen = personal.attention[:, self.channels.index(channel)] * personal.alive
        lift = personal.lift[:, place]
        extra = lift * self.ratios.factor(offer.offer_id, channel)
        # Who redeems is read off attributed orders: how many would have come anyway changes nothing in that.
        return seen * personal.basket * offer.margin * extra, np.minimum(1.0, seen * (lift + personal.anyway))

    def _cadence(
        self, personal: Personal, offers: Sequence[Offer], found: Mapping[str, tuple[FloatArray, FloatArray]]
    ) -> Mapping[str, FloatArray]:
        """Return by channel the best days between messages and what they earn a day: (n, 2)."""
        model = self.model
        channels = [name for name in self.channels if any(name in offer.channels for offer in offers)]
        if not channels:
            return {}
        earned = [self._earned(offers, channel, found) for channel in channels]
        places = [self.channels.index(channel) for channel in channels]
        known = cadence(
            np.stack([gain for gain, _ in earned], axis=1),
            cost=np.stack([cost for _, cost in earned], axis=1),
            loss=model.loss[places],
            spend=personal.spend,
            beliefs=model.beliefs,
        )
        both = np.stack([known.days, known.rate], axis=2)
        return {channel: both[:, place] for place, channel in enumerate(channels)}

    def _earned(
        self, offers: Sequence[Offer], channel: str, found: Mapping[str, tuple[FloatArray, FloatArray]]
    ) -> tuple[FloatArray, FloatArray]:
        """Return what the best message on ``channel`` earns each person in its best hour, and its send cost."""
        fitting = [offer for offer in offers if channel in offer.channels]
        gains, costs = [], np.array([offer.send_cost.get(channel, 0.0) for offer in fitting])
        for offer in fitting:
            tau, redeem = found[f"{offer.offer_id}|{channel}"]
            hour = np.max(self._apart.get(offer.offer_id, (1.0,)))
            gains.append(np.maximum(tau, tau * hour) - offer.incentive_cost * redeem)
        gain = np.stack(gains)
        best = (gain - costs[:, None]).argmax(axis=0)
        return gain[best, np.arange(gain.shape[1])], costs[best]

    def _hourly(self, offer: Offer) -> FloatArray:
        return np.array([self._apart[offer.offer_id]])

    @property
    def _apart(self) -> Mapping[str, Sequence[float]]:
        """By offer: the factor at each local hour, of those offers whose hours differ."""
        apart: Mapping[str, Sequence[float]] = self.artefact.facts["hourly"]
        return apart

    @cached_property
    def ratios(self) -> Ratios:
        """How much of the lift is true; nothing is known of an artefact that was made before draws were read."""
        facts = self.artefact.facts.get("ratios")
        return Ratios() if facts is None else Ratios.from_json(facts)

    @cached_property
    def channels(self) -> tuple[str, ...]:
        """The channels that were learned."""
        return tuple(self.artefact.facts["channels"])

    @cached_property
    def offers(self) -> tuple[str, ...]:
        """The offers that were learned by themselves."""
        return tuple(self.artefact.facts["offers"])

    @property
    def orders_told(self) -> bool:
        """Whether there were orders to learn from."""
        return "orders_told" not in self.artefact.facts

    def without_orders(self) -> Self:
        """Return the scorer of the same model, marked as learned where no order was told."""
        return type(self)(Artefact(kind=self.kind, facts={**self.artefact.facts, "orders_told": False}))

    @cached_property
    def model(self) -> WorthModel:
        """The model."""
        return from_facts(self.artefact.facts)


def as_facts(model: WorthModel, channels: tuple[str, ...], offers: tuple[str, ...]) -> dict[str, Any]:
    """Return a model as a JSON object; an infinite shape is null."""
    attention = model.attention
    return {
        "channels": list(channels),
        "offers": list(offers),
        "beliefs": asdict(model.beliefs),
        "watched": model.watched.tolist(),
        "level": attention.level.tolist(),
        "click": attention.click.tolist(),
        "shape": [None if shape == inf else shape for shape in attention.shape.tolist()],
        "orders": model.effect.orders.tolist(),
        "lift": model.effect.lift.tolist(),
        "peers": asdict(model.peers),
        "loss": model.loss.tolist(),
        "shift": {
            "attention": model.shift.attention.tolist(),
            "lift": model.shift.lift.tolist(),
            "chance": model.shift.chance,
            "weeks": model.shift.weeks,
        },
    }


def from_facts(facts: Any) -> WorthModel:
    """Read what :func:`as_facts` wrote."""
    beliefs: dict[str, Any] = {
        name: tuple(each) if isinstance(each, list) else each for name, each in facts["beliefs"].items()
    }
    shape = [inf if each is None else each for each in facts["shape"]]
    return WorthModel(
        beliefs=Beliefs(**beliefs),
        watched=np.array(facts["watched"], dtype=np.bool_),
        attention=Attention(level=np.array(facts["level"]), click=np.array(facts["click"]), shape=np.array(shape)),
        effect=Effect(orders=np.array(facts["orders"]), lift=np.array(facts["lift"])),
        peers=Peers(**facts["peers"]),
        loss=np.array(facts["loss"]),
        shift=_shift(facts.get("shift"), len(facts["level"]), len(facts["lift"])),
    )


def _shift(facts: Any, channels: int, offers: int) -> Shift:
    """Read what turned; nothing did, by an artefact that was made before that was asked."""
    if facts is None:
        return Shift.none(channels, offers)
    levels = {name: np.array(facts[name]) for name in ("attention", "lift")}
    return Shift(**levels, chance=facts["chance"], weeks=facts["weeks"])
