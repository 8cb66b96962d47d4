"""Several estimates of one thing, and the largest of several tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from measures.estimate import Estimate
from measures.multiplicity import largest
from measures.random_effects import effects, spread


def test_two_estimates_meet_by_their_precision():
    met = Estimate(mean=1.0, error=1.0).meeting(Estimate(mean=4.0, error=0.5))
    assert met.mean == pytest.approx((1 * 1 + 4 * 4) / 5)
    assert met.error == pytest.approx(5**-0.5)


def test_what_has_no_error_leaves_nothing_to_the_other():
    sure, vague = Estimate(mean=2.0, error=0.0), Estimate(mean=9.0, error=3.0)
    assert sure.meeting(vague) == vague.meeting(sure) == sure


def test_places_that_scatter_as_their_errors_say_differ_by_less_than_declared():
    random = np.random.default_rng(1)
    assert spread(random.normal(0, 0.05, 40), np.full(40, 0.05), declared=0.2) < 0.03


def test_a_few_vague_places_leave_about_the_declared_spread_however_far_apart_they_say_they_are():
    for means in ([12.6, -3.0], [10.0, 0.0, -4.0]):
        assert spread(np.array(means), np.full(len(means), 5.0), declared=0.2) < 0.35


def test_the_spread_between_many_places_is_found():
    random = np.random.default_rng(2)
    errors = random.uniform(0.1, 0.5, 2000)
    means = random.normal(1, 0.6, 2000) + errors * random.normal(size=2000)
    assert spread(means, errors, declared=0.2) == pytest.approx(0.6, rel=0.06)


def test_a_few_exact_places_that_differ_much_are_believed():
    assert spread(np.array([0.2, 2.0]), np.full(2, 0.01), declared=0.2) > 0.8


def test_one_place_leaves_the_declared_spread():
    assert spread(np.array([3.0]), np.array([0.1]), declared=0.2) == pytest.approx(0.2)


@given(st.floats(-3, 3), st.floats(0.05, 2), st.floats(-3, 3), st.floats(0.05, 2), st.floats(0.05, 1))
def test_one_estimate_of_a_sum_is_what_two_normal_laws_give(mean, error, belief, doubt, own):
    found = effects(
        np.array([mean]),
        np.array([error]),
        np.array([[1.0, 1.0]]),
        belief=np.array([belief, 0.0]),
        doubt=np.array([doubt, own]),
    )
    expected = Estimate(mean=mean, error=error).meeting(Estimate(mean=belief, error=float(np.hypot(doubt, own))))
    told = found.of(np.array([1.0, 1.0]))
    assert told.mean == pytest.approx(expected.mean)
    assert told.error == pytest.approx(expected.error)


def test_the_largest_of_values_that_are_one_is_one_test_and_of_independent_ones_sidaks():
    alone = norm.sf(2.0)
    assert largest([2.0, 2.0, 2.0], np.ones((3, 3))) == pytest.approx(alone, rel=0.02)
    assert largest([2.0, -1.0, 0.5], np.eye(3)) == pytest.approx(1 - (1 - alone) ** 3, rel=0.02)
    assert largest([9.0, 0.0], np.eye(2)) <= 2 * norm.sf(9.0)


@pytest.mark.parametrize("dependence", [0.0, 0.5, 0.95])
def test_the_largest_of_dependent_values_claims_as_often_as_its_level_says(dependence):
    random = np.random.default_rng(3)
    shape = (4000, 4)
    values = dependence**0.5 * random.normal(size=(4000, 1)) + (1 - dependence) ** 0.5 * random.normal(size=shape)
    correlation = dependence + (1 - dependence) * np.eye(4)
    claims = np.mean([largest(row, correlation) < 0.05 for row in values[values.max(axis=1) > 1.6]])
    claims *= np.mean(values.max(axis=1) > 1.6)  # below that, one value alone is no claim
    assert claims == pytest.approx(0.05, abs=3 * (0.05 * 0.95 / 4000) ** 0.5)
