import numpy as np
import pytest

from measures.outcome import NotComputableError
from measures.proper import log_loss
from measures.ranking import auc
from training.gates import CHAMPION, judge
from training.models import Backtest, mean_score

RNG = np.random.default_rng(5)
TRUTH = (RNG.random(600) < 0.3).astype(float)
GOOD = np.clip(0.3 + 0.25 * (TRUTH - 0.3) + 0.05 * RNG.standard_normal(600), 0.01, 0.99)
POOR = np.clip(0.3 + 0.02 * (TRUTH - 0.3) + 0.05 * RNG.standard_normal(600), 0.01, 0.99)


def backtest(model, *, metric="auc", **changes):
    settings = {
        "metric": metric,
        "direction": "higher" if metric == "auc" else "lower",
        "statistic": auc if metric == "auc" else log_loss,
        "truth": TRUTH,
        "scores": {"model": model, "base": POOR},
        "clusters": np.arange(600) // 2,
        "model": "model",
        "baseline": "base",
    }
    return Backtest(**(settings | changes))


@pytest.mark.parametrize("metric", ["auc", "log_loss"])
def test_a_better_model_passes_and_its_interval_lies_above_zero_whatever_the_direction(metric):
    verdict = judge(backtest(GOOD, metric=metric), seed=1)
    assert verdict.passed
    assert verdict.interval[0] > 0
    assert "better than base" in verdict.reason


@pytest.mark.parametrize("metric", ["auc", "log_loss"])
def test_a_worse_model_does_not_pass(metric):
    scores = {"model": POOR, "base": GOOD}
    verdict = judge(backtest(None, metric=metric, scores=scores), seed=1)
    assert not verdict.passed
    assert verdict.interval[1] < 0
    assert "worse than base" in verdict.reason


def test_the_baseline_itself_does_not_pass():
    verdict = judge(backtest(POOR), seed=1)
    assert not verdict.passed
    assert verdict.interval == (0.0, 0.0)


def test_counts_shrunk_to_the_baseline_decide_unless_shown_worse():
    same = {"model": POOR, "base": POOR, CHAMPION: POOR}
    assert judge(backtest(None, scores=same, shrunk=True), seed=1).passed
    worse = judge(backtest(None, scores={"model": POOR, "base": GOOD}, shrunk=True), seed=1)
    assert not worse.passed


def test_a_champion_of_fewer_counts_bars_no_way_and_the_reason_says_how_it_stands():
    scores = {"model": POOR, "base": POOR, CHAMPION: GOOD}
    behind = judge(backtest(None, scores=scores, shrunk=True), seed=1)
    assert behind.passed
    assert "worse than champion" in behind.reason


def test_a_champion_that_is_as_good_stays():
    scores = {"model": GOOD, "base": POOR, CHAMPION: GOOD}
    verdict = judge(backtest(None, scores=scores), seed=1)
    assert not verdict.passed
    assert "not clearly better than champion" in verdict.reason
    assert verdict.interval[0] > 0
    assert verdict.others == {CHAMPION: pytest.approx(verdict.value)}


def test_a_tie_with_a_rival_does_not_bar_the_way_and_the_reason_says_so():
    scores = {"model": GOOD, "base": POOR, "rival": GOOD}
    verdict = judge(backtest(None, scores=scores, also_beat=("rival",)), seed=1)
    assert verdict.passed
    assert "not clearly better than rival" in verdict.reason


def test_a_rival_that_is_clearly_better_bars_the_way():
    middling = (GOOD + 6 * POOR) / 7
    assert judge(backtest(middling), seed=1).passed
    scores = {"model": middling, "base": POOR, "rival": GOOD}
    verdict = judge(backtest(None, scores=scores, also_beat=("rival",)), seed=1)
    assert not verdict.passed
    assert "worse than rival" in verdict.reason


def test_one_customer_alone_proves_nothing():
    verdict = judge(backtest(GOOD, clusters=np.zeros(600, dtype=int)), seed=1)
    assert not verdict.passed
    assert verdict.interval is None
    assert "cannot be compared" in verdict.reason


def test_customers_are_resampled_whole():
    alone = judge(backtest(GOOD, clusters=np.arange(600)), seed=1).interval
    doubled = {name: np.repeat(score, 4) for name, score in {"model": GOOD, "base": POOR}.items()}
    together = judge(
        backtest(None, truth=np.repeat(TRUTH, 4), scores=doubled, clusters=np.repeat(np.arange(600), 4)), seed=1
    ).interval
    assert together == pytest.approx(alone)


def test_the_caveat_is_said():
    assert judge(backtest(GOOD), seed=1, caveat="prediction gate only").reason.endswith("prediction gate only")


def test_a_metric_that_cannot_be_computed_is_no_number():
    with pytest.raises(NotComputableError):
        judge(backtest(GOOD, truth=np.zeros(600)), seed=1)


def test_per_unit_values_are_judged_by_their_mean():
    verdict = judge(backtest(GOOD, statistic=mean_score, truth=np.zeros(600)), seed=1)
    assert verdict.value == pytest.approx(GOOD.mean())
