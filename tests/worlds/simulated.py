"""Small simulated worlds that several tests look at; each is lived once in a process."""

from functools import cache

import numpy as np
import pyarrow as pa

from simulation.calendar import DAY, HOUR
from simulation.families import FAMILIES
from simulation.fit.figures import figures, mails
from simulation.messages import Messages
from simulation.world import World


@cache
def lived(family="clusters", *, customers=300, history=40, seed=1):
    """A world at day 0 (fork it), and its log."""
    world = World.of(FAMILIES[family], customers=customers, seed=seed, history=history)
    return world, pa.concat_tables([day.events for day in world.past()])


@cache
def fit(family):
    """The figures of a family's log: 60 days of 1,500 people."""
    world, log = lived(family, customers=1500, history=60, seed=3)
    return figures(mails(log), world.people.proxy)


def to_everybody(world, *, hour=11, offer=0, channel=0, every=3):
    """Messages of today to everybody whose turn it is, every so many days."""
    who = np.arange(world.state.size)
    who = who[(who + world.today) % every == 0]
    same = np.zeros(len(who), dtype=np.int64)
    moment = world.calendar.epoch + world.today * DAY + hour * HOUR
    return Messages.of(who, same + offer, same + channel, same + moment)


def live_on(world, days, write=to_everybody):
    """Live ``days`` days with what ``write(world)`` sends."""
    return [world.live(write(world)) for _ in range(days)]
