import numpy as np
import pytest

from training.bgnbd import BgNbd, History

TRUTH = BgNbd(r=0.8, alpha=12.0, a=0.9, b=3.0)


def simulate(truth: BgNbd, *, customers: int, observed: float, ahead: float, seed: int):
    """Draw histories from the model's own story; also whether the time ahead stayed silent."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(truth.r, 1 / truth.alpha, customers)
    leave = rng.beta(truth.a, truth.b, customers)
    repeats, last, silent = np.zeros(customers), np.zeros(customers), np.ones(customers, dtype=bool)
    for i in range(customers):
        at = 0.0
        while True:
            at += rng.exponential(1 / rate[i])
            if at > observed + ahead:
                break
            if at > observed:
                silent[i] = False
                break
            repeats[i], last[i] = repeats[i] + 1, at
            if rng.random() < leave[i]:
                break
    return History(repeats, last, np.full(customers, observed)), silent


def test_the_parameters_behind_simulated_buyers_are_recovered():
    history, _ = simulate(TRUTH, customers=8000, observed=200.0, ahead=0.0, seed=3)
    found = BgNbd.fit(history)
    assert found.r == pytest.approx(TRUTH.r, rel=0.15)
    assert found.alpha == pytest.approx(TRUTH.alpha, rel=0.2)
    assert found.a / (found.a + found.b) == pytest.approx(TRUTH.a / (TRUTH.a + TRUTH.b), rel=0.15)
    assert found.log_likelihood(history) >= TRUTH.log_likelihood(history)


def test_the_probability_of_silence_is_what_happens_in_simulation():
    history, silent = simulate(TRUTH, customers=8000, observed=100.0, ahead=50.0, seed=4)
    said = TRUTH.silence(history, 50.0)
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.01)):
        inside = (said >= low) & (said < high)
        deviation = 4 * np.sqrt(0.25 / inside.sum())
        assert abs(said[inside].mean() - silent[inside].mean()) < deviation


def test_silence_is_certain_at_no_time_and_only_grows_rarer_with_time():
    history = History(np.array([0.0, 4.0]), np.array([0.0, 90.0]), np.array([100.0, 100.0]))
    said = [TRUTH.silence(history, days) for days in (0.0, 10.0, 100.0)]
    assert said[0] == pytest.approx([1.0, 1.0])
    assert np.all(said[0] > said[1])
    assert np.all(said[1] > said[2])


def test_who_bought_often_and_then_stopped_is_likely_gone():
    history = History(np.array([10.0, 10.0]), np.array([98.0, 40.0]), np.array([100.0, 100.0]))
    fresh, stale = TRUTH.silence(history, 30.0)
    assert stale > fresh


def test_a_history_that_cannot_have_happened_is_refused():
    with pytest.raises(ValueError, match="1 customers"):
        History(np.array([1.0, 1.0]), np.array([5.0, 11.0]), np.array([10.0, 10.0]))
