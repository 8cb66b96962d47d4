"""What happened to messages: the truth's chances, drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulation.draws import Draws, Purpose

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from simulation.response import Reaction

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outcome:
    """By message: what happened, and after how many hours it was seen (nan: it was not)."""

    bounced_hard: Flags
    bounced_soft: Flags
    delivered: Flags
    seen: Flags
    delay: Floats
    clicked: Flags
    bought: Flags
    redeemed: Flags
    put_off: Flags
    left: Flags
    complained: Flags
    driven_off: Flags


@dataclass(frozen=True, slots=True)
class Luck:
    """The draws of one turn of one day, in a world of so many ``people``."""

    draws: Draws
    day: int
    turn: int
    people: int

    def of(self, purpose: Purpose, who: Ints) -> Floats:
        """Return the numbers in [0, 1) that belong to ``who``."""
        drawn: Floats = self.draws.uniform(purpose, self.day, self.people, turn=self.turn)[who]
        return drawn


def draw(
    reaction: Reaction,
    *,
    who: Ints,
    can: Flags,
    ordered: float,
    luck: Luck,
    delays: Callable[[Flags, Floats], Floats],
) -> Outcome:
    """Draw what becomes of messages to ``who``, nobody twice: they move only who ``can`` be moved.

    Who is no customer any more still has a mailbox, so that no message tells a policy who has gone. ``ordered`` is
    the share of orders after a message that come by a click; ``delays`` gives the hours until those that are seen
    are seen, from a number in [0, 1) each.
    """

    def below(purpose: Purpose, chance: Floats) -> Flags:
        return luck.of(purpose, who) < chance

    bounce = luck.of(Purpose.BOUNCE, who)
    hard = bounce < reaction.bounced_hard
    soft = ~hard & (bounce < reaction.bounced_hard + reaction.bounced_soft)
    delivered = ~hard & ~soft
    arrived = delivered & can
    seen = arrived & below(Purpose.SEEN, reaction.seen)
    moved = seen & below(Purpose.BOUGHT, np.abs(reaction.moved))
    bought, put_off = moved & (reaction.moved > 0), moved & (reaction.moved < 0)
    redeemed = seen & ~bought & below(Purpose.REDEEMED, reaction.redeemed)
    by_click = np.where(bought | redeemed, np.maximum(ordered, reaction.clicked), reaction.clicked)
    delay = np.full(len(who), np.nan)
    if seen.any():
        delay[seen] = delays(seen, luck.of(Purpose.SEEN_DELAY, who)[seen])
    return Outcome(
        bounced_hard=hard,
        bounced_soft=soft,
        delivered=delivered,
        seen=seen,
        delay=delay,
        clicked=seen & below(Purpose.CLICKED, by_click),
        bought=bought,
        redeemed=redeemed,
        put_off=put_off,
        left=arrived & below(Purpose.LEFT, reaction.left),
        complained=arrived & below(Purpose.COMPLAINED, reaction.complained),
        driven_off=arrived & below(Purpose.DRIVEN_OFF, reaction.driven_off),
    )
