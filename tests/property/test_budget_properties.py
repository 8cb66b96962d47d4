"""Shared budgets, whatever workers do, die or sleep: never one too many, and in the end every place is given."""

from __future__ import annotations

import itertools
from datetime import timedelta
from math import sqrt
from statistics import fmean, pstdev

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decisions.records import BudgetState
from runtime.purse import LASTS
from tests.worlds.budgets import TODAY, Watch, purse_of, take_all, take_one
from tests.worlds.deciding import answer, catalogue, offer, policy, scores
from tests.worlds.ledger import DAY, opened

WORKERS = 3
_days = itertools.count()
_relaxed = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

workers = st.integers(0, WORKERS - 1)
deeds = st.lists(
    st.one_of(
        st.tuples(st.just("send"), workers, st.integers(1, 6)),
        st.tuples(st.sampled_from(("die", "stop", "dither")), workers, st.none()),
        st.tuples(st.just("wait"), st.none(), st.sampled_from((1, 30, 150, 180, 600))),
    ),
    max_size=30,
)


class World:
    """Workers of one day's budget, and beside the ledger a plain count of what they sent."""

    def __init__(self, ledger, limit):
        self.ledger, self.limit, self.sent = ledger, limit, 0
        self.day = TODAY + next(_days) * DAY  # a day of its own: examples share one ledger
        self.watch = Watch()
        self.purses = [self.new_purse() for _ in range(WORKERS)]

    def new_purse(self):
        return purse_of(self.ledger, self.limit, clock=self.watch, days=[self.day])

    def do(self, deed, which, number):
        getattr(self, deed)(which, number)
        standing = self.standing()
        assert standing.spent == self.sent <= self.limit
        assert standing.spent + standing.leased + standing.left == self.limit

    def standing(self):
        return self.ledger.budgets.standing([self.day], {"email": self.limit}, self.watch.now())["email"]

    def send(self, which, number):
        self.sent += sum(take_one(self.ledger, self.purses[which]) for _ in range(number))

    def dither(self, which, _):
        """Fall asleep between draw and spending, for longer than the lease lasts."""
        self.sent += take_one(self.ledger, self.purses[which], meanwhile=lambda: self.wait(None, 180))

    def die(self, which, _):
        self.purses[which] = self.new_purse()

    def stop(self, which, _):
        self.purses[which].close()

    def wait(self, _, seconds):
        self.watch.turn(timedelta(seconds=seconds))


@pytest.fixture(scope="module")
def ledger(database_urls):
    with opened(database_urls()) as ledger:
        yield ledger


@_relaxed
@given(limit=st.integers(0, 40), deeds=deeds)
def test_every_place_is_given_in_the_end_and_never_one_too_many(ledger, limit, deeds):
    world = World(ledger, limit)
    for deed in deeds:
        world.do(*deed)
    world.watch.turn(LASTS)
    assert world.sent + take_all(ledger, world.new_purse()) == limit


@_relaxed
@given(st.lists(st.tuples(workers, st.integers(0, 40)), max_size=20))
def test_a_limit_that_changes_is_never_overrun_by_more_than_was_lent_before(ledger, changes):
    world, highest = World(ledger, 0), 0
    for which, limit in changes:
        highest, world.limit = max(highest, limit), limit
        world.purses[which] = world.new_purse()
        world.send(which, 3)
        standing = world.standing()
        assert standing.spent == world.sent
        assert standing.spent + standing.leased <= highest


def test_a_budget_that_runs_out_leaves_the_propensities_true():
    """P8 given the budget: exhaustion is fixed before the draw, so wherever a send may go its mean 1/π is 1."""
    rules = policy(exploration={"loss_budget": 0.4, "floor": 0.05}, holdback={"share": 0.1})
    stock = catalogue(offer("tea", channels=("email",)), offer("nuts", channels=("sms",)))
    worth = scores(stock, tau={"tea|email": 1.0, "nuts|sms": 0.8})
    weights, left = {"email": [], "sms": [], None: []}, 0
    for number in range(1200):
        left = 3 if number % 10 == 0 else left
        spent = BudgetState(exhausted=frozenset() if left else frozenset({"email"}))
        decision = answer(rules, stock, worth=worth, request_id=f"r{number}", budgets=spent, horizon_hours=1)
        done = decision.channel if decision.action == "send" else None  # a message held back names a channel too
        left -= done == "email"
        assert done not in spent.exhausted
        for action, values in weights.items():
            if action not in spent.exhausted:
                values.append((done == action) / decision.propensity)
    for values in weights.values():
        assert abs(fmean(values) - 1) < 4 * pstdev(values) / sqrt(len(values))
