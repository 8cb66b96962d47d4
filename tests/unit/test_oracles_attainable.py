"""The attainable oracle: it plays by the log alone, and cannot beat who knows the truth."""

import numpy as np
import pytest

from simulation.draws import Draws
from simulation.families import FAMILIES
from simulation.oracles import Amortised, Attainable
from simulation.oracles.amortised import believed, told
from simulation.oracles.hereafter import everybody, relative
from simulation.oracles.summaries import Summary
from simulation.people.population import people
from simulation.world import World
from tests.worlds.oracles import HISTORY, OPPORTUNITY, start


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("amortised")


@pytest.fixture(scope="module")
def amortised(folder):
    return learned(folder)


def learned(folder):
    return Amortised.fit(FAMILIES["clusters"], OPPORTUNITY, (101,), 100, folder, history=HISTORY, days=9)


def test_what_was_learned_is_kept_and_read_again(amortised, folder):
    kept = list(folder.iterdir())
    again = learned(folder)
    assert list(folder.iterdir()) == kept
    here = start()
    summary = Summary(here.customers, here.world.calendar)
    summary.hear(here.past, -1)
    rows = told(summary, -1)
    assert np.array_equal(again.means(rows)["seen.0"], amortised.means(rows)["seen.0"])


def test_posterior_means_are_traits_one_can_plan_with(amortised):
    here = start()
    summary = Summary(here.customers, here.world.calendar)
    summary.hear(here.past, -1)
    traits = believed(amortised.means(told(summary, -1)))
    assert traits["mix"].sum(axis=1) == pytest.approx(1.0)
    assert all((traits[name] >= 0).all() for name in ("seen", "left", "redeem", "worn", "churn", "life_value"))
    assert np.corrcoef(traits["seen"][:, 0], here.world.people.seen[:, 0])[0, 1] > 0


def test_the_attainable_earns_no_more_than_who_knows_the_truth(amortised):
    here = start()
    attainable = here.play(Attainable(amortised, here.customers, OPPORTUNITY, until=9), days=9)
    assert attainable.account.sent > 0
    assert attainable.account.value <= here.planned(days=9, until=9).account.value


def test_what_is_told_before_the_first_day_has_logarithms():
    here = start()
    summary = Summary(here.customers, here.world.calendar)
    summary.hear(here.past, -1)
    assert np.isfinite(np.log1p(told(summary, -1))).all()


def test_the_mean_person_is_worth_what_everybody_is_on_average():
    mean = everybody(FAMILIES["clusters"], OPPORTUNITY, size=30)
    draws = Draws("hereafter", 0)
    family = FAMILIES["clusters"]
    view = World(family, people(family, draws, 30), draws, history=0)
    worth = relative(view, OPPORTUNITY, np.ones((30, 3), dtype=np.bool_), mean)
    assert worth.mean() == pytest.approx(1.0, rel=0.02)


def test_a_summary_heard_in_parts_is_the_same():
    here = start()
    whole, parts = (Summary(here.customers, here.world.calendar) for _ in range(2))
    whole.hear(here.past, -1)
    third = len(here.past) // 3
    for begin in (0, third, 2 * third):
        end = len(here.past) if begin == 2 * third else begin + third
        parts.hear(here.past.slice(begin, end - begin), -1)
    assert parts.numbers() == pytest.approx(whole.numbers())
