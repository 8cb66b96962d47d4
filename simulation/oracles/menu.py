"""The best hour and offer on each channel and day of a question: what every planner chooses among.

Given that a message is seen, what it earns depends on the offer and the local hour alone; whether it is seen, on
the hour and the channel. So the best offer of each local hour holds on every channel and under any pressure, and
a day's best hour is the one with the largest product of the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulation.calendar import HOUR
from simulation.response import reach, react, worth
from simulation.shop import OFFERS, ZONES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.arena.opportunity import Opportunity
    from simulation.calendar import Calendar
    from simulation.world import World

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_CERTAIN = 1e12
"""A slot factor under which every message that arrives is seen."""


@dataclass(frozen=True, slots=True)
class Menu:
    """By (people, channels, days of the question): the best hour of the question, and what then."""

    hour: Ints
    offer: Ints
    slot: Ints
    factor: Floats
    """By how much the slot raises or lowers the chance to be seen."""
    can: Flags
    """Some hour of the day is free."""

    @property
    def days(self) -> Floats:
        """When the message goes, in days after the question."""
        return (self.hour + 0.5) / 24


@dataclass(frozen=True, slots=True)
class Offered:
    """The best offer by (people, local hour of the day) in one regime, and what it earns once seen, in euros."""

    offer: Ints
    euros: Floats
    ahead: Floats
    """:attr:`simulation.people.rhythm.Attending.ahead` of the regime."""

    @classmethod
    def of(cls, view: World, who: Ints, day: int) -> Offered:
        """Return it for ``who`` as of ``day``."""
        hours = np.arange(24) if view.family.effect.daypart else np.zeros(1, dtype=np.int64)
        person, hour, offer = (
            each.ravel() for each in np.meshgrid(who, hours, np.arange(len(OFFERS)), indexing="ij")
        )
        people, certain = view.people_on(day), np.full(len(person), _CERTAIN)
        channel, calm = np.zeros(len(person), dtype=np.int64), np.zeros(len(person))
        reaction = react(
            people,
            view.family,
            who=person,
            offer=offer,
            channel=channel,
            slot=hour,
            slot_factor=certain,
            pressure=calm,
        )
        euros = worth(people, reaction, who=person, offer=offer, channel=channel)
        earned = ((euros.margin - euros.incentive) / reaction.arrives).reshape(len(who), len(hours), len(OFFERS))
        shape = (len(who), 24)
        best, most = earned.argmax(axis=2), earned.max(axis=2)
        ahead = view.attending_on(day).ahead
        return cls(np.broadcast_to(best, shape), np.broadcast_to(most, shape), ahead)


def menu(
    view: World, opportunity: Opportunity, offered: Offered, who: Ints, *, day: int, free: Flags, pressure: Floats
) -> Menu:
    """Return the best of the ``free`` (people, hours) for ``who`` under their ``pressure`` on ``day``."""
    people, attending = view.people_on(day), view.attending_on(day)
    slot = local_slots(opportunity, view.calendar, day)[people.zone[who]]
    mix = people.habits(day, view.family.rhythm.drift_days, who)
    looks = 1 - attending.pull + attending.pull * np.take_along_axis(mix @ offered.ahead, slot, axis=1)
    euros = np.take_along_axis(offered.euros, slot % 24, axis=1)
    seen = reach(
        people.seen[who][:, :, None], looks[:, None], people.worn[who][:, None, None], pressure[:, None, None]
    )
    value = np.where(free[:, None], seen * euros[:, None], -np.inf)
    by_day = value.reshape(*value.shape[:2], opportunity.every_days, 24)
    hour = by_day.argmax(axis=3) + 24 * np.arange(opportunity.every_days)
    rows = np.arange(len(who))[:, None, None]
    picked = slot[rows, hour]
    return Menu(hour, offered.offer[rows, picked % 24], picked, looks[rows, hour], by_day.max(axis=3) > -np.inf)


def local_slots(opportunity: Opportunity, calendar: Calendar, day: int) -> Ints:
    """Return (zones, hours): the slot of the local week at each moment at which a message may go."""
    zones, moments = np.arange(len(ZONES)), opportunity.moments(calendar, day)
    return calendar.slot(zones[:, None], np.broadcast_to(moments, (len(zones), len(moments))))


def since(opportunity: Opportunity, calendar: Calendar, day: int, last_sent: Ints) -> Ints:
    """Return 0 where the question before went unused, else 1 plus the day of it on which a message went."""
    before = calendar.midnight(day) - last_sent
    used = (before > 0) & (before <= opportunity.every_days * 24 * HOUR)
    return np.where(used, opportunity.every_days - (before - 1) // (24 * HOUR), 0)
