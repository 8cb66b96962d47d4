"""What changes in a world: who is still there, can still be reached, and how pressed everybody is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from simulation.calendar import DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.messages import Messages
    from simulation.outcomes import Outcome
    from simulation.people.population import Population
    from simulation.response import Reaction

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]


@dataclass(slots=True)
class State:
    """Arrays over people, changed in place as the days go by."""

    active: Flags
    """Still a customer."""
    reachable: Flags
    """By channel: consents, and the address is alive."""
    owed: Ints
    """Ordinary orders that will not come: bought earlier because of an offer, or put off."""
    pressure: Floats
    """Messages, each halving with time, as of ``pressed_at``."""
    pressed_at: Ints
    last_sent: Ints
    """Seconds of the epoch; far in the past for who never got anything."""
    ends: Floats
    """By channel: how many endings its messages so far were expected to bring about."""
    losses: Floats
    """How often the customer was expected to be driven off by messages so far."""

    @classmethod
    def fresh(cls, people: Population) -> Self:
        """Return the state before anything was sent."""
        size = people.size
        return cls(
            active=np.ones(size, dtype=np.bool_),
            reachable=people.consent.copy(),
            owed=np.zeros(size, dtype=np.int64),
            pressure=np.zeros(size),
            pressed_at=np.zeros(size, dtype=np.int64),
            last_sent=np.full(size, -(10**12)),
            ends=np.zeros(people.consent.shape),
            losses=np.zeros(size),
        )

    @property
    def size(self) -> int:
        """How many people."""
        return len(self.active)

    def pressure_at(self, who: Ints, seconds: Ints, half_life_days: float) -> Floats:
        """Return the pressure that each of ``who`` is under at a moment of their own."""
        days = np.maximum(0, seconds - self.pressed_at[who]) / DAY
        left: Floats = self.pressure[who] * 0.5 ** (days / half_life_days)
        return left

    def pressed(self, messages: Messages, half_life_days: float) -> None:
        """Let ``messages`` (nobody twice) weigh on whom they are sent to, whether they arrive or not."""
        who = messages.customer
        self.pressure[who] = 1 + self.pressure_at(who, messages.sent_at, half_life_days)
        self.pressed_at[who] = messages.sent_at
        self.last_sent[who] = messages.sent_at

    def expect(self, messages: Messages, reaction: Reaction) -> None:
        """Count what ``messages`` (nobody twice) are expected to end for customers, whatever will be drawn."""
        who = messages.customer
        self.ends[who, messages.channel] += self.active[who] * reaction.ends
        self.losses[who] += self.active[who] * reaction.loses

    def suffer(self, messages: Messages, outcome: Outcome) -> None:
        """Let what happened have its effect."""
        who, channel = messages.customer, messages.channel
        gone = outcome.left | outcome.complained | outcome.bounced_hard
        self.reachable[who[gone], channel[gone]] = False
        self.active[who[outcome.driven_off]] = False
        self.owed[who] += outcome.redeemed.astype(np.int64) + outcome.put_off
