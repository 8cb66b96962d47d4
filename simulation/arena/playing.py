"""Play a strategy in a world, under the same rules, hours and log as everybody else.

A strategy hears what has arrived and answers questions; it never sees the world. The rules are kept for it: what
it may choose from is already permitted, and what was withdrawn since is not sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.account import Account
from simulation.arena.opportunity import NEVER
from simulation.messages import Messages
from simulation.shop import CHANNELS
from simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from simulation.arena.opportunity import Opportunity
    from simulation.world import Day

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_ENDS = pa.array(("unsubscribed", "complained"))


@dataclass(frozen=True, slots=True)
class Asked:
    """The questions of one day: about ``who``, with the hours and channels that the rules leave.

    ``free`` is (people, hours), hour 0 beginning at midnight UTC of ``day``; ``reachable`` (people, channels) as
    the log knows it.
    """

    day: int
    who: Ints
    free: Flags
    reachable: Flags


@dataclass(frozen=True, slots=True)
class Wanted:
    """The answers: the rows of ``Asked.who`` that get a message (at most one each): what, where and when."""

    row: Ints
    offer: Ints
    channel: Ints
    hour: Ints


class Strategy(Protocol):
    """Decides who gets what, where and when."""

    def hear(self, events: pa.Table, day: int) -> None:
        """Take the events that arrived on ``day`` (or, before day 0, on all days up to it)."""
        ...

    def choose(self, asked: Asked) -> Wanted:
        """Answer the questions of one day."""
        ...


@dataclass(slots=True)
class Played:
    """What came of it: the account by day, and the world as it was left."""

    world: World
    days: list[Account] = field(default_factory=list)

    @property
    def account(self) -> Account:
        """The sum over all days."""
        return sum(self.days, Account())


@dataclass(slots=True)
class Known:
    """What the log has shown of everybody: who may still be written to, and the last messages."""

    reachable: Flags
    recent: Ints

    @classmethod
    def of(cls, world: World, past: pa.Table, opportunity: Opportunity) -> Known:
        """Return what ``past`` shows."""
        size = world.state.size
        known = cls(world.people.consent.copy(), np.full((size, opportunity.cap + 1), NEVER))
        known.hear(past)
        sent = past.filter(pc.equal(past["type"], "sent"))
        known.recent[:] = _latest(numbers(sent), moments_of(sent), size, opportunity.cap + 1)
        return known

    def hear(self, events: pa.Table) -> None:
        """Take permission away where ``events`` do."""
        dead = pc.and_(pc.equal(events["type"], "bounced"), pc.match_substring(events["properties"], "hard"))
        ends = events.filter(pc.or_(pc.is_in(events["type"], _ENDS), dead))
        self.reachable[numbers(ends), channels(ends)] = False

    def plan(self, messages: Messages) -> None:
        """Count ``messages`` (nobody twice) as the latest."""
        who = messages.customer
        self.recent[who] = np.concatenate([self.recent[who, 1:], messages.sent_at[:, None]], axis=1)


def _latest(who: Ints, moments: Ints, size: int, count: int) -> Ints:
    """Return (people, count): each one's last moments, the latest on the right."""
    order = np.lexsort((moments, who))
    who, moments = who[order], moments[order]
    from_last = np.searchsorted(who, who, side="right") - 1 - np.arange(len(who))
    latest, kept = np.full((size, count), NEVER), from_last < count
    latest[who[kept], count - 1 - from_last[kept]] = moments[kept]
    return latest


def numbers(events: pa.Table) -> Ints:
    """Return the number of each event's customer."""
    digits = pc.utf8_slice_codeunits(events["customer_id"], 1)
    found: Ints = pc.cast(digits, pa.int64()).to_numpy()
    return found


def channels(events: pa.Table) -> Ints:
    """Return the number of each event's channel (−1: none)."""
    known = pc.fill_null(pc.index_in(events["channel"], pa.array(CHANNELS)), -1)
    found: Ints = known.to_numpy().astype(np.int64)
    return found


def moments_of(events: pa.Table) -> Ints:
    """Return the seconds of the epoch at which each event happened."""
    found: Ints = pc.cast(events["occurred_at"], pa.int64()).to_numpy() // 1_000_000
    return found


def play(
    world: World,
    past: pa.Table,
    strategy: Strategy,
    opportunity: Opportunity,
    *,
    days: int,
    watch: Callable[[Day], None] | None = None,
) -> Played:
    """Let ``strategy`` decide for ``days`` days from day 0. ``world`` stands at day 0 (fork it) and is used up.

    ``past`` is the log of the history, which the strategy hears first.
    """
    known, played = Known.of(world, past, opportunity), Played(world)
    strategy.hear(past, -1)
    planned = Messages.none()
    for day in range(days):
        new = _answered(world, strategy, known, opportunity, day, until=days)
        planned = Messages.joined([planned, new])
        due = world.calendar.day_of(planned.sent_at) == day
        allowed = planned.take(due)
        lived = world.live(allowed.take(known.reachable[allowed.customer, allowed.channel]))
        planned = planned.take(~due)
        known.hear(lived.events)
        strategy.hear(lived.events, day)
        played.days.append(lived.account)
        if watch:
            watch(lived)
    return played


def _answered(
    world: World, strategy: Strategy, known: Known, opportunity: Opportunity, day: int, *, until: int
) -> Messages:
    """Return what ``strategy`` wants of those asked about on ``day``; from day ``until`` on nothing may go."""
    people, who = world.people, opportunity.asked(world.state.size, day)
    moments = opportunity.moments(world.calendar, day)
    free = opportunity.awake(world.calendar, people, who, day) & opportunity.rested(known.recent[who], moments)
    free &= day + np.arange(free.shape[1]) // 24 < until
    asked = Asked(day, who, free, known.reachable[who])
    wanted = strategy.choose(asked)
    _check(asked, wanted)
    messages = Messages.of(who[wanted.row], wanted.offer, wanted.channel, moments[wanted.hour])
    known.plan(messages)
    return messages


def _check(asked: Asked, wanted: Wanted) -> None:
    """Refuse answers that break a rule: a strategy is to choose from what is free.

    Raises:
        ValueError: for such an answer.
    """
    forbidden = ~asked.free[wanted.row, wanted.hour] | ~asked.reachable[wanted.row, wanted.channel]
    if forbidden.any() or len(np.unique(wanted.row)) < len(wanted.row):
        raise ValueError(
            f"{int(forbidden.sum())} of {len(wanted.row)} answers of day {asked.day} are at a forbidden hour or "
            "on a channel without permission, or somebody is answered twice: choose from free and reachable"
        )
