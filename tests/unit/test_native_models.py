"""LightGBM asked without its Python package says what the package says, to the last bit."""

import lightgbm as lgb
import numpy as np
import pytest
from scipy.special import expit, logit

from decisions.scorers.calibration import log_odds, probability_of
from decisions.scorers.native import Model
from tests.worlds.scorers import NAMES, a_booster, a_frame

TEXT = a_booster(a_frame())


@pytest.fixture(scope="module")
def columns():
    drawn = np.random.default_rng(3).normal(20, 30, (500, len(NAMES)))
    drawn[::7, 0] = np.nan
    return drawn


@pytest.mark.parametrize("threads", [0, 1])
def test_scores_are_the_packages_own(columns, threads):
    theirs = lgb.Booster(model_str=TEXT).predict(columns, raw_score=True)
    assert np.array_equal(Model(TEXT).raw_scores(columns, threads=threads), theirs)
    assert np.array_equal(Model(TEXT).raw_scores(np.asfortranarray(columns), threads=threads), theirs)


def test_columns_are_the_packages_own():
    assert Model(TEXT).features == tuple(lgb.Booster(model_str=TEXT).feature_name()) == NAMES


@pytest.mark.parametrize("text", ["", "no model"])
def test_what_is_no_model_is_refused(text):
    with pytest.raises(ValueError, match="LightGBM"):
        Model(text)


def test_rows_of_another_width_are_refused():
    with pytest.raises(ValueError, match="LightGBM"):
        Model(TEXT).raw_scores(np.zeros((3, len(NAMES) + 1)), threads=1)


def test_a_model_of_several_scores_a_row_is_refused():
    rows, labels = np.random.default_rng(1).normal(size=(90, 2)), np.arange(90) % 3
    several = lgb.train(
        {"objective": "multiclass", "num_class": 3, "verbose": -1}, lgb.Dataset(rows, labels), num_boost_round=2
    )
    with pytest.raises(ValueError, match="3 scores a row"):
        Model(several.model_to_string())


def test_log_odds_and_probabilities_are_scipys():
    odds = np.concatenate([np.linspace(-40, 40, 4001), [-800.0, 800.0, 0.0]])
    np.testing.assert_allclose(probability_of(odds), expit(odds), rtol=1e-14)
    shares = np.linspace(0.001, 0.999, 999)
    np.testing.assert_allclose(log_odds(shares), logit(shares), rtol=1e-12, atol=1e-14)
    assert log_odds(np.array([0.0, 1.0])).tolist() == [-35.0, 35.0]
