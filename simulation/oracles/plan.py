"""What a customer's state is worth: dynamic programming over the questions, backwards.

The state at a question, of somebody who is a customer: pressure, who can be reached on which channels, and what
cap and gap need to know (on which day of the question before a message went, if any; on which of the one before
that). A message is a channel and a day of the question, at the day's best hour with its best offer: neither has
a further effect. Seven days on are not counted by the cap, so a message that follows two others must come at
least a day later in its question than the first of them; within the day the hour is taken as free, which is
exact as long as people's best hour stays put. Between pressures of the grid, values are interpolated linearly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulation.arena.opportunity import Opportunity
from simulation.oracles.menu import Menu, Offered, menu, since
from simulation.oracles.moves import Moves, moves, surviving
from simulation.shop import CHANNELS
from simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from simulation.state import State

    Floats = NDArray[np.float64]
    Values = NDArray[np.float32]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

GRID = (0.0, 0.4, 0.8, 1.3, 1.9, 2.6, 4.0, 8.0)
"""Pressures at which values are computed; above the last, they are taken as there."""
_CHUNK = 512
"""So many customers at once bound the memory of a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a plan is about: days ``start`` to ``until`` (excluded) in ``view`` under ``opportunity``."""

    view: World
    opportunity: Opportunity
    start: int = 0
    until: int = 180
    grid: tuple[float, ...] = GRID
    relaxed: bool = False
    """Nothing that pressure or lost reach do: an upper bound."""

    @property
    def pressures(self) -> Floats:
        """The grid as an array; without pressure, one point."""
        return np.array(self.grid[:1] if self.relaxed else self.grid)


class Group:
    """People who are asked on the same days and start with the same ``channels``."""

    def __init__(self, terms: Terms, who: Ints, channels: Ints) -> None:
        self.who = who
        self.channels = channels
        self._terms = terms
        every = terms.opportunity.every_days
        first = terms.start + int(-(who[0] + terms.start) % every)
        self.days = range(first, terms.until, every)
        self._offered: dict[int, Offered] = {}
        self.values: dict[int, Values] = {}

    def solve(self, *, keep: bool) -> None:
        """Go backwards through the questions; ``keep`` the values at all of them, not just the first."""
        value = self.nothing()
        for day in reversed(self.days):
            value = self._before(value, day)
            if keep or day == self.days[0]:
                self.values[day] = value

    def nothing(self) -> Values:
        """Return values of zero: (people, pressures, last, one before, sets of channels)."""
        caps = self._terms.opportunity.every_days + 1
        size = (len(self.who), len(self._terms.pressures), caps, caps, 1 << len(self.channels))
        return np.zeros(size, dtype=np.float32)

    def menu(self, day: int, free: Flags, pressure: Floats) -> Menu:
        """Return what there is to choose from on ``day``, on the group's channels."""
        terms = self._terms
        regime = id(terms.view.people_on(day))
        if regime not in self._offered:
            self._offered[regime] = Offered.of(terms.view, self.who, day)
        dated = free & (day + np.arange(free.shape[1]) // 24 < terms.until)
        return menu(
            terms.view, terms.opportunity, self._offered[regime], self.who, day=day, free=dated, pressure=pressure
        )

    def moves(self, day: int, menu: Menu, pressure: Floats) -> Moves:
        """Return what the messages of ``menu`` do, on the group's channels only."""
        terms = self._terms
        every = moves(terms.view, terms.opportunity, menu, self.who, pressure, day=day, relaxed=terms.relaxed)
        mine = self.channels
        return Moves(
            every.gain[:, :, mine], every.stay[:, :, mine], every.loss[:, :, mine], every.after[:, :, mine]
        )

    def held(self, after: Values, day: int, pressure: Floats) -> Values:
        """Return what holding is worth: (people, pressures, sets of channels)."""
        terms = self._terms
        rested = pressure * 0.5 ** (terms.opportunity.every_days / terms.view.family.wear.half_life_days)
        return self._lasting(day)[:, None, None] * self.at(after[:, :, 0, 0], rested)

    def sent(self, after: Values, day: int, done: Moves, channel: int, when: int) -> Values:
        """Return what a message is worth: (people, pressures, last, sets), minus infinity where it may not go."""
        gain, stay, loss = (each[:, :, channel, when, None, None] for each in (done.gain, done.stay, done.loss))
        then = self.at(after[:, :, when + 1], done.after[:, :, channel, when])
        sets = np.arange(then.shape[-1])
        without = then[..., sets & ~(1 << channel)]
        lasting = self._lasting(day)[:, None, None, None] * stay
        value = (gain + lasting * (then + loss * (without - then))).astype(np.float32)
        value[..., sets >> channel & 1 == 0] = -np.inf
        return value

    def at(self, values: Values, pressure: Floats) -> Values:
        """Return ``values`` (people, grid, …) at each ``pressure`` (people, pressures)."""
        grid = self._terms.pressures
        if len(grid) == 1:
            return np.broadcast_to(values, (len(values), pressure.shape[1], *values.shape[2:]))
        below = np.clip(np.searchsorted(grid, pressure, side="right") - 1, 0, len(grid) - 2)
        weight = np.clip((pressure - grid[below]) / (grid[below + 1] - grid[below]), 0, 1).astype(np.float32)
        weight = weight.reshape(*weight.shape, *(1,) * (values.ndim - 2))
        rows = np.arange(len(values))[:, None]
        low = values[rows, below]
        between: Values = low + weight * (values[rows, below + 1] - low)
        return between

    def _lasting(self, day: int) -> Values:
        """Return the chance to be a customer still at the next question, unprovoked."""
        terms = self._terms
        return (surviving(terms.view, self.who, day) ** terms.opportunity.every_days).astype(np.float32)

    def _before(self, after: Values, day: int) -> Values:
        """Return the values at the question of ``day``, given those at the next."""
        terms = self._terms
        size, grid = len(self.who), terms.pressures
        pressure = np.broadcast_to(grid, (size, len(grid)))
        people = terms.view.people_on(day)
        free = terms.opportunity.awake(terms.view.calendar, people, self.who, day)
        typical = np.full(size, grid[len(grid) // 3])
        done = self.moves(day, self.menu(day, free, typical), pressure)
        value = np.empty_like(after)
        best = np.broadcast_to(self.held(after, day, pressure)[:, :, None], (*after.shape[:3], after.shape[4]))
        every = terms.opportunity.every_days
        value[:, :, :, every] = best
        for when in reversed(range(every)):
            for channel in range(len(self.channels)):
                best = np.maximum(best, self.sent(after, day, done, channel, when))
            value[:, :, :, when] = best
        value[:, :, 0] = value[:, :, 0, :1]
        return value


@dataclass(frozen=True, slots=True)
class Plan:
    """The value of every state of everybody at every question that was kept, in euros."""

    terms: Terms
    groups: tuple[Group, ...]

    @classmethod
    def of(cls, terms: Terms, reachable: Flags, *, keep: bool = True) -> Plan:
        """Solve it for people who are ``reachable`` (people, channels) at most."""
        plan = cls.unsolved(terms, reachable)
        for group in plan.groups:
            group.solve(keep=keep)
        return plan

    @classmethod
    def unsolved(cls, terms: Terms, reachable: Flags) -> Plan:
        """Return it without any values: people and their messages only."""
        return cls(terms, tuple(_groups(terms, reachable)))

    def value(self, state: State) -> Floats:
        """Return what each one's ``state``, as the plan's first day begins, is worth until its end, in euros.

        Nothing of the cap is known of a state but the last message: whoever has had two lately counts as had one.
        """
        value = np.zeros(state.size)
        terms = self.terms
        for group in self.groups:
            if not group.days:
                continue
            who, day = group.who, group.days[0]
            moment = np.full(len(who), terms.view.calendar.midnight(day))
            pressure = state.pressure_at(who, moment, terms.view.family.wear.half_life_days)
            rows = np.arange(len(who))
            there = group.at(group.values[day], pressure[:, None])[:, 0]
            last = since(terms.opportunity, terms.view.calendar, day, state.last_sent[who])
            lasts = surviving(terms.view, who, day) ** (day - terms.start)
            value[who] = there[rows, last, 0, sets(group, state.reachable)] * lasts * state.active[who]
        return value


def sets(group: Group, reachable: Flags) -> Ints:
    """Return which of the group's sets of channels each of its people can be reached on."""
    mine = reachable[group.who][:, group.channels]
    code: Ints = (mine << np.arange(len(group.channels))).sum(axis=1)
    return code


def _groups(terms: Terms, reachable: Flags) -> Iterator[Group]:
    """Part people by their days of questions and the channels they start with; who has none is worth nothing."""
    number = np.arange(len(reachable))
    code = (reachable << np.arange(len(CHANNELS))).sum(axis=1)
    for phase in range(terms.opportunity.every_days):
        for which in range(1, 1 << len(CHANNELS)):
            who = number[(number % terms.opportunity.every_days == phase) & (code == which)]
            channels = np.flatnonzero(which >> np.arange(len(CHANNELS)) & 1)
            for start in range(0, len(who), _CHUNK):
                yield Group(terms, who[start : start + _CHUNK], channels)
