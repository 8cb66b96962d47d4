"""The score: euros per customer against never messaging, lost reach paid for."""

import numpy as np
import pytest

from simulation.oracles.exploring import Exploring
from simulation.score import Score, Yardstick, score
from tests.worlds.oracles import OPPORTUNITY, start

pytestmark = pytest.mark.xdist_group("score")  # one yardstick, not one in each process


@pytest.fixture(scope="module")
def yardstick():
    here = start()
    return Yardstick.of(here.world, here.past, OPPORTUNITY)


def test_never_messaging_is_worth_exactly_nothing(yardstick):
    assert score(start().held(days=60), yardstick) == Score(0.0, 0.0)


def test_lost_reach_is_paid_for(yardstick):
    """Whoever held, but burned the channels, owes what they would have been worth."""
    played = start().held(days=60)
    played.world.state.reachable[:] = False
    assert score(played, yardstick).later == pytest.approx(-yardstick.untouched)


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
