"""A world: people who live their lives day by day, get messages, and react by the truth.

    world = World.of(FAMILIES["clusters"], customers=2000, seed=1)
    for day in world.past():            # 150 days of a sender who does not experiment
        ...                             # day.events: what was logged
    day = world.live(messages)          # day 0, and so on

The world speaks contracts only (:mod:`simulation.facts` and ``Day.events``). It answers messages as a delivery
layer would, with bounces, delays and losses; what they truly did stands in ``Day.account`` and ``Day.net``, which
nobody may show to a policy.
"""

from __future__ import annotations

from copy import copy, deepcopy
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from simulation.account import Account
from simulation.calendar import Calendar
from simulation.draws import Draws
from simulation.living import Habits, Living
from simulation.log.events import EventLog
from simulation.messages import Messages
from simulation.outcomes import Luck, draw
from simulation.people.population import people
from simulation.people.rhythm import Attending
from simulation.response import Worth, react, worth
from simulation.sender import Sender
from simulation.shop import CHANNELS
from simulation.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from simulation.family import Family
    from simulation.living import Life
    from simulation.outcomes import Outcome
    from simulation.people.population import Population
    from simulation.response import Reaction

    Floats = NDArray[np.float64]

START = date(2026, 3, 2)
"""Day 0, a Monday; clocks change in the first weeks, on different days by country."""
HISTORY_DAYS = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day: the ``events`` that arrived on it, and the truth about the messages sent on it.

    ``messages`` are those that went out (to who has withdrawn from a channel nothing does), ``net`` the true
    expected euros of each in the state it met.
    """

    number: int
    events: pa.Table
    account: Account
    messages: Messages
    net: Floats


class World:
    """One family with one seed. Two worlds made alike and messaged alike are equal to the byte."""

    def __init__(
        self,
        family: Family,
        population: Population,
        draws: Draws,
        *,
        history: int = HISTORY_DAYS,
        start: date = START,
        life: Life | None = None,
    ) -> None:
        """Put the clock ``history`` days before ``start``; people live as :class:`Living` says, or by ``life``."""
        self.family = family
        self.draws = draws
        self.calendar = Calendar(start, population.shop.zones)
        self.today = -history
        self._history = history
        self._regimes = _regimes(family, population)
        self.state = State.fresh(population)
        self._life = life or Living(self.calendar, draws)
        self.log = EventLog(family.noise, draws, shop=population.shop)

    @classmethod
    def of(cls, family: Family, *, customers: int, seed: int, history: int = HISTORY_DAYS) -> World:
        """Draw the people and put the clock ``history`` days before day 0."""
        if customers < 1 or history < 0:
            raise ValueError(
                f"a world of {customers} customers with {history} days of history: give 1 and 0 or more"
            )
        draws = Draws(family.name, seed)
        return cls(family, people(family, draws, customers), draws, history=history)

    def fork(self) -> World:
        """Return a world of its own that goes on from today: what happens in one does not touch the other."""
        other = copy(self)
        other.state, other.log = deepcopy(self.state), self.log.fork()
        return other

    @property
    def began(self) -> int:
        """The first day of history, whatever day it is now."""
        return -self._history

    @property
    def people(self) -> Population:
        """The people as they are today."""
        return self.people_on(self.today)

    def people_on(self, day: int) -> Population:
        """Return the people as they are on ``day``."""
        return self._regimes[self._regime(day)][0]

    def attending_on(self, day: int) -> Attending:
        """Return what the hour of a message does on ``day``."""
        return self._regimes[self._regime(day)][1]

    def past(self) -> Iterator[Day]:
        """Live through the history before day 0, under a sender who targets but never experiments."""
        sender = Sender(self.calendar, self.draws, aim=self.family.aim)
        while self.today < 0:
            yield self.live(sender.messages(self.people, self.state, self.today))

    def live(self, messages: Messages) -> Day:
        """Live through today with ``messages``, which must be sent within it, and return the day.

        Raises:
            ValueError: for a message outside the day, or one to, about or on what does not exist.
        """
        self._check(messages)
        day, population = self.today, self.people
        mix = population.habits(day, self.family.rhythm.drift_days, np.arange(population.size))
        self._life.begin(population, self.state, self.log, day, Habits(mix, self.attending_on(day).curves))
        account, parts, nets = Account(), list[Messages](), list["Floats"]()
        for turn, written in enumerate(messages.by_turn()):
            # A delivery layer keeps its own list of who withdrew, an hour ago or long before.
            batch = written.take(self.state.reachable[written.customer, written.channel])
            net, sums = self._send(batch, turn)
            account, parts, nets = account + sums, [*parts, batch], [*nets, net]
        events = self.log.arriving(day, self.calendar)
        self.today += 1
        return Day(
            number=day,
            events=events,
            account=account,
            messages=_joined(parts),
            net=np.concatenate(nets) if nets else np.array([]),
        )

    def expected(self, messages: Messages, *, pressure: Floats | None = None) -> tuple[Reaction, Worth]:
        """Return the truth about ``messages`` (of one turn), at the pressure they meet unless another is given."""
        day = int(self.calendar.day_of(messages.sent_at[:1])[0]) if len(messages) else self.today
        population, attending = self.people_on(day), self.attending_on(day)
        who = messages.customer
        slot = self.calendar.slot(population.zone[who], messages.sent_at)
        mix = population.habits(day, self.family.rhythm.drift_days, who)
        if pressure is None:
            pressure = self.state.pressure_at(who, messages.sent_at, self.family.wear.half_life_days)
        reaction = react(
            population,
            self.family,
            who=who,
            offer=messages.offer,
            channel=messages.channel,
            slot=slot,
            slot_factor=attending.factor(mix, slot, attending.ahead),
            pressure=pressure,
        )
        return reaction, worth(population, reaction, who=who, offer=messages.offer, channel=messages.channel)

    def _send(self, batch: Messages, turn: int) -> tuple[Floats, Account]:
        """Send messages of which nobody gets two, and let them have their effect."""
        reaction, euros = self.expected(batch)
        can = self.state.active[batch.customer]
        outcome = draw(
            reaction,
            who=batch.customer,
            can=can,
            ordered=self.family.attention.ordered,
            luck=Luck(self.draws, self.today, turn, self.state.size),
            delays=lambda seen, drawn: self._delays(batch.take(seen), drawn),
        )
        self.state.expect(batch, reaction)
        self.state.pressed(batch, self.family.wear.half_life_days)
        self.state.suffer(batch, outcome)
        self.log.messages(self.people, batch, outcome, day=self.today, turn=turn)
        net = np.where(can, euros.net, -euros.cost)
        return net, _account(euros, outcome, can)

    def _delays(self, seen: Messages, drawn: Floats) -> Floats:
        """Return after how many hours each of the messages ``seen`` today is."""
        who, population = seen.customer, self.people
        slot = self.calendar.slot(population.zone[who], seen.sent_at)
        mix = population.habits(self.today, self.family.rhythm.drift_days, who)
        return self.attending_on(self.today).delays(mix, slot, drawn)

    def _regime(self, day: int) -> int:
        """Return which regime ``day`` is in: before or after the change, then the same two in season."""
        change, peak = self.family.change, self.family.peak
        return (change is not None and day >= change.day) + 2 * (peak is not None and day in peak)

    def _check(self, messages: Messages) -> None:
        if not len(messages):
            return
        outside = self.calendar.day_of(messages.sent_at) != self.today
        if outside.any():
            raise ValueError(
                f"{int(outside.sum())} of {len(messages)} messages are not sent on day {self.today}: "
                "hand them over on their own day"
            )
        if messages.customer.min() < 0 or messages.customer.max() >= self.state.size:
            raise ValueError(f"a message is to nobody: customers are numbered 0 to {self.state.size - 1}")
        if messages.channel.min() < 0 or messages.channel.max() >= len(CHANNELS):
            raise ValueError(f"a message is on no channel: there are {len(CHANNELS)}, numbered from 0")
        if messages.offer.min() < 0 or messages.offer.max() >= len(self.people.shop.offers):
            raise ValueError(
                f"a message is about no offer: there are {len(self.people.shop.offers)}, numbered from 0"
            )


def _regimes(family: Family, before: Population) -> tuple[tuple[Population, Attending], ...]:
    """Return people and attention before and after the family's change, then both as they are in season.

    Without a change, after is as before; without a season, there is none.
    """
    first = second = (before, Attending.of(family.rhythm, family.attention))
    if family.change is not None:
        after = Attending.of(family.rhythm, family.attention, turned=family.change.hours)
        second = (before.changed(family.change), after)
    if family.peak is None:
        return first, second
    peak = family.peak
    return first, second, *((people.in_season(peak), attending) for people, attending in (first, second))


def _account(euros: Worth, outcome: Outcome, can: NDArray[np.bool_]) -> Account:
    return Account(
        margin=float(euros.margin[can].sum()),
        incentive=float(euros.incentive[can].sum()),
        cost=float(euros.cost.sum()),
        churn=float(euros.churn[can].sum()),
        sent=len(can),
        seen=int(outcome.seen.sum()),
        bought=int(outcome.bought.sum()),
        redeemed=int((outcome.bought | outcome.redeemed).sum()),
        unsubscribed=int(outcome.left.sum()),
        complained=int(outcome.complained.sum()),
        bounced=int((outcome.bounced_hard | outcome.bounced_soft).sum()),
        driven_off=int(outcome.driven_off.sum()),
    )


def _joined(parts: list[Messages]) -> Messages:
    return Messages.joined(parts) if parts else Messages.none()
