"""Intervals: against independent formulas, by invariants, and by how often they hold the truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from measures import bootstrap, intervals
from measures.outcome import Interval, NotComputable
from measures.proper import log_loss
from measures.ranking import auc
from measures.statistic import mean


def share_covering(truth, made):
    return np.mean([interval.low <= truth <= interval.high for interval in made])


@settings(deadline=None)
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_the_interval_of_scipy(counts):
    found = intervals.wilson(*counts)
    oracle = stats.binomtest(*counts).proportion_ci(method="wilson")
    assert (found.low, found.high) == (pytest.approx(oracle.low, abs=1e-12), pytest.approx(oracle.high, abs=1e-12))


def test_newcombe_reproduces_the_example_of_his_paper():
    found = intervals.newcombe((56, 48), (70, 80))
    assert (found.low, found.high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))


def test_mean_and_welch_are_the_intervals_of_scipy():
    rng = np.random.default_rng(2)
    a, b = rng.normal(1, 2, 30), rng.normal(0, 1, 50)
    oracle = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    found = intervals.welch(a, b)
    assert (found.low, found.high) == (pytest.approx(oracle.low), pytest.approx(oracle.high))
    oracle = stats.ttest_1samp(a, 0).confidence_interval()
    assert intervals.mean(a).low == pytest.approx(oracle.low)


@pytest.mark.parametrize(
    "outcome",
    [
        intervals.wilson(0, 0),
        intervals.wilson(3, 2),
        intervals.newcombe((1, 1), (0, 5)),
        intervals.newcombe((1, 1), (5, 0)),
        intervals.mean([1.0]),
        intervals.mean([]),
        intervals.welch([1.0], [1.0, 2.0]),
        intervals.welch([1.0, np.nan], [1.0, 2.0]),
        bootstrap.interval(mean, ([1.0],), seed=1),
        bootstrap.interval(mean, ([1.0, 2.0],), clusters=["a", "a"], seed=1),
        bootstrap.interval(mean, ([1.0, 2.0],), clusters=["a"], seed=1),
        bootstrap.interval(auc, ([1, 1, 1], [0.1, 0.2, 0.3]), seed=1),
        bootstrap.interval(auc, ([0, 0, 0, 1], [0.1, 0.2, 0.3, 0.4]), seed=1),
        bootstrap.paired_interval(auc, [0, 1], [0.1, 0.2], [0.1], seed=1),
    ],
)
def test_what_cannot_be_computed_says_why_and_is_no_number(outcome):
    assert isinstance(outcome, NotComputable)
    assert len(outcome.reason) > 10


def test_too_many_lost_draws_leave_no_interval():
    outcome = bootstrap.interval(auc, ([0, 0, 0, 1], [0.1, 0.2, 0.3, 0.4]), seed=1)
    assert "draws could not be computed" in outcome.reason


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(3).normal(size=50)
    assert bootstrap.interval(mean, (values,), seed=5) == bootstrap.interval(mean, (values,), seed=5)
    assert bootstrap.interval(mean, (values,), seed=5) != bootstrap.interval(mean, (values,), seed=6)


def test_a_prepared_statistic_and_a_plain_function_agree_draw_by_draw():
    rng = np.random.default_rng(4)
    y, score = rng.integers(0, 2, 80), rng.random(80).round(1)
    plain = bootstrap.interval(lambda a, b: 0.0 + auc(a, b), (y, score), seed=1, reps=200)
    fast = bootstrap.interval(auc, (y, score), seed=1, reps=200)
    assert (plain.low, plain.high) == (pytest.approx(fast.low), pytest.approx(fast.high))


def test_bca_agrees_with_scipy_on_a_skewed_statistic():
    values = np.random.default_rng(5).lognormal(size=60)
    ours = bootstrap.interval(mean, (values,), seed=1, reps=8000, method="bca")
    oracle = stats.bootstrap(
        (values,), np.mean, n_resamples=8000, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    assert (ours.low, ours.high) == (pytest.approx(oracle.low, rel=0.02), pytest.approx(oracle.high, rel=0.02))


def test_bootstrap_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(6)
    made = [bootstrap.interval(mean, (rng.exponential(size=60),), seed=i, reps=200, level=0.9) for i in range(200)]
    assert 0.80 <= share_covering(1.0, made) <= 0.95


def test_clusters_widen_the_interval_to_what_the_customers_carry():
    rng = np.random.default_rng(7)
    made, naive = [], []
    for i in range(120):
        clusters = np.repeat(np.arange(40), 5)
        values = rng.normal(size=40)[clusters] + 0.3 * rng.normal(size=200)
        made.append(bootstrap.interval(mean, (values,), clusters=clusters, seed=i, reps=200, level=0.9))
        naive.append(intervals.mean(values, level=0.9))
    assert 0.80 <= share_covering(0.0, made) <= 0.97
    assert share_covering(0.0, naive) < 0.7
    assert made[0].n == 40


def test_a_paired_difference_is_narrower_than_two_intervals_and_covers():
    rng = np.random.default_rng(8)
    made, widths = [], []
    for i in range(100):
        truth = rng.beta(2, 5, 300)
        y = (rng.random(300) < truth).astype(float)
        good, same = truth, truth.copy()
        made.append(
            bootstrap.paired_interval(
                log_loss, y, np.clip(good, 0.01, 0.99), np.full(300, 2 / 7), seed=i, reps=200
            )
        )
        widths.append(bootstrap.paired_interval(auc, y, good, same, seed=i, reps=50))
    grid = rng.beta(2, 5, 200_000)
    entropy = -(grid * np.log(grid) + (1 - grid) * np.log1p(-grid)).mean()
    base = -(2 / 7 * np.log(2 / 7) + 5 / 7 * np.log(5 / 7))
    assert 0.88 <= share_covering(entropy - base, made) <= 0.99
    assert all((w.estimate, w.low, w.high) == (0, 0, 0) for w in widths)


def test_an_interval_says_whether_it_excludes_zero():
    assert Interval(estimate=1, low=0.5, high=2, level=0.95, n=9).excludes_zero
    assert not Interval(estimate=1, low=-0.5, high=2, level=0.95, n=9).excludes_zero


def test_an_impossible_level_is_refused():
    with pytest.raises(ValueError, match="level 95"):
        intervals.wilson(1, 2, level=95)
