"""Families that strain what is taken for granted: taste that carries, loose claims, a season."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow.compute as pc

from simulation.draws import Draws
from simulation.families import CORE, FAMILIES, STRAINED
from simulation.family import Noise
from simulation.log.claims import Claimable, kept
from simulation.log.wire import rows
from simulation.people.population import people
from simulation.world import World
from tests.worlds.simulated import live_on, lived


def correlation(name):
    """Of what people buy of their own accord with what moves them, over people and offers."""
    found = people(FAMILIES[name], Draws(name, 1), 2000)
    return np.corrcoef(found.taste.ravel(), found.lift.ravel())[0, 1]


def test_families_are_of_the_core_or_strained_and_every_one_is_named_once():
    assert len(CORE) == 7
    assert list(FAMILIES) == [*CORE, *STRAINED]


def test_taste_tells_of_lift_only_where_it_carries():
    assert correlation("taste_carries") > 0.2
    assert abs(correlation("clusters")) < 0.05
    carried, plain = (people(FAMILIES["clusters"], Draws("x", 1), 4000).lift.mean(axis=0) for _ in range(2))
    family = replace(FAMILIES["clusters"], effect=FAMILIES["taste_carries"].effect)
    carried = people(family, Draws("x", 1), 4000).lift.mean(axis=0)
    assert np.allclose(carried, plain, rtol=0.1)  # no offer moves more or less on the whole


def told(name, **noise):
    """The log of a world of this noise, by kind of event."""
    family = replace(FAMILIES["clusters"], noise=Noise(**noise), name=name)
    world = World.of(family, customers=1500, seed=2, history=60)
    log = [day.events for day in world.past()]
    return [row for events in log for row in events.to_pylist()]


def test_of_orders_that_messages_brought_as_many_lose_their_message_as_declared():
    both = [
        sum(row["type"] == "converted" for row in told("loose", unclaimed=share, late=0.0)) for share in (0.0, 0.3)
    ]
    assert 0.6 < both[1] / both[0] < 0.8


def test_a_claimed_order_names_the_customer_s_own_message_of_the_days_before_and_each_message_once():
    log = told("loose", claimed=0.5, unclaimed=1.0, late=0.0)  # whatever is named was claimed
    named = [row for row in log if row["type"] == "converted"]
    sent = {row["message_id"]: row for row in log if row["type"] == "sent"}
    bought = {(row["customer_id"], row["occurred_at"]): row for row in log if row["type"] == "purchased"}
    assert len(named) > 100
    assert len({row["event_id"] for row in log}) == len(log)
    assert len({row["message_id"] for row in named}) == len(named)
    for row in named:
        message = sent[row["message_id"]]
        assert (row["customer_id"], row["offer_id"]) == (message["customer_id"], message["offer_id"])
        assert 0 < (row["occurred_at"] - message["occurred_at"]).total_seconds() <= 3 * 86400 + 1
        order = [
            each
            for (who, at), each in bought.items()
            if who == row["customer_id"] and abs((row["occurred_at"] - at).total_seconds()) == 1
        ]
        assert row["value"] in [each["value"] for each in order]


def test_claims_belong_to_customer_and_second_and_do_not_touch_a_fork():
    draws, noise = Draws("loose", 1), Noise(claimed=0.5, unclaimed=0.5)
    who, at = np.arange(400), np.full(400, 86400)
    sent, orders = rows("sent", who, at, day=1), rows("purchased", who, at + 3600, day=1)
    whole, part = Claimable(), Claimable()
    whole.hear(sent)
    part.hear(sent[::2])
    fork = whole.fork()
    claimed = whole.claims(orders, noise, draws)
    assert set(part.claims(orders, noise, draws)["who"]) == {each for each in claimed["who"] if each % 2 == 0}
    assert 150 < len(claimed) < 250
    assert len(whole.claims(orders, noise, draws)) == 0  # each message once
    assert len(fork.claims(orders, noise, draws)) == len(claimed)
    assert set(kept(claimed[::3], noise, draws)["who"]) == set(kept(claimed, noise, draws)["who"]) & set(
        claimed[::3]["who"]
    )


def orders_by_day(days):
    """Ordinary orders on each day of a play in which nothing is sent."""
    world, _ = lived("peak_season", customers=1500, history=10)
    fork = world.fork()
    return np.array(
        [pc.sum(pc.equal(day.events["type"], "purchased")).as_py() for day in live_on(fork, days, quiet)]
    )


def quiet(world):
    """Messages to nobody."""
    from simulation.messages import Messages

    return Messages.none()


def test_in_season_people_order_more_and_redeem_more_and_afterwards_they_do_not():
    peak = FAMILIES["peak_season"].peak
    orders = orders_by_day(56)
    season = np.array([day in peak for day in range(56)])
    assert 2.1 < orders[season].mean() / orders[~season].mean() < 2.9
    world, _ = lived("peak_season", customers=1500, history=10)
    inside, outside = world.people_on(peak.day), world.people_on(peak.day + peak.days)
    assert (inside.redeem > outside.redeem).all()
    assert np.array_equal(inside.lift, outside.lift)
    assert world.people_on(peak.day - 1) is outside
