"""What a message is worth, from counts: the estimators against plain arithmetic, and where the truth is known."""

from __future__ import annotations

from dataclasses import fields, replace
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisions.worth.attention import ALMOST_SURE, Attention
from decisions.worth.beliefs import Beliefs
from decisions.worth.cadence import INTERVALS, cadence
from decisions.worth.dayparts import HOURS, hourly
from decisions.worth.effect import Effect, orders_per_seen
from decisions.worth.life import Life, Peers
from decisions.worth.model import WorthModel
from decisions.worth.ripening import ripe
from decisions.worth.shrinking import factor, likeliest_shape, log_likelihood
from decisions.worth.tally import Tally

BELIEFS = Beliefs(attention=(0.2, 0.1), loss=(0.002, 0.002))
COUNTS = arrays(np.float64, (3, 2, 2), elements=st.integers(0, 40).map(float))


def tally(people: int = 4, offers: int = 2, **counted) -> Tally:
    """Everybody alike: so many of each on the first channel, of the first offer."""
    made = {each.name: np.zeros((people, 2, offers)) for each in fields(Tally)}
    for name, count in counted.items():
        made[name][:, 0, 0] = count
    return Tally(**made)


def life(people: int = 4, orders: float = 4, revenue: float = 120, signs: float = 40, silent: float = 2) -> Life:
    """Everybody alike, over 100 days."""
    columns = {"orders": orders, "revenue": revenue, "days": 100, "signs": signs, "silent_days": silent}
    return Life(**{name: np.full(people, float(value)) for name, value in columns.items()})


def learned(counted: Tally, lives: Life, beliefs: Beliefs = BELIEFS) -> WorthModel:
    return WorthModel.learn(counted, lives, beliefs, lost=np.zeros(2), sent=np.zeros(2))


# Shrinking


def test_nobody_has_a_factor_of_their_own_where_the_shape_is_infinite():
    assert factor(np.array([0.0, 9.0]), np.array([1.0, 1.0]), inf).tolist() == [1.0, 1.0]


def test_no_evidence_leaves_the_factor_at_one():
    assert factor(np.zeros(3), np.zeros(3), 0.6).tolist() == [1.0, 1.0, 1.0]


@given(st.floats(0.1, 50), st.integers(0, 30), st.floats(0.01, 30))
def test_a_factor_lies_between_one_and_what_was_counted(shape, events, expected):
    (found,) = factor(np.array([float(events)]), np.array([expected]), shape)
    assert min(1, events / expected) - 1e-9 <= found <= max(1, events / expected) + 1e-9


def test_the_likeliest_shape_is_that_of_the_people():
    random = np.random.default_rng(1)
    expected = np.full(4000, 6.0)
    alike, differing = random.poisson(expected), random.poisson(expected * random.gamma(1.5, 1 / 1.5, 4000))
    assert likeliest_shape(differing.astype(float), expected) == pytest.approx(1.5, rel=0.2)
    assert likeliest_shape(alike.astype(float), expected) > 40
    assert likeliest_shape(np.zeros(2), np.zeros(2)) == inf


def test_the_likelihood_of_counts_is_the_negative_binomial_one():
    from scipy.stats import nbinom, poisson

    events, expected, shape = np.array([0.0, 1, 4]), np.array([0.5, 2.0, 3.0]), 1.7
    by_scipy = nbinom.logpmf(events, shape, shape / (shape + expected)).sum()
    less = -np.log([1, 1, 24]).sum()  # log(events!) is the same for every shape
    assert log_likelihood(events, expected, shape) + less == pytest.approx(by_scipy)
    assert log_likelihood(events, expected, inf) + less == pytest.approx(poisson.logpmf(events, expected).sum())


# Ripening


def test_a_message_ripens_from_nothing_to_all():
    shares = ripe(np.array([-1.0, 0.0, 0.1, 1.0, 7.0, 400.0]))
    assert (np.diff(shares) >= 0).all()
    assert shares[0] == shares[1] == 0
    assert shares[-1] == pytest.approx(1)


# Attention


