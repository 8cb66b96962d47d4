"""The score: euros per customer against never messaging, lost reach paid for."""

import numpy as np
import pytest

from simulation.score import Score, Yardstick, score
from tests.worlds.exploring import Exploring
from tests.worlds.oracles import OPPORTUNITY, start

pytestmark = pytest.mark.xdist_group("score")  # one yardstick, not one in each process


@pytest.fixture(scope="module")
def yardstick():
    here = start()
    return Yardstick.of(here.world, here.past, OPPORTUNITY)


def test_never_messaging_is_worth_exactly_nothing(yardstick):
    assert score(start().held(days=60), yardstick) == Score(0.0, 0.0)


def drawn(played, yardstick):
    """What the state is worth as it was drawn."""
    return yardstick.plan.value(played.world.state).mean() - yardstick.untouched


def test_lost_reach_is_paid_for(yardstick):
    """Whoever held, but lost a channel of everybody's for sure, owes what it would have been worth."""
    played = start().held(days=60)
    played.world.state.ends[:, 0] += 1
    later = score(played, yardstick).later
    assert later < 0
    played.world.state.reachable[:, 0] = False
    assert later == pytest.approx(drawn(played, yardstick))


def test_lost_customers_are_paid_for(yardstick):
    played = start().held(days=60)
    played.world.state.losses += 1
    assert score(played, yardstick).later == pytest.approx(-yardstick.untouched)


def test_a_drawn_loss_that_nobody_had_to_expect_costs_nothing(yardstick):
    played = start().held(days=60)
    played.world.state.reachable[:] = False
    assert score(played, yardstick).later == 0.0


def test_losses_are_expected_as_often_as_they_are_drawn():
    here = start(customers=1000)
    state = here.play(Exploring(seed=0), days=60).world.state
    expected = (state.ends - here.world.state.ends).sum()
    happened = (here.world.state.reachable & ~state.reachable).sum()
    assert expected > 20
    assert abs(happened - expected) < 4 * np.sqrt(expected)


def test_on_average_over_draws_losses_cost_as_much_as_by_their_chances(yardstick):
    plays = [start().play(Exploring(seed=seed), days=60) for seed in range(6)]
    apart = np.array([drawn(each, yardstick) - score(each, yardstick).later for each in plays])
    assert abs(apart.mean()) < 4 * apart.std(ddof=1) / np.sqrt(len(apart))


def test_a_sender_who_spares_nobody_leaves_less_than_it_found(yardstick):
    scored = score(start().play(Exploring(seed=0), days=60), yardstick)
    assert scored.later < 0
    assert scored.total == scored.first + scored.later


def test_the_first_part_is_the_account(yardstick):
    played = start().play(Exploring(seed=0), days=60)
    assert score(played, yardstick).first == pytest.approx(played.account.value / 200)


def test_a_play_of_half_a_year_is_measured_to_its_end(yardstick):
    played = start().play(Exploring(seed=0), days=180)
    scored = score(played, yardstick)
    assert scored.total == pytest.approx(played.account.value / 200)
    assert scored.later == pytest.approx(np.sum([day.value for day in played.days[60:]]) / 200)


def test_a_play_of_another_length_has_no_score(yardstick):
    with pytest.raises(ValueError, match="10 days has no score"):
        score(start().held(days=10), yardstick)
