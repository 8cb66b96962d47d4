"""The best hour and offer of a question: found quickly, and the same as trying everything."""

import numpy as np
import pytest

from simulation.messages import Messages
from simulation.oracles.plan import Group, Terms
from tests.worlds.oracles import OPPORTUNITY, start

OFFERS = 4


@pytest.mark.parametrize("family", ["clusters", "offer_and_slot", "regime_change"])
def test_the_menus_best_is_the_best_of_everything_tried_by_the_truth(family):
    world, day = start(family).world, 42
    channel, who = 0, np.arange(0, 200, 3)
    group = Group(Terms(view=world, opportunity=OPPORTUNITY), who, np.array([channel]))
    free = OPPORTUNITY.awake(world.calendar, world.people, who, day)
    menu = group.menu(day, free, np.zeros(len(who)))
    best = np.full((len(who), 3), -np.inf)
    moments = OPPORTUNITY.moments(world.calendar, day)
    for hour, moment in enumerate(moments):
        for offer in range(OFFERS):
            same = np.ones(len(who), dtype=np.int64)
            net = _net(world, Messages.of(who, same * offer, same * channel, same * moment), day)
            best[:, hour // 24] = np.where(
                free[:, hour], np.maximum(best[:, hour // 24], net), best[:, hour // 24]
            )
    for when in range(3):
        chosen = Messages.of(
            who, menu.offer[:, channel, when], np.full(len(who), channel), moments[menu.hour[:, channel, when]]
        )
        assert _net(world, chosen, day) == pytest.approx(best[:, when], abs=2e-3)


def _net(world, messages, day):
    """The truth about messages as of ``day``, to people under no pressure."""
    return world.expected(messages, pressure=np.zeros(len(messages)))[1].net


def test_what_a_message_is_said_to_earn_is_what_the_world_accounts():
    world = start().world.fork()
    who = np.arange(0, 200, 3)
    group = Group(Terms(view=world, opportunity=OPPORTUNITY), who, np.array([0, 1, 2]))
    free = OPPORTUNITY.awake(world.calendar, world.people, who, 0)
    pressure = world.state.pressure_at(
        who, np.full(len(who), world.calendar.epoch), world.family.wear.half_life_days
    )
    menu = group.menu(0, free, pressure)
    gain = group.moves(0, menu, pressure[:, None]).gain[:, 0, 1, 0]
    moments = OPPORTUNITY.moments(world.calendar, 0)[menu.hour[:, 1, 0]]
    _, euros = world.expected(Messages.of(who, menu.offer[:, 1, 0], np.ones(len(who), dtype=np.int64), moments))
    stays = np.exp(-world.people.churn[who])
    assert gain == pytest.approx(stays * (euros.net + euros.cost) - euros.cost)