def test_where_opens_show_attention_is_what_was_seen_of_what_was_sent():
    counted = tally(people=1000, exposed=10, opened=3, seen=3)
    model = learned(counted, life(1000))
    assert model.watched.tolist() == [True, False]
    assert model.attention.level[0] == pytest.approx(0.3, rel=0.05)
    assert model.attention.level[1] == pytest.approx(0.1), "nothing was sent there: what is declared"


def test_where_no_opens_show_orders_tell_how_many_messages_were_seen():
    everybody = np.zeros((2000, 2, 1))
    made = {each.name: everybody.copy() for each in fields(Tally)}
    made["exposed"][:, 0], made["exposed"][:, 1] = 10, 10
    made["opened"][:, 0] = made["seen"][:, 0] = 2
    made["ordered"][::2, 0] = 0.2  # an order in twenty messages seen
    made["ordered"][::2, 1] = 0.4  # twice as many there: seen twice as often
    model = learned(Tally(**made), life(2000))
    assert model.attention.level[1] == pytest.approx(2 * model.attention.level[0], rel=0.08)


def test_a_click_is_never_taken_for_the_only_way_of_seeing():
    """The more messages without opens, the less may the channel be taken for one that nobody looks at."""
    made = {each.name: np.zeros((500, 2, 1)) for each in fields(Tally)}
    made["exposed"][:, 1] = 40
    made["clicked"][:, 1] = 0.5
    made["ordered"][:, 1] = 0.2
    few = {name: array / 10 for name, array in made.items()}
    levels = [learned(Tally(**counts), life(500)).attention.level[1] for counts in (few, made)]
    assert levels[1] >= levels[0] * 0.7
    assert levels[1] > 0.05


def test_hidden_messages_of_a_watched_channel_are_judged_by_what_followed():
    shows, hidden = tally(exposed=20, opened=6, seen=6), tally(hidden=20, hidden_clicked=6)
    both = Tally(
        **{
            each.name: np.concatenate([getattr(shows, each.name), getattr(hidden, each.name)])
            for each in fields(Tally)
        }
    )
    weighed = both.weighed(BELIEFS, both.watched)
    assert weighed.watched[:4, 0, 0].tolist() == [20] * 4
    assert weighed.watched[4:, 0, 0].tolist() == [0] * 4
    assert weighed.closed[4:, 0, 0].tolist() == [20] * 4
    assert weighed.clicked[4:, 0, 0].tolist() == [6] * 4


def test_who_looks_more_than_others_is_expected_to_go_on():
    made = {each.name: np.zeros((400, 2, 1)) for each in fields(Tally)}
    made["exposed"][:, 0] = 20
    made["opened"][:200, 0] = made["seen"][:200, 0] = 8
    made["opened"][200:, 0] = made["seen"][200:, 0] = 1
    model = learned(Tally(**made), life(400))
    known = model.personal(Tally(**made), life(400)).attention[:, 0]
    assert known[0] == pytest.approx(0.4, abs=0.06)
    assert known[-1] == pytest.approx(0.06, abs=0.04)
    assert (known <= ALMOST_SURE).all()


def test_pressure_takes_from_what_an_exposure_counts():
    rested, pressed = tally(exposed=10), tally(exposed=10, pressed=20)
    shows = np.array([True, False])
    assert rested.weighed(BELIEFS, shows).watched[0, 0, 0] == 10
    assert pressed.weighed(BELIEFS, shows).watched[0, 0, 0] == pytest.approx(10 * np.exp(-0.1 * 2))


# Effect


def test_an_offer_of_which_little_is_known_counts_as_the_mean_of_all():
    known = orders_per_seen(np.array([100.0, 0.0]), np.array([1000.0, 0.0]), BELIEFS)
    mean = (100 + 50 * 0.06) / 1050
    assert known[1] == pytest.approx(mean)
    assert known[0] == pytest.approx((100 + 150 * mean) / 1150)


def test_what_would_have_come_anyway_is_no_lift():
    effect = Effect.of(np.array([0.06, 0.02]), BELIEFS)
    assert effect.lift.tolist() == [pytest.approx(0.06 - 0.025), pytest.approx(0.15 * 0.02)]


