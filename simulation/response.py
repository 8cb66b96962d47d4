"""What one message does, in expectation: the truth that policies are scored by.

All chances are given what is known right before the message is sent: traits, pressure, whether the person can be
reached and is still a customer. Nothing here is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.family import Family
    from simulation.people.population import Population

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

DAYPARTS = ((6, 11), (11, 14), (14, 18), (18, 23))
"""Local hours in which each offer is at home, in the order of the offers; a fifth begins with the first again."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """Chances by message: after ``bounced`` given that it arrives, after ``seen`` given that it is seen.

    Only ``left``, ``complained`` and ``driven_off`` do not wait for it to be seen.
    """

    bounced_hard: Floats
    bounced_soft: Floats
    seen: Floats
    clicked: Floats
    moved: Floats
    """Extra orders per message seen; negative: an ordinary order less."""
    redeemed: Floats
    """Redeems an order that was coming anyway, given that none was won."""
    left: Floats
    """Per message that arrives, seen or not: unsubscribes from the channel."""
    complained: Floats
    driven_off: Floats
    """Per message that arrives: stops being a customer because of it."""

    @property
    def arrives(self) -> Floats:
        """The chance that it does not bounce."""
        arrives: Floats = 1 - self.bounced_hard - self.bounced_soft
        return arrives

    @property
    def ends(self) -> Floats:
        """The chance that the channel is lost by it: unsubscribed, complained, or the address is dead."""
        ends: Floats = self.bounced_hard + self.arrives * (1 - (1 - self.left) * (1 - self.complained))
        return ends

    @property
    def loses(self) -> Floats:
        """The chance that the customer is lost by it."""
        loses: Floats = self.arrives * self.driven_off
        return loses


@dataclass(frozen=True, slots=True)
class Worth:
    """Expected euros by message, against not sending it; what follows from lost reach is not in here."""

    margin: Floats
    incentive: Floats
    cost: Floats
    churn: Floats
    """Margin lost with those whom it drives off."""

    @property
    def net(self) -> Floats:
        """The expected incremental margin of the message."""
        net: Floats = self.margin - self.incentive - self.cost - self.churn
        return net


def reach(seen: Floats, slot_factor: Floats, worn: Floats, pressure: Floats) -> Floats:
    """Return P(seen) = 1 − exp(−a · slot · wear): pressure only ever lowers it."""
    chance: Floats = -np.expm1(-seen * slot_factor * np.exp(-worn * pressure))
    return chance


def daypart(strength: float, offer: Ints, slot: Ints) -> Floats:
    """Return the factor on an offer's effect in a slot, averaging 1 over the day."""
    begin, end = np.array(DAYPARTS)[offer % len(DAYPARTS)].T
    hour, hours = slot % 24, end - begin
    inside = (hour >= begin) & (hour < end)
    return np.where(inside, 1 + strength, 1 - strength * hours / (24 - hours))


def react(  # noqa: PLR0913 - a message is described by all of these
    people: Population,
    family: Family,
    *,
    who: Ints,
    offer: Ints,
    channel: Ints,
    slot: Ints,
    slot_factor: Floats,
    pressure: Floats,
) -> Reaction:
    """Return what each message does. All arrays run over messages."""
    attention = family.attention
    growth = attention.growth**pressure
    fragile = people.fragile[who] / max(people.fragile.mean(), 1e-9)
    part = daypart(family.effect.daypart, offer, slot)
    seen = reach(people.seen[who, channel], slot_factor, people.worn[who], pressure)
    moved = people.lift[who, offer]
    return Reaction(
        bounced_hard=np.minimum(0.5, attention.hard_bounce * fragile),
        bounced_soft=np.full(len(who), attention.soft_bounce),
        seen=seen,
        clicked=people.click[who, channel],
        moved=np.clip(np.where(moved > 0, moved * part, moved), -1, 1),
        redeemed=people.redeem[who, offer],
        left=np.minimum(0.5, people.left[who, channel] * growth),
        complained=np.minimum(0.5, attention.complained * growth),
        driven_off=np.minimum(0.5, people.pushed[who] * pressure),
    )


def worth(people: Population, reaction: Reaction, *, who: Ints, offer: Ints, channel: Ints) -> Worth:
    """Return the expected euros of each message, as if everybody could be reached."""
    seen = reaction.arrives * reaction.seen
    won = np.maximum(reaction.moved, 0)
    redeems = won + (1 - won) * reaction.redeemed
    return Worth(
        margin=seen * reaction.moved * people.offer_margin[who, offer],
        incentive=seen * redeems * people.shop.incentives[offer],
        cost=people.shop.costs[channel],
        churn=reaction.loses * people.life_value[who],
    )
