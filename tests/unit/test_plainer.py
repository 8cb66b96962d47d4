"""Until something beats it, the measured rate decides: version nought of each model."""

from __future__ import annotations

import numpy as np
import pytest

from measures.proper import log_loss
from training.gates import CHAMPION, judge, plainer
from training.models import Backtest

RNG = np.random.default_rng(7)
CHANCE = RNG.choice([0.05, 0.5], 800)
TRUTH = (RNG.random(800) < CHANCE).astype(float)
RATE = np.full(800, TRUTH.mean())
NOISE = np.clip(RATE + RNG.normal(0, 0.15, 800), 0.01, 0.99)


def backtest(**scores):
    return Backtest(
        metric="log_loss",
        direction="lower",
        statistic=log_loss,
        truth=TRUTH,
        scores={"model": NOISE, "rate": RATE, **scores},
        clusters=np.arange(800),
        model="model",
        baseline="rate",
    )


def test_where_the_model_loses_to_the_measured_rate_the_rate_decides():
    assert not judge(backtest(), seed=1, simpler=("rate",)).passed
    assert plainer(backtest(), ("rate",), seed=1) == "rate"


def test_a_plainer_scorer_that_is_clearly_better_than_the_rate_decides():
    assert plainer(backtest(own=CHANCE), ("rate", "own"), seed=1) == "own"


def test_a_tie_keeps_the_plainest():
    assert plainer(backtest(own=RATE), ("rate", "own"), seed=1) == "rate"


def test_a_model_that_ties_with_a_plainer_one_does_not_pass():
    tied = backtest(model=CHANCE, own=CHANCE)
    assert judge(tied, seed=1).passed
    assert not judge(tied, seed=1, simpler=("rate", "own")).passed


@pytest.mark.parametrize(("champion", "decides"), [(CHANCE, None), (RATE, None), (NOISE, "rate")])
def test_a_champion_stays_unless_the_rate_is_clearly_better(champion, decides):
    assert plainer(backtest(**{CHAMPION: champion}), ("rate",), seed=1) == decides


def test_what_is_declared_stays_where_it_is_clearly_better():
    assert plainer(backtest(declared=CHANCE), ("rate",), seed=1) is None
    assert plainer(backtest(declared=np.full(800, 0.03)), ("rate",), seed=1) == "rate"


def test_without_a_plainer_scorer_nothing_takes_the_place():
    assert plainer(backtest(), (), seed=1) is None
