"""Everything together: what is learned of everybody, and what follows for each person."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from decisions.worth.attention import ALMOST_SURE, Attention
from decisions.worth.beliefs import Beliefs
from decisions.worth.effect import MOST, Effect, orders_per_seen
from decisions.worth.life import Peers
from decisions.worth.shifts import Shift

if TYPE_CHECKING:
    from decisions.worth.life import Life
    from decisions.worth.tally import Tally, Weighed

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Personal:
    """What is expected of each person, at no pressure."""

    attention: Floats
    """(people, channels): P(seen)."""
    lift: Floats
    """(people, offers): extra orders per message seen."""
    anyway: Floats
    """(people,): orders that a message seen is credited with and that would have come anyway."""
    basket: Floats
    """(people,): revenue an order, relative to the mean."""
    spend: Floats
    """(people,): revenue a day, relative to the mean."""
    alive: Floats
    """(people,): P(still a customer)."""

    def of(self, who: NDArray[np.int64]) -> Personal:
        """Return the rows of ``who``."""
        return Personal(**{each.name: getattr(self, each.name)[who] for each in fields(self)})

    def turned(self, shift: Shift) -> Personal:
        """Return what is expected of the same people at the levels of ``shift``."""
        return replace(
            self,
            attention=np.minimum(ALMOST_SURE, self.attention * shift.attention),
            lift=np.minimum(MOST, self.lift * shift.lift),
        )

    def gain_if_seen(self, margin: Floats, incentive: Floats, hour: Floats | float = 1.0) -> Floats:
        """Return what a message that is seen earns, (people, offers), before send cost and what follows later.

        ``margin`` and ``incentive`` are money by offer: the margin of an extra order, the price of redeeming. An
        incentive is paid for every order the message is credited with, also for those that were coming anyway.
        ``hour`` is the factor of each offer at the hour in question (:mod:`decisions.worth.dayparts`).
        """
        lift = self.lift * hour
        redeemed = lift + self.anyway[:, None]
        gain: Floats = self.alive[:, None] * (self.basket[:, None] * margin * lift - incentive * redeemed)
        return gain


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WorthModel:
    """What is learned of everybody. A person's own counts are read when they are asked about."""

    beliefs: Beliefs
    watched: NDArray[np.bool_]
    """(channels,): whether opens show who saw."""
    attention: Attention
    effect: Effect
    peers: Peers
    loss: Floats
    """(channels,): P(one message loses the channel), to a rested person."""
    shift: Shift
    """What levels are now to what they were on the whole; counts are held against the latter."""

    @classmethod
    def learn(cls, tally: Tally, life: Life, beliefs: Beliefs, *, lost: Floats, sent: Floats) -> WorthModel:
        """Learn from everybody's counts; ``lost`` and ``sent`` are channels lost and messages sent, by channel."""
        watched = tally.watched
        weighed = tally.weighed(beliefs, watched)
        # What a message that is seen leads to is read where seeing shows; then everywhere, with what that infers.
        shown = orders_per_seen(
            (weighed.ordered - weighed.closed_ordered).sum(axis=(0, 1)), weighed.seen.sum(axis=(0, 1)), beliefs
        )
        attention = Attention.learn(weighed, shown, beliefs)
        seen = _seen(weighed, attention.of(weighed, shown))
        orders = orders_per_seen(weighed.ordered.sum(axis=(0, 1)), seen.sum(axis=(0, 1)), beliefs)
        strength = beliefs.loss_strength
        return cls(
            beliefs=beliefs,
            watched=watched,
            attention=attention,
            effect=Effect.of(orders, beliefs),
            peers=Peers.of(life),
            loss=(lost + strength * np.array(beliefs.loss)) / (sent + strength),
            shift=Shift.none(tally.exposed.shape[1], tally.exposed.shape[2]),
        )

    def personal(self, tally: Tally, life: Life) -> Personal:
        """Return what is expected of the people of ``tally`` and ``life`` (the same, in the same order)."""
        beliefs, peers = self.beliefs, self.peers
        weighed = tally.weighed(beliefs, self.watched)
        attention = self.attention.of(weighed, self.effect.orders)
        pace, basket = peers.pace(life), peers.basket(life)
        anyway = beliefs.anyway * np.sqrt(pace)
        seen, ordered = _seen(weighed, attention).sum(axis=1), weighed.ordered.sum(axis=1)
        usual = Personal(
            attention=attention,
            lift=self.effect.personal(ordered, seen, anyway, beliefs),
            anyway=anyway,
            basket=basket,
            spend=pace * basket,
            alive=peers.alive(life, beliefs.yearly_churn),
        )
        return usual.turned(self.shift)


def _seen(weighed: Weighed, attention: Floats) -> Floats:
    """Return messages seen: those of which it shows, and the share that is expected of the others."""
    seen: Floats = weighed.seen + weighed.closed * attention[:, :, None]
    return seen
