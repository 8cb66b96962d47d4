"""Oracles as strategies: they are told the truth and then keep the same rules as everybody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulation.arena.playing import Wanted
from simulation.oracles.menu import since
from simulation.oracles.plan import Group, Plan, Terms, sets
from simulation.state import State

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from simulation.arena.opportunity import Opportunity
    from simulation.arena.playing import Asked
    from simulation.oracles.menu import Menu
    from simulation.oracles.plan import Values
    from simulation.world import World

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


class Hold:
    """Never messages anybody."""

    def hear(self, events: pa.Table, day: int) -> None:
        """Need nothing."""

    def choose(self, asked: Asked) -> Wanted:  # noqa: ARG002 - a strategy's signature
        """Answer nobody."""
        return nobody()


def nobody() -> Wanted:
    """Return the answer that messages nobody."""
    none = np.array([], dtype=np.int64)
    return Wanted(none, none, none, none)


def joined(parts: list[Wanted]) -> Wanted:
    """Return several answers to one day's questions as one."""
    parts = parts or [nobody()]
    return Wanted(
        *(np.concatenate([getattr(each, name) for each in parts]) for name in ("row", "offer", "channel", "hour"))
    )


@dataclass(frozen=True, slots=True)
class Chooser:
    """Answers questions by a plan: the best of holding and all that is free, given each one's ``state``."""

    plan: Plan
    state: State
    foresee: bool = True
    """Count what follows; otherwise only what a message earns itself."""

    def choose(self, asked: Asked) -> Wanted:
        """Answer the questions of one day."""
        every = self.plan.terms.opportunity.every_days
        due = [group for group in self.plan.groups if (group.who[0] + asked.day) % every == 0]
        return joined([self._chosen(group, asked) for group in due])

    def _chosen(self, group: Group, asked: Asked) -> Wanted:
        row, day, terms = np.searchsorted(asked.who, group.who), asked.day, self.plan.terms
        moment = np.full(len(row), terms.view.calendar.midnight(day))
        pressure = self.state.pressure_at(group.who, moment, terms.view.family.wear.half_life_days)
        menu = group.menu(day, asked.free[row], pressure)
        reachable = self.state.reachable.copy()
        reachable[group.who] &= asked.reachable[row]
        value, hold = self._values(group, menu, day, pressure, sets(group, reachable))
        best = value.reshape(len(row), -1).argmax(axis=1)
        send = (value.reshape(len(row), -1).max(axis=1) > hold) & self.state.active[group.who]
        channel, when = np.divmod(best, terms.opportunity.every_days)
        at = (np.arange(len(row)), group.channels[channel], when)
        wanted = (row, menu.offer[at], at[1], menu.hour[at])
        return Wanted(*(each[send] for each in wanted))

    def _values(self, group: Group, menu: Menu, day: int, pressure: Floats, which: Ints) -> tuple[Values, Values]:
        """Return what each message is worth (people, channels, days of the question), and what holding is."""
        terms, rows = self.plan.terms, np.arange(len(group.who))
        after = self._after(group, day)
        done = group.moves(day, menu, pressure[:, None])
        last = since(terms.opportunity, terms.view.calendar, day, self.state.last_sent[group.who])
        value = np.stack(
            [
                [
                    group.sent(after, day, done, channel, when)[rows, 0, last, which]
                    for when in range(done.gain.shape[3])
                ]
                for channel in range(len(group.channels))
            ]
        )
        return np.moveaxis(value, 2, 0), group.held(after, day, pressure[:, None])[rows, 0, which]

    def _after(self, group: Group, day: int) -> Values:
        if not self.foresee:
            return group.nothing()
        following = day + self.plan.terms.opportunity.every_days
        return group.values[following] if following in group.values else group.nothing()


class Myopic:
    """Sends what earns most at once, in euros net of cost and of churn, wherever that is more than nothing.

    It knows everybody's true traits and the state each message will meet, and nothing of what follows from it.
    Give it the world that it plays in.
    """

    def __init__(self, world: World, opportunity: Opportunity) -> None:
        terms = Terms(view=world, opportunity=opportunity, until=10**6)
        self._chooser = Chooser(Plan.unsolved(terms, world.state.reachable), world.state, foresee=False)

    def hear(self, events: pa.Table, day: int) -> None:
        """Need nothing: it sees the state itself."""

    def choose(self, asked: Asked) -> Wanted:
        """Answer the questions of one day."""
        return self._chooser.choose(asked)


class Planning:
    """Sends what is best in the long run up to day ``until`` (excluded), in expectation over what is to come.

    It knows traits, the family's parameters, a change of regime to come and everybody's state, but none of the
    future's draws. Give it the world that it plays in, as it stands at day 0.
    """

    def __init__(self, world: World, opportunity: Opportunity, until: int = 180) -> None:
        terms = Terms(view=world, opportunity=opportunity, start=world.today, until=until)
        self.plan = Plan.of(terms, world.state.reachable)
        self._chooser = Chooser(self.plan, world.state)

    def hear(self, events: pa.Table, day: int) -> None:
        """Need nothing: it sees the state itself."""

    def choose(self, asked: Asked) -> Wanted:
        """Answer the questions of one day."""
        return self._chooser.choose(asked)