def test_who_ordered_after_messages_is_worth_more_and_most_with_that_offer():
    effect = Effect.of(np.array([0.06, 0.06]), BELIEFS)
    ordered, seen = np.array([[2.0, 0.0], [0.0, 0.0]]), np.full((2, 2), 10.0)
    lift = effect.personal(ordered, seen, np.full(2, 0.025), BELIEFS)
    assert lift[0, 0] > lift[0, 1] > 0
    assert lift[0, 0] > effect.lift[0] > lift[1, 0] > 0


@given(COUNTS, COUNTS)
def test_one_more_order_never_makes_a_message_worth_less(ordered, seen):
    effect, anyway = Effect.of(np.array([0.06, 0.03]), BELIEFS), np.full(3, 0.025)
    before = effect.personal(ordered[:, 0], seen[:, 0], anyway, BELIEFS)
    more = ordered[:, 0].copy()
    more[0, 0] += 1
    assert effect.personal(more, seen[:, 0], anyway, BELIEFS)[0, 0] >= before[0, 0]


# Life


def test_who_was_silent_for_longer_is_less_likely_still_a_customer():
    silent = replace(life(), silent_days=np.array([0.0, 10, 60, 300]))
    alive = Peers.of(silent).alive(silent, 0.25)
    assert (np.diff(alive) < 0).all()
    assert alive[0] == 1
    assert alive[-1] < 0.01


def test_alive_is_the_share_found_when_lives_are_drawn():
    """Signs at a known rate until a drawn end: of who was silent so long, the formula's share is still there."""
    random = np.random.default_rng(2)
    count, days, yearly = 400_000, 100.0, 0.9
    hazard = -np.log1p(-yearly) / 365
    ends = random.exponential(1 / hazard, count)
    known = np.minimum(ends, days)
    signs = random.poisson(0.05 * known).astype(float)
    last = np.where(signs > 0, known * random.random(count) ** (1 / np.maximum(signs, 1)), 0.0)
    silent = days - last
    here = (silent > 40) & (silent < 45) & (signs > 0)
    fixed = Life(
        orders=signs, revenue=signs, days=np.full(count, 1e9), signs=np.full(count, 0.05e9), silent_days=silent
    )
    told = Peers.of(fixed).alive(fixed, yearly)[here]
    assert told.mean() == pytest.approx((ends > days)[here].mean(), abs=0.01)


def test_nothing_known_of_life_leaves_everybody_at_the_mean():
    nobody = life(orders=0, revenue=0, signs=0)
    peers = Peers.of(nobody)
    assert peers.pace(nobody).tolist() == peers.basket(nobody).tolist() == [1.0] * 4
    assert peers.alive(nobody, 0.25).tolist() == [1.0] * 4


# Cadence


def costs(**given) -> dict:
    base = {"cost": np.array([0.002]), "loss": np.array([0.002]), "spend": np.ones(1), "beliefs": BELIEFS}
    return base | given


def test_the_more_a_message_earns_the_oftener_it_goes_and_nothing_goes_at_a_loss():
    gain = np.array([[0.0], [0.004], [0.02], [0.3]])
    found = cadence(gain, **costs(spend=np.ones(4)))
    assert found.rate[0, 0] <= 0 < found.rate[1, 0]
    assert (np.diff(found.days[1:, 0]) <= 0).all()
    assert found.days[1, 0] > found.days[3, 0] == INTERVALS[0]


def test_the_best_interval_is_the_one_that_plain_arithmetic_finds():
    gain, spend = 0.03, 1.7
    found = cadence(np.array([[gain]]), **costs(spend=np.array([spend])))

    def rate(days: float, reach: float) -> float:
        left = 0.5 ** (days / BELIEFS.half_life_days)
        pressure = left / (1 - left)
        earned = gain * np.exp(-BELIEFS.drop * pressure) - 0.002 - BELIEFS.churn_cost * spend * pressure
        return (earned - min(0.5, 0.002 * BELIEFS.loss_growth**pressure) * reach) / days

    reach = max(0, *(rate(days, 0) for days in INTERVALS)) * BELIEFS.reach_days * BELIEFS.reach_share
    best = max(INTERVALS, key=lambda days: rate(days, reach))
    assert found.days[0, 0] == best
    assert found.rate[0, 0] == pytest.approx(rate(best, reach))


