"""What a message does for its sender: what it earns at once, and where it leaves the customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulation.response import react, worth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.arena.opportunity import Opportunity
    from simulation.oracles.menu import Menu
    from simulation.world import World

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Moves:
    """By (people, pressures, channels, days of the question), for somebody who is a customer at the question."""

    gain: Floats
    """Expected euros; minus infinity where it may not go."""
    stay: Floats
    """Chance not to be driven off."""
    loss: Floats
    """Chance that the channel is lost: unsubscribed, complained, or the address is dead."""
    after: Floats
    """Pressure at the next question."""


def moves(
    view: World,
    opportunity: Opportunity,
    menu: Menu,
    who: Ints,
    pressure: Floats,
    *,
    day: int,
    relaxed: bool = False,
) -> Moves:
    """Return what the messages of ``menu`` do under each ``pressure`` (people, pressures) met at the question.

    ``relaxed`` leaves out all that pressure and lost reach ever do (for
    :func:`simulation.oracles.bound.upper_bound`).
    """
    people, half_life = view.people_on(day), view.family.wear.half_life_days
    decay = 0.5 ** (menu.days / half_life)[:, None]
    met = pressure[:, :, None, None] * decay
    number, channel = who[:, None, None, None], np.arange(menu.hour.shape[1])[None, None, :, None]
    person, on, offer, slot = (
        np.broadcast_to(each, met.shape).ravel()
        for each in (number, channel, menu.offer[:, None], menu.slot[:, None])
    )
    factor = np.broadcast_to(menu.factor[:, None], met.shape).ravel()
    reaction = react(
        people,
        view.family,
        who=person,
        offer=offer,
        channel=on,
        slot=slot,
        slot_factor=factor,
        pressure=met.ravel(),
    )
    euros = worth(people, reaction, who=person, offer=offer, channel=on)
    there = surviving(view, who, day)[:, None, None, None] ** (np.arange(opportunity.every_days) + 1)
    earned = (euros.margin - euros.incentive - euros.churn).reshape(met.shape)
    gain = np.where(menu.can[:, None], there * earned - euros.cost.reshape(met.shape), -np.inf)
    if relaxed:
        none = np.zeros_like(gain)
        return Moves(gain, none + 1, none, none)
    rest = 0.5 ** ((opportunity.every_days - menu.days) / half_life)[:, None]
    return Moves(
        gain,
        (1 - reaction.loses).reshape(met.shape),
        reaction.ends.reshape(met.shape),
        (met + 1) * rest,
    )


def surviving(view: World, who: Ints, day: int) -> Floats:
    """Return each one's chance to be there a day later, unprovoked."""
    chance: Floats = np.exp(-view.people_on(day).churn[who])
    return chance
