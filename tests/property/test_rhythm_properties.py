"""What holds of every rhythm, whatever the counts and weights."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisions.priors import ChannelPriors, Priors
from decisions.scorers.rhythm import Rhythm, Weights, shifted
from decisions.scorers.send_time import SendTimeModel

COUNTS = arrays(np.float64, (3, 168), elements=st.floats(0, 50, allow_subnormal=False), fill=st.just(0.0))
WEIGHTS = st.builds(
    Weights,
    hour_bandwidth=st.floats(0.3, 4),
    hour_strength=st.floats(1, 1e4),
    weekday_strength=st.floats(1, 1e4),
    bandwidth=st.floats(0.3, 4),
    strength=st.floats(1, 1e4),
    temper=st.floats(0.02, 1),
    drift=st.floats(1e-5, 2),
)


def rhythm(weights: Weights) -> Rhythm:
    centroids = np.random.default_rng(0).dirichlet(np.ones(168), 3) + 1e-4
    centroids /= centroids.sum(axis=1, keepdims=True)
    mixing = np.array([0.5, 0.3, 0.2])
    return Rhythm(everybody=mixing @ centroids, centroids=centroids, mixing=mixing, weights=weights)


@given(COUNTS, WEIGHTS)
def test_every_curve_is_a_probability_over_the_week(counts, weights):
    curves = rhythm(weights).curves(counts)
    assert curves.min() > 0
    np.testing.assert_allclose(curves.sum(axis=1), 1.0)


@given(WEIGHTS)
def test_no_counts_give_everybodys_curve_exactly(weights):
    blend = rhythm(weights)
    np.testing.assert_allclose(blend.curves(np.zeros((1, 168)))[0], blend.everybody)


@given(COUNTS, WEIGHTS)
def test_an_answer_does_not_depend_on_who_else_is_asked_about(counts, weights):
    blend = rhythm(weights)
    alone = np.vstack([blend.curves(row[None]) for row in counts])
    np.testing.assert_allclose(blend.curves(counts), alone)


@given(COUNTS, st.floats(0, 48))
def test_a_shift_moves_a_curve_and_keeps_its_sum(counts, hours):
    np.testing.assert_allclose(shifted(counts, hours).sum(axis=1), counts.sum(axis=1), atol=1e-9)
    np.testing.assert_allclose(shifted(counts, hours + 168), shifted(counts, hours), atol=1e-6)


@given(COUNTS, WEIGHTS, st.floats(0, 1), st.floats(0, 24))
def test_the_multiplier_is_positive_and_averages_one_over_the_sends(counts, weights, beta, delay):
    sends = np.random.default_rng(1).dirichlet(np.ones(168))
    model = SendTimeModel.of(
        rhythm(weights), sends=sends, sends_from="the sends so far", half_life_days=90.0, channels={}, why="x"
    )
    priors = Priors(default=ChannelPriors(beta=beta, open_delay_hours=delay))
    multiplier = model.multiplier(model.rhythm.curves(counts), "email", priors)
    assert multiplier.min() > 0
    np.testing.assert_allclose(multiplier @ sends, 1.0)
