"""What a world says messages are worth is what they turn out to be worth, on average over its draws."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from simulation.arena.playing import numbers
from simulation.families import FAMILIES
from simulation.family import Effect
from simulation.messages import Messages
from simulation.shop import MARGIN_RATE, OFFERS, SHOP
from simulation.world import World
from tests.worlds.simulated import to_everybody

pytestmark = pytest.mark.xdist_group("realised euros")  # lived once for all, not once in each process

WRITTEN, HORIZON = 10, 130

WON = Effect(lift=0.3, redeem_anyway=0.1, averse=0.15)
LOST = Effect(lift=0.0, redeem_anyway=0.0)


@pytest.fixture(
    scope="module",
    params=[("clusters", WON, 0.0), ("offer_and_slot", replace(WON, daypart=0.35), 0.0), ("clusters", LOST, 0.05)],
    ids=["orders won", "orders won at their part of the day", "customers lost"],
)
def realised(request):
    """By person: euros with messages minus euros without, and what the world said they would be.

    Effects are strong and orders frequent, so that what is owed is settled before the end.
    """
    name, effect, churn = request.param
    base = FAMILIES[name]
    family = replace(
        base,
        effect=effect,
        wear=replace(base.wear, churn=churn),
        life=replace(
            base.life, orders=0.15, orders_spread=0.3, yearly_churn=0.05, value_days=HORIZON - WRITTEN // 2
        ),
    )
    world = World.of(family, customers=1500, seed=1, history=0)
    without, expected = world.fork(), np.zeros(1500)
    logs = {"with": [], "without": []}
    for _ in range(HORIZON):
        day = world.live(Messages.joined(asked(world)))
        np.add.at(expected, day.messages.customer, day.net)
        logs["with"].append(day.events)
        logs["without"].append(without.live(Messages.none()).events)
    return euros(pa.concat_tables(logs["with"])) - euros(pa.concat_tables(logs["without"])), expected


def asked(world):
    offer, channel = world.today % 4, world.today % 2
    return [to_everybody(world, offer=offer, channel=channel) if world.today < WRITTEN else Messages.none()]


def euros(log):
    """Margin of orders, less incentives and costs of sending, by person."""
    total = np.zeros(1500)
    bought, won, sent = (log.filter(pc.equal(log["type"], kind)) for kind in ("purchased", "converted", "sent"))
    np.add.at(total, numbers(bought), bought["value"].to_numpy() * MARGIN_RATE)
    offers = pa.array([offer.offer_id for offer in OFFERS])
    np.subtract.at(total, numbers(won), SHOP.incentives[pc.index_in(won["offer_id"], offers).to_numpy()])
    costs = dict(zip(("email", "push", "sms"), SHOP.costs, strict=True))
    np.subtract.at(total, numbers(sent), [costs[channel] for channel in sent["channel"].to_pylist()])
    return total


def test_realised_euros_agree_with_potential_outcomes(realised):
    with_minus_without, expected = realised
    off = with_minus_without - expected
    assert abs(off.mean()) < 3 * off.std() / len(off) ** 0.5
    assert off.std() / len(off) ** 0.5 < 0.25 * abs(expected.mean())


def test_who_gets_no_message_lives_as_if_nobody_got_one(realised):
    with_minus_without, expected = realised
    untouched = expected == 0
    assert untouched.sum() > 50
    assert with_minus_without[untouched] == pytest.approx(0, abs=1e-9)
