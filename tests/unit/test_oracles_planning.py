"""Planning by dynamic programming: what it says a state is worth is what playing it earns, and nothing beats it."""

import numpy as np
import pytest

from simulation.oracles import Planning, upper_bound
from simulation.oracles.plan import GRID, Plan, Terms
from simulation.state import State
from tests.worlds.oracles import OPPORTUNITY, start


def test_what_the_plan_promises_is_what_playing_it_earns():
    """Two ways to the same number: backward induction, and the account of a play with fresh draws."""
    here = start(customers=500)
    promised = Planning(here.world.fork(), OPPORTUNITY, until=12).plan.value(here.world.state).mean()
    # Euros of an account are expected given the state each message met: what is left to chance is who stays a
    # customer within reach, about 1% in two weeks. At day 0 the plan counts one message of the past at most.
    assert here.planned(days=12, until=12).account.value / 500 == pytest.approx(promised, rel=0.05)


@pytest.mark.parametrize("family", ["clusters", "offer_and_slot", "low_effects"])
def test_planning_earns_at_least_as_much_as_what_looks_best_at_once(family):
    here = start(family)
    planned, myopic = (
        played.account.value / 200 for played in (here.planned(days=9, until=9), here.myopic(days=9))
    )
    assert planned >= myopic - 0.02 * abs(myopic)


@pytest.mark.parametrize("family", ["clusters", "offer_and_slot", "no_heterogeneity"])
def test_the_bound_is_above_every_customers_plan(family):
    world = start(family).world
    plan, bound = (
        Plan.of(
            Terms(view=world, opportunity=OPPORTUNITY, until=9, relaxed=relaxed),
            world.state.reachable,
            keep=False,
        )
        for relaxed in (False, True)
    )
    assert (bound.value(State.fresh(world.people)) >= plan.value(world.state) - 1e-5).all()
    assert upper_bound(world, OPPORTUNITY, until=9) >= plan.value(world.state).mean()


def test_a_finer_grid_of_pressures_changes_the_value_by_less_than_one_percent():
    world = start().world
    middles = (np.array(GRID[1:]) + np.array(GRID[:-1])) / 2
    fine = tuple(sorted({*GRID, *middles.tolist()}))
    coarse, refined = (
        Plan.of(
            Terms(view=world, opportunity=OPPORTUNITY, until=9, grid=grid), world.state.reachable, keep=False
        ).value(world.state)
        for grid in (GRID, fine)
    )
    assert coarse.mean() == pytest.approx(refined.mean(), rel=0.01)


def test_without_a_future_planning_is_worth_nothing():
    world = start().world
    plan = Plan.of(Terms(view=world, opportunity=OPPORTUNITY, until=0), world.state.reachable)
    assert not plan.value(world.state).any()


def test_pressure_and_lost_channels_never_make_a_state_worth_more():
    world = start().world
    plan = Plan.of(Terms(view=world, opportunity=OPPORTUNITY, until=15), world.state.reachable)
    for group in plan.groups:
        for value in group.values.values():
            assert (np.diff(value, axis=1) <= 1e-5).all()
            assert (value <= value[..., -1:] + 1e-5).all()


def test_who_is_gone_or_out_of_reach_is_worth_nothing():
    world = start().world.fork()
    plan = Plan.of(Terms(view=world, opportunity=OPPORTUNITY, until=15), world.state.reachable)
    world.state.active[:50] = False
    world.state.reachable[50:] = False
    assert not plan.value(world.state).any()


def test_where_hours_change_nothing_every_hour_of_a_day_is_as_good():
    world = start("no_send_time").world
    terms = Terms(view=world, opportunity=OPPORTUNITY, until=12)
    for group in Plan.unsolved(terms, world.state.reachable).groups:
        free = OPPORTUNITY.awake(world.calendar, world.people, group.who, group.days[0])
        menu = group.menu(group.days[0], free, np.zeros(len(group.who)))
        assert menu.factor == pytest.approx(1.0)
