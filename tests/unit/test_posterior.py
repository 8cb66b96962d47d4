"""The attainable oracle: its posterior is what brute force says, it is right on average, and it keeps the rules."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest

from benchmarks.world.player.counting import Counting
from benchmarks.world.posterior import Posterior
from benchmarks.world.posterior.playing import pace
from benchmarks.world.posterior.prior import Prior
from benchmarks.world.posterior.weighing import SETTLED, Weighing, baskets
from benchmarks.world.rivals import Facts
from decisions.worth.life import Life
from simulation.arena.playing import play
from simulation.families import FAMILIES
from simulation.response import daypart
from simulation.shop import CHANNELS
from tests.worlds.oracles import OPPORTUNITY
from tests.worlds.simulated import lived

POSSIBLE = 40
FAMILY_OF = ("clusters", "offer_and_slot", "loose_claims")


def heard(name, *, customers=30, history=30, possible=POSSIBLE):
    """A small world at day 0, what was counted in it, and the weighing of possible people."""
    world, past = lived(name, customers=customers, history=history)
    facts, prior = Facts.of(world), Prior.of(world.family, possible, 7)
    counting = Counting(facts, world.family.wear.half_life_days)
    counting.hear(past)
    return world, facts, prior, counting, Weighing(prior, facts)


def brute(prior, facts, counting, life, alive, now):
    """Weights by plain Python: a message, a real person and a possible one at a time."""
    sends, family = counting.sends, prior.family
    noise, people, pull = family.noise, prior.view.people_on(-1), family.rhythm.pull
    found = np.zeros((facts.size, people.size))
    for row in range(len(sends)):
        if sends.flag("bounced")[row]:
            continue
        who, channel, offer, at = (int(each[row]) for each in (sends.who, sends.channel, sends.offer, sends.at))
        age, slot = (now - at) / 86400, int(facts.slot(np.array([who]), np.array([at]))[0])
        there = 1.0 if at <= now - life.silent_days[who] * 86400 else alive[who]
        there *= prior.ripe(np.array([min(age, SETTLED)]))[0]
        ordered, clicked, opened = (bool(sends.flag(kind)[row]) for kind in ("ordered", "clicked", "opened"))
        shows = channel == CHANNELS.index("email") and not sends.flag("hidden")[row]
        day = int(facts.calendar.day_of(np.array([at]))[0])
        ahead = prior.view.attending_on(day).ahead[:, slot]
        for k in range(people.size):
            mix = people.habits(day, family.rhythm.drift_days, np.array([k]))[0]
            strength = people.seen[k, channel] * (1 - pull + pull * float(mix @ ahead))
            seen = there * (1 - exp(-strength * exp(-people.worn[k] * sends.pressure[row])))
            part = float(daypart(family.effect.daypart, np.array([offer]), np.array([slot]))[0])
            won = max(0.0, people.lift[k, offer] * part)
            order = (won + (1 - won) * people.redeem[k, offer]) * (1 - noise.unclaimed)
            claim = noise.claimed * (1 - exp(-people.orders[k] * noise.claim_days))
            order = 1 - (1 - order) * (1 - claim)
            click = people.click[k, channel]
            click = max(click, family.attention.ordered) if ordered else click
            if_seen = (order if ordered else 1 - order) * (click if clicked else 1 - click)
            if_seen *= noise.lost if shows and not opened and not clicked else 1.0
            if_not = 0.0 if opened or clicked else claim if ordered else 1 - claim
            found[who, k] += log(max(1e-12, seen * if_seen + (1 - seen) * if_not))
    for who in range(facts.size):
        days = life.days[who] - (1 - alive[who]) * life.silent_days[who]
        found[who] += life.orders[who] * np.log(people.orders) - days * people.orders
    weights = np.exp(found - found.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("name", FAMILY_OF)
def test_the_posterior_is_what_brute_force_says_of_a_small_world(name):
    world, facts, prior, counting, weighing = heard(name)
    now = world.calendar.midnight(0)
    life, alive = counting.life(now), np.linspace(0.3, 1.0, facts.size)
    found = weighing.weights(counting, life, alive, now)
    wanted = brute(prior, facts, counting, life, alive, now)
    assert found == pytest.approx(wanted, abs=2e-3)
    assert np.ptp(wanted, axis=1).max() > 0.05


def test_messages_that_are_read_once_are_not_read_again():
    world, facts, _, counting, weighing = heard("clusters")
    now = world.calendar.midnight(0)
    life, alive = counting.life(now), np.ones(facts.size)
    first = weighing.weights(counting, life, alive, now)
    assert weighing.weights(counting, life, alive, now) == pytest.approx(first)


def test_posterior_means_are_right_on_average():
    world, _, prior, counting, weighing = heard("clusters", customers=1500, history=60, possible=1024)
    now, people = world.calendar.midnight(0), prior.people(0)
    weights = weighing.weights(counting, counting.life(now), np.ones(1500), now)
    for of in (lambda each: -np.expm1(-each.seen[:, 0]), lambda each: each.orders):
        mean, true = weights @ of(people), of(world.people)
        assert mean.mean() == pytest.approx(true.mean(), rel=0.15)
        assert 0.75 < np.cov(mean, true)[0, 1] / mean.var() < 1.25
        assert np.corrcoef(mean, true)[0, 1] > 0.4


def test_where_all_react_alike_nobody_s_log_tells_of_reactions():
    _, _, prior, counting, weighing = heard("no_heterogeneity", possible=60)
    now = 0
    people = prior.people(0)
    assert np.ptp(people.lift[:, 0]) == pytest.approx(0.0)
    weights = weighing.weights(counting, counting.life(now), np.ones(30), now)
    assert np.ptp(weights @ people.seen[:, 0]) == pytest.approx(0.0, abs=1e-5)


def test_a_basket_is_what_orders_came_to_and_the_mean_where_there_was_none():
    none = np.zeros(2)
    life = Life(
        orders=np.array([0.0, 40.0]), revenue=np.array([0.0, 40 * 60.0]), days=none, signs=none, silent_days=none
    )
    unknown, known = baskets(life, 0.4)
    assert unknown == pytest.approx(1.0, abs=0.01)
    assert known == pytest.approx(2.0, rel=0.05)  # sixty euros an order, where thirty are usual


def test_the_dearer_what_wears_off_the_longer_the_interval():
    terms = {"cost": np.zeros(2), "loss": np.zeros(2), "growth": 1.0, "half_life": 5.0, "left": 60}
    gain, driven = np.array([[0.1, 0.0]]), np.zeros(1)
    rate, rested = pace(gain, worn=0.0, driven=driven, **terms)
    worse, later = pace(gain, worn=0.4, driven=driven + 0.02, **terms)
    assert rate[0, 0] == pytest.approx(0.1 / 3)
    assert later[0, 0] < rested[0, 0]
    assert 0 < worse[0, 0] < rate[0, 0]
    assert rate[0, 1] == 0


def test_it_plays_by_the_rules_the_same_for_the_same_seed_and_pays_little_where_little_moves():
    world, past = lived("clusters", customers=120)
    totals = []
    for family in (world.family, world.family, replace(world.family, effect=FAMILIES["low_effects"].effect)):
        oracle = Posterior(family, Facts.of(world), 3, until=9, possible=200)
        totals.append(play(world.fork(), past, oracle, OPPORTUNITY, days=9).account)
    assert totals[0] == totals[1]
    assert totals[0].sent > 50
    assert totals[2].sent < totals[0].sent
    assert totals[2].cost < totals[0].cost / 4  # told that messages move almost nobody