def test_the_pressure_of_an_interval_is_that_of_messages_sent_so_long_ago_each():
    found = cadence(np.array([[0.3]]), **costs())
    before = sum(0.5 ** (number * found.days[0, 0] / BELIEFS.half_life_days) for number in range(1, 200))
    assert found.pressure[0, 0] == pytest.approx(before)


# Dayparts


def counted_by_hour(rates: np.ndarray, seen_an_hour: float) -> tuple[np.ndarray, np.ndarray]:
    seen = np.full((1, HOURS), seen_an_hour)
    return np.random.default_rng(3).poisson(seen * rates).astype(float), seen


def test_an_offer_with_a_part_of_the_day_is_found_at_whatever_hours_it_lies():
    rates = np.where((np.arange(HOURS) >= 14) & (np.arange(HOURS) < 18), 0.12, 0.05)
    found = hourly(*counted_by_hour(rates, 500))[0]
    assert found[14:18].min() > 1.5
    assert found[[10, 12, 20, 22, 2]].max() < 0.95


def test_without_a_part_of_the_day_every_hour_is_worth_the_same():
    found = hourly(*counted_by_hour(np.full(HOURS, 0.06), 500))[0]
    assert np.abs(found - 1).max() < 0.06


def test_few_counts_leave_every_hour_near_one():
    found = hourly(np.eye(1, HOURS), np.full((1, HOURS), 1.0))[0]
    assert np.abs(found - 1).max() < 0.1
    assert hourly(np.zeros((2, HOURS)), np.zeros((2, HOURS))).tolist() == np.ones((2, HOURS)).tolist()


def test_a_part_may_lie_around_midnight():
    rates = np.where((np.arange(HOURS) >= 22) | (np.arange(HOURS) < 2), 0.12, 0.05)
    found = hourly(*counted_by_hour(rates, 500))[0]
    assert found[[22, 23, 0, 1]].min() > 1.5


# All of it


def test_an_incentive_is_paid_for_orders_that_were_coming_anyway_too():
    personal = learned(tally(exposed=20, opened=5, seen=5), life()).personal(tally(), life())
    free, dear = (personal.gain_if_seen(np.full(2, 9.0), np.full(2, price))[0, 0] for price in (0.0, 2.0))
    assert free - dear == pytest.approx(personal.alive[0] * 2.0 * (personal.lift[0, 0] + personal.anyway[0]))


def test_who_buys_more_anyway_is_expected_to_be_moved_no_more_but_costs_more_incentive():
    lives = replace(life(), orders=np.array([0.0, 4, 12, 40]))
    personal = learned(tally(), lives).personal(tally(), lives)
    assert (np.diff(personal.anyway) > 0).all()
    assert np.ptp(personal.lift, axis=0).max() == pytest.approx(0)


@settings(max_examples=30)
@given(st.lists(COUNTS, min_size=6, max_size=6), st.permutations(range(3)))
def test_the_order_of_people_is_irrelevant(counts, order):
    exposed, seen, clicked, hidden, hidden_clicked, ordered = counts
    made = Tally.empty(3, 2, 2)
    made = replace(
        made,
        exposed=exposed + seen,
        opened=seen,
        seen=seen,
        clicked=clicked,
        hidden=hidden,
        hidden_clicked=hidden_clicked,
        ordered=np.minimum(ordered, exposed),
    )
    order = np.array(order)
    one, other = learned(made, life(3)), learned(made.of(order), life(3))
    mine, theirs = one.personal(made, life(3)).of(order), other.personal(made.of(order), life(3))
    for each in fields(mine):
        assert np.allclose(getattr(mine, each.name), getattr(theirs, each.name), rtol=1e-6)


def test_counts_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match="people, channels, offers"):
        replace(Tally.empty(2, 1, 1), exposed=np.zeros((3, 1, 1)))


def test_a_model_of_no_message_says_what_is_declared():
    model = learned(Tally.empty(5, 2, 2), life(5))
    personal = model.personal(Tally.empty(5, 2, 2), life(5))
    assert model.attention.level.tolist() == [0.2, 0.1]
    assert personal.attention.tolist() == [[0.2, 0.1]] * 5
    assert np.allclose(personal.lift, 0.06 - 0.025)
    assert isinstance(model.attention, Attention)
