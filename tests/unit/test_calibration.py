"""Calibration: against scikit-learn, by invariants, and that it undoes a known distortion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from measures import calibration, knots
from measures.knots import Knots
from measures.outcome import Interval, NotComputableError
from measures.proper import log_loss

samples = st.lists(st.tuples(st.integers(0, 20).map(lambda i: i / 20), st.integers(0, 1)), min_size=1, max_size=60)


@settings(deadline=None)
@given(samples)
def test_isotonic_knots_are_scikit_learns_steps_kept_off_the_ends(pairs):
    p, y = map(np.array, zip(*pairs, strict=True))
    margin = 0.5 / (len(p) + 1)
    oracle = IsotonicRegression(y_min=margin, y_max=1 - margin, out_of_bounds="clip").fit(p, y)
    grid = np.linspace(0, 1, 101)
    assert knots.apply(calibration.fit_isotonic(p, y), grid) == pytest.approx(oracle.predict(grid), abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(samples)
def test_calibration_never_reverses_an_order(pairs):
    p, y = map(np.array, zip(*pairs, strict=True))
    for fit in (calibration.fit_isotonic, calibration.fit_platt):
        mapped = knots.apply(fit(p, y), np.linspace(0, 1, 50))
        assert (np.diff(mapped) >= 0).all()
        assert 0 < mapped.min() <= mapped.max() < 1


@pytest.mark.parametrize("fit", [calibration.fit_isotonic, calibration.fit_platt])
def test_a_known_distortion_is_undone(fit):
    rng = np.random.default_rng(1)
    truth = rng.beta(2, 6, 20_000)
    y = (rng.random(20_000) < truth).astype(float)
    odds = (truth / (1 - truth)) ** 2 * 3
    distorted = odds / (1 + odds)
    mapped = knots.apply(fit(distorted, y), distorted)
    assert np.abs(mapped - truth).mean() < 0.012
    assert log_loss(y, mapped) < log_loss(y, distorted) - 0.03


def test_knots_that_interp_would_misread_are_refused():
    for x, y in (((0.1, 0.1), (0.2, 0.3)), ((0.1, 0.2), (0.3, 0.2)), ((), ()), ((0.1,), (0.1, 0.2))):
        with pytest.raises(ValueError, match="knots"):
            Knots(x, y)


def test_the_reliability_table_covers_everybody_once_and_ties_stay_together():
    rng = np.random.default_rng(2)
    p = rng.choice([0.1, 0.2, 0.6], 900)
    y = (rng.random(900) < p).astype(float)
    table = calibration.reliability(y, p, bins=10)
    assert [row.predicted for row in table] == pytest.approx([0.1, 0.2, 0.6])
    assert sum(row.n for row in table) == 900
    assert all(row.observed.low <= row.predicted <= row.observed.high for row in table)


def test_calibration_error_is_near_its_noise_when_right_and_large_when_wrong():
    rng = np.random.default_rng(3)
    p = rng.random(20_000)
    y = (rng.random(20_000) < p).astype(float)
    assert calibration.expected_calibration_error(y, p) < 0.015
    assert calibration.expected_calibration_error(y, p / 2) == pytest.approx(0.25, abs=0.01)
    found = calibration.calibration_interval(y[:2000], p[:2000] / 2, seed=1, reps=100)
    assert isinstance(found, Interval)
    assert found.low <= 0.25 <= found.high


def test_no_bins_are_refused():
    with pytest.raises(NotComputableError, match="bins"):
        calibration.reliability([0, 1], [0.2, 0.3], bins=0)
