"""AUC, average precision and proper scores against independent formulas."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from measures import proper
from measures.outcome import NotComputableError
from measures.ranking import auc, average_precision

outcomes = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=2, max_size=40).filter(
    lambda pairs: len({y for y, _ in pairs}) == 2
)


def brute_auc(y, score):
    pairs = [
        (p > n) + (p == n) / 2
        for p, a in zip(score, y, strict=True)
        if a
        for n, b in zip(score, y, strict=True)
        if not b
    ]
    return sum(pairs) / len(pairs)


@settings(deadline=None)
@given(outcomes)
def test_auc_counts_pairs_with_ties_as_half(pairs):
    y, score = zip(*pairs, strict=True)
    assert auc(y, score) == pytest.approx(brute_auc(score=score, y=y))
    assert auc(y, score) == pytest.approx(roc_auc_score(y, score))


@settings(deadline=None)
@given(outcomes)
def test_average_precision_is_the_one_of_scikit_learn(pairs):
    y, score = zip(*pairs, strict=True)
    assert average_precision(y, score) == pytest.approx(average_precision_score(y, score))


@settings(deadline=None)
@given(outcomes, st.randoms(use_true_random=False))
def test_weights_mean_how_often_a_unit_was_drawn(pairs, random):
    y, score = map(np.array, zip(*pairs, strict=True))
    times = np.array([random.randint(1, 3) for _ in pairs])
    for measure in (auc, average_precision):
        again = measure(np.repeat(y, times), np.repeat(score, times))
        assert measure.prepared(y, score)(times.astype(float)) == pytest.approx(again)


@settings(deadline=None)
@given(outcomes)
def test_auc_turns_over_with_the_score_and_keeps_under_monotone_maps(pairs):
    y, score = map(np.array, zip(*pairs, strict=True))
    assert auc(y, -score) == pytest.approx(1 - auc(y, score))
    assert auc(y, np.exp(score)) == pytest.approx(auc(y, score))


def test_one_class_has_no_auc_and_no_number_stands_in_for_it():
    with pytest.raises(NotComputableError, match="both outcomes"):
        auc([1, 1], [0.2, 0.3])
    with pytest.raises(NotComputableError, match="positive"):
        average_precision([0, 0], [0.2, 0.3])


def test_proper_scores_agree_with_scikit_learn():
    rng = np.random.default_rng(1)
    y, p = rng.integers(0, 2, 500), rng.random(500)
    assert proper.log_loss(y, p) == pytest.approx(log_loss(y, p))
    assert proper.brier(y, p) == pytest.approx(brier_score_loss(y, p))
    assert proper.log_loss_units(y, p).mean() == pytest.approx(proper.log_loss(y, p))


def test_a_wrong_certainty_costs_much_but_not_infinity():
    assert proper.log_loss([1], [0.0]) == pytest.approx(34.5, abs=0.1)


@settings(deadline=None)
@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_a_proper_score_is_best_at_the_truth(truth, said):
    for units in (proper.log_loss_units, proper.brier_units):
        expected = truth * units([1], [said])[0] + (1 - truth) * units([0], [said])[0]
        honest = truth * units([1], [truth])[0] + (1 - truth) * units([0], [truth])[0]
        assert honest <= expected + 1e-12


@pytest.mark.parametrize(
    ("y", "p", "message"),
    [
        ([0, 2], [0.1, 0.2], "y must hold 0 and 1"),
        ([0, 1], [0.1, 1.2], r"p must lie in \[0, 1\]"),
        ([0, 1], [0.1, np.nan], "p holds 1 values"),
        ([0, 1], [0.1], "p has shape"),
        ([], [], "empty"),
    ],
)
def test_what_cannot_be_read_is_named(y, p, message):
    with pytest.raises(NotComputableError, match=message):
        proper.log_loss(y, p)
