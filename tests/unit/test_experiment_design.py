"""Power and sample size: against textbook numbers, against each other and by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiments.design import Baseline, Plan, detectable_effect, power, sample_size
from measures.outcome import NotComputable


def test_the_textbook_case_of_two_rates():
    # z = 1.960 + 0.842; (p₁q₁ + p₂q₂) (z / 0.02)² for 10% against 12%, an arm: 3,839 (Fleiss, without correction: 3,841)
    assert sample_size(Baseline(mean=0.10), 0.02) / 2 == pytest.approx(3839, abs=2)


def test_cuped_leaves_one_minus_rho_squared():
    plain, sharp = (sample_size(Baseline(mean=5, sd=3, correlation=rho), 0.2) for rho in (0.0, 0.8))
    assert sharp == pytest.approx(plain * 0.36, rel=0.001)


@settings(deadline=None)
@given(st.floats(0.05, 0.6), st.floats(0.01, 0.2), st.floats(0.2, 0.8), st.floats(0.5, 0.95))
def test_size_power_and_effect_are_one_relation(rate, effect, share, wanted):
    plan = Plan(share=share, power=wanted)
    n = sample_size(Baseline(mean=rate), effect, plan)
    assert power(Baseline(mean=rate), effect, n, plan) == pytest.approx(wanted, abs=0.02)
    assert detectable_effect(Baseline(mean=rate), n, plan) == pytest.approx(effect, rel=0.02, abs=1e-3)


def test_an_experiment_of_that_size_finds_the_effect_as_often_as_promised():
    rng = np.random.default_rng(1)
    n = sample_size(Baseline(mean=5, sd=2), 0.4) // 2
    found = sum(stats.ttest_ind(rng.normal(5.4, 2, n), rng.normal(5, 2, n)).pvalue < 0.05 for _ in range(400))
    low, high = stats.binom.ppf([0.001, 0.999], 400, 0.8)
    assert low <= found <= high


def test_a_mean_has_its_smallest_effect_in_closed_form():
    n = sample_size(Baseline(mean=5, sd=2), 0.4)
    assert detectable_effect(Baseline(mean=5, sd=2), n) == pytest.approx(0.4, rel=1e-3)


def test_equal_shares_need_the_fewest():
    even, uneven = (sample_size(Baseline(mean=1, sd=1), 0.1, Plan(share=share)) for share in (0.5, 0.1))
    assert even < uneven


@pytest.mark.parametrize(
    "outcome",
    [
        sample_size(Baseline(mean=0.5), 0.0),
        sample_size(Baseline(mean=0.5), 0.6),
        power(Baseline(mean=0.5), 0.1, 1),
        detectable_effect(Baseline(mean=0.5), 1),
        detectable_effect(Baseline(mean=0.9), 10),
    ],
)
def test_what_no_experiment_can_show_says_why(outcome):
    assert isinstance(outcome, NotComputable)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Baseline(mean=5), "rate 5"),
        (lambda: Baseline(mean=5, sd=0), "sd 0"),
        (lambda: Baseline(mean=5, sd=1, correlation=1), "correlation 1"),
        (lambda: Plan(power=80), "power 80"),
    ],
)
def test_an_impossible_plan_is_refused(made, message):
    with pytest.raises(ValueError, match=message):
        made()
