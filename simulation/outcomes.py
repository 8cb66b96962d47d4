"""What happened to messages: the truth's chances, drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulation.draws import Purpose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.messages import Messages
    from simulation.response import Reaction
    from simulation.world import World

    Floats = NDArray[np.float64]
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


def draw(world: World, batch: Messages, reaction: Reaction, *, can: Flags, turn: int) -> Outcome:
    """Draw what becomes of ``batch``, of which nobody gets two: it moves only who ``can`` be moved.

    Who is no customer any more still has a mailbox, so that no message tells a policy who has gone.
    """
    who, day = batch.customer, world.today

    def below(purpose: Purpose, chance: Floats) -> Flags:
        return world.draws.uniform(purpose, day, world.state.size, turn=turn)[who] < chance

    bounce = world.draws.uniform(Purpose.BOUNCE, day, world.state.size, turn=turn)[who]
    hard = bounce < reaction.bounced_hard
    soft = ~hard & (bounce < reaction.bounced_hard + reaction.bounced_soft)
    delivered = ~hard & ~soft
    arrived = delivered & can
    seen = arrived & below(Purpose.SEEN, reaction.seen)
    moved = seen & below(Purpose.BOUGHT, np.abs(reaction.moved))
    bought, put_off = moved & (reaction.moved > 0), moved & (reaction.moved < 0)
    redeemed = seen & ~bought & below(Purpose.REDEEMED, reaction.redeemed)
    ordered = np.maximum(world.family.attention.ordered, reaction.clicked)
    return Outcome(
        bounced_hard=hard,
        bounced_soft=soft,
        delivered=delivered,
        seen=seen,
        delay=_delays(world, batch, seen, turn),
        clicked=seen & below(Purpose.CLICKED, np.where(bought | redeemed, ordered, reaction.clicked)),
        bought=bought,
        redeemed=redeemed,
        put_off=put_off,
        left=arrived & below(Purpose.LEFT, reaction.left),
        complained=arrived & below(Purpose.COMPLAINED, reaction.complained),
        driven_off=arrived & below(Purpose.DRIVEN_OFF, reaction.driven_off),
    )


def _delays(world: World, batch: Messages, seen: Flags, turn: int) -> Floats:
    delays = np.full(len(batch), np.nan)
    who, day = batch.customer[seen], world.today
    if len(who):
        population = world.people
        slot = world.calendar.slot(population.zone[who], batch.sent_at[seen])
        mix = population.habits(day, world.family.rhythm.drift_days, who)
        drawn = world.draws.uniform(Purpose.SEEN_DELAY, day, world.state.size, turn=turn)[who]
        delays[seen] = world.attending_on(day).delays(mix, slot, drawn)
    return delays
