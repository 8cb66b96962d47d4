"""Means over strata and Holm's test, by hand and by invariants."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from measures import intervals, stratified
from measures.multiplicity import holm
from measures.outcome import NotComputable, NotComputableError


def test_one_stratum_is_students_mean():
    values = [1.0, 2.0, 4.0, 4.5]
    ours, student = stratified.mean(values, ["a"] * 4).interval(), intervals.mean(values)
    assert (ours.estimate, ours.low, ours.high) == pytest.approx((student.estimate, student.low, student.high))
    assert stratified.mean(values, ["a"] * 4).p_value == pytest.approx(stats.ttest_1samp(values, 0).pvalue)


def test_two_strata_count_alike_and_only_the_spread_within_counts():
    found = stratified.mean([0, 2, 10, 10, 10, 10], list("aabbbb"))
    assert found.estimate == pytest.approx((1 + 10) / 2)
    assert found.error == pytest.approx(np.sqrt(2 / 2) / 2)
    assert found.freedom == pytest.approx(1)


def test_a_stratum_of_one_unit_has_no_spread():
    assert "1 of 2 strata" in stratified.mean([1, 2, 3], list("aab")).reason


def test_a_ratio_of_proportional_columns_is_exact():
    found = stratified.ratio([1, 2, 3, 4], [2, 4, 6, 8], list("aabb"))
    assert (found.estimate, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))


def test_a_ratio_over_nothing_is_no_number():
    assert isinstance(stratified.ratio([1, 1, 1], [1, -1, 0.1], list("aaa")), NotComputable)


def test_the_interval_of_a_ratio_covers_as_often_as_it_says():
    rng, strata = np.random.default_rng(5), np.repeat(np.arange(7), 3)
    held = 0
    for _ in range(800):
        bottom = 1 + 0.1 * rng.normal(size=21)
        found = stratified.ratio(0.4 * bottom + 0.1 * rng.normal(size=21), bottom, strata)
        held += found.low <= 0.4 <= found.high
    assert 0.93 <= held / 800 <= 0.98


def test_holm_by_hand():
    # As in Holm (1979): .01 · 4, then .02 · 3, and no adjusted p below the one before it.
    found = holm([0.03, 0.01, 0.04, 0.02])
    assert found.adjusted == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert found.rejected.tolist() == [False, True, False, False]
    assert found.level == pytest.approx([1 - 0.05 / 3, 1 - 0.05 / 4, 1 - 0.05 / 3, 1 - 0.05 / 3])


def test_what_comes_after_the_first_that_fails_is_kept_though_its_own_step_would_reject():
    found = holm([0.03, 0.03])
    assert not found.rejected.any()
    assert found.level == pytest.approx([0.975, 0.975])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_a_hypothesis_is_rejected_exactly_where_its_interval_excludes_zero(p_values):
    found = holm(p_values)
    for p, adjusted, rejected, level in zip(p_values, found.adjusted, found.rejected, found.level, strict=True):
        assert rejected == (adjusted < 1 - 0.95)
        assert adjusted >= p
        if abs(p - (1 - level)) > 1e-12:  # an interval at this level excludes zero where p lies below 1 − level
            assert rejected == (p < 1 - level)


def test_holm_of_a_p_value_that_is_none_is_refused():
    with pytest.raises(NotComputableError, match="p_values"):
        holm([0.2, 1.2])
