import numpy as np
import pytest

from decisions.scorers.calibration import calibrated, knots_as_json, knots_from_json, log_odds, probability_of
from training.fitting import Boosting, Training, calibrate, cross_fit, fit_booster, fold_of, odds_of
from training.tuning import best, searching, suggested, tuned

SMALL = Boosting(rounds=15, min_child=10)


def a_training(rows=400, seed=1, **changes):
    rng = np.random.default_rng(seed)
    columns = rng.standard_normal((rows, 3))
    labels = (rng.random(rows) < probability_of(1.5 * columns[:, 0] - 1)).astype(float)
    return Training(columns=columns, names=("a", "b", "c"), labels=labels, groups=np.arange(rows) // 4, **changes)


def test_the_same_data_and_seed_give_the_same_trees():
    assert fit_booster(a_training(), SMALL, seed=3) == fit_booster(a_training(), SMALL, seed=3)
    assert fit_booster(a_training(), SMALL, seed=3) != fit_booster(a_training(), SMALL, seed=4)


def test_folds_keep_groups_together_and_are_all_used():
    groups = np.repeat(np.arange(20), 3)
    fold = fold_of(groups, folds=5, seed=1)
    assert all(len(set(fold[groups == group])) == 1 for group in range(20))
    assert set(fold) == set(range(5))


def test_cross_fitted_odds_of_noise_know_nothing():
    training = a_training()
    noise = np.random.default_rng(9).integers(0, 2, len(training.labels)).astype(float)
    guessing = Training(columns=training.columns, names=training.names, labels=noise, groups=training.groups)
    odds = cross_fit(guessing, SMALL, seed=1)
    assert abs(np.corrcoef(odds, noise)[0, 1]) < 0.15


def test_an_effect_that_may_only_rise_only_rises():
    booster = fit_booster(a_training(rising=(1, 0, 0)), Boosting(rounds=60, min_child=5), seed=1)
    line = np.column_stack([np.linspace(-3, 3, 50), np.zeros(50), np.zeros(50)])
    probe = Training(columns=line, names=("a", "b", "c"), labels=np.zeros(50), groups=np.arange(50))
    assert np.all(np.diff(odds_of(booster, probe)) >= 0)


def test_trees_add_to_the_offset_they_started_from():
    training = a_training(offset=np.full(400, 0.7))
    booster = fit_booster(training, Boosting(rounds=1, min_child=390), seed=1)
    assert odds_of(booster, training) == pytest.approx(np.full(400, 0.7), abs=0.05)


def test_calibration_mends_exaggeration():
    rng = np.random.default_rng(2)
    truth = rng.standard_normal(4000)
    labels = (rng.random(4000) < probability_of(truth)).astype(float)
    knots = calibrate(3 * truth, labels)
    assert calibrated(knots, np.array([-6.0, 0.0, 6.0])) == pytest.approx(
        probability_of(np.array([-2, 0, 2])), abs=0.05
    )


def test_knots_survive_json():
    knots = calibrate(np.linspace(-3, 3, 200), (np.arange(200) > 90).astype(float))
    assert knots_from_json(knots_as_json(knots)) == knots


def test_log_odds_and_probabilities_are_inverse_and_finite():
    values = np.array([0.0, 1e-9, 0.3, 1.0])
    assert np.isfinite(log_odds(values)).all()
    assert probability_of(log_odds(values)) == pytest.approx(values, abs=1e-12)


def test_a_search_is_seeded_and_never_worse_than_its_start():
    training = a_training()
    found = tuned(training, SMALL, trials=2, seed=5)
    assert tuned(training, SMALL, trials=2, seed=5) == found
    assert tuned(training, SMALL, trials=0, seed=5) == SMALL


def test_the_start_wins_against_worse_suggestions():
    start = Boosting(rounds=1)
    found = best(
        lambda _trial: Boosting(rounds=2), lambda settings: float(settings.rounds), start=start, trials=2, seed=1
    )
    assert found == start


def test_an_interrupted_search_goes_on_where_it_was_and_a_done_one_is_not_done_again(tmp_path):
    tried = []

    def loss(settings):
        tried.append(settings)
        if len(tried) == 4:
            raise KeyboardInterrupt
        return settings.learning_rate

    def search():
        with searching(tmp_path / "tuning.db", lambda what, done, total: said.append((done, total))):
            return best(suggested, loss, start=SMALL, trials=5, seed=3, name="search")

    said = []
    with pytest.raises(KeyboardInterrupt):
        search()
    said.clear()
    found = search()
    assert said == [(2, 5), (3, 5), (4, 5), (5, 5)]
    assert len(tried) == 4 + 1 + 3  # the start's loss is asked again, the two kept trials are not
    again = search()
    assert again == found
    assert len(tried) == 4 + 1 + 3 + 1
