"""The population stability index against what is known of it."""

import numpy as np
import pytest

from measures.drift import LARGE, MODERATE, stability_index

RNG = np.random.default_rng(7)
STILL = RNG.normal(size=4000)


def test_two_samples_of_one_distribution_are_stable():
    assert stability_index(STILL, RNG.normal(size=4000)) < MODERATE


def test_a_shift_by_one_standard_deviation_is_large():
    assert stability_index(STILL, RNG.normal(loc=1.0, size=4000)) > LARGE


def test_the_index_of_a_sample_with_itself_is_zero():
    assert stability_index(STILL, STILL) == pytest.approx(0.0)


def test_a_feature_that_stops_being_computed_is_drift():
    gone = STILL.copy()
    gone[::2] = np.nan
    assert stability_index(STILL, gone) > LARGE


def test_a_constant_that_stays_constant_is_stable():
    assert stability_index(np.zeros(100), np.zeros(100)) == pytest.approx(0.0)


def test_no_sample_gives_no_number():
    assert stability_index([], STILL) is None
    assert stability_index(STILL, []) is None


def test_it_matches_the_textbook_sum_over_two_bins():
    before, after = np.array([0.0] * 50 + [1.0] * 50), np.array([0.0] * 20 + [1.0] * 80)
    share = lambda n: (n + 0.5) / 101.5  # three bins, the third for what is missing  # noqa: E731
    expected = sum(
        (share(new) - share(old)) * np.log(share(new) / share(old)) for old, new in ((50, 20), (50, 80), (0, 0))
    )
    assert stability_index(before, after) == pytest.approx(expected)
