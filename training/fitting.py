"""LightGBM, made to give the same trees for the same data and seed, and calibration as knots."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from decisions.scorers.base import FloatArray
from decisions.scorers.calibration import probability_of
from decisions.scorers.trees import raw_scores, threads_for
from measures.calibration import fit_isotonic, fit_platt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from measures.knots import Knots


ISOTONIC_FROM = 5000
"""From this many of the rarer class on isotonic regression; below, Platt's line overfits less (Niculescu-Mizil and
Caruana 2005), and does not tie customers whom the trees tell apart."""

FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Boosting:
    """What is chosen about a booster. The defaults are strongly regularised: the usual ones lose here."""

    leaves: int = 7
    rounds: int = 200
    learning_rate: float = 0.03
    min_child: int = 100
    l2: float = 20.0
    rows: float = 0.7
    columns: float = 0.5

    def parameters(self, *, seed: int, rising: Sequence[int] = ()) -> dict[str, Any]:
        """Return LightGBM's parameters; ``rising`` holds 1 per column whose effect may only rise, else 0."""
        chosen = {
            "objective": "binary",
            "num_leaves": self.leaves,
            "learning_rate": self.learning_rate,
            "min_child_samples": self.min_child,
            "reg_lambda": self.l2,
            "subsample": self.rows,
            "subsample_freq": 1,
            "colsample_bytree": self.columns,
            "seed": seed,
            "deterministic": True,
            "force_row_wise": True,  # the automatic choice depends on timing, and so would the sums' order
            "verbose": -1,
        }
        return chosen | ({"monotone_constraints": list(rising)} if rising else {})

    def as_parameters(self) -> dict[str, float | int]:
        """Return the choices as an MLflow run logs them."""
        return {f"boosting_{name}": value for name, value in asdict(self).items()}


CAREFUL = Boosting()
"""The defaults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What a binary booster learns from. ``offset`` are log-odds the trees start from and add to."""

    columns: FloatArray
    names: tuple[str, ...]
    labels: FloatArray
    groups: NDArray[np.int64]
    offset: FloatArray | None = None
    rising: tuple[int, ...] = ()

    def part(self, rows: NDArray[np.bool_]) -> Training:
        """Return the rows where ``rows`` is true."""
        offset = None if self.offset is None else self.offset[rows]
        return replace(
            self, columns=self.columns[rows], labels=self.labels[rows], groups=self.groups[rows], offset=offset
        )


def fit_booster(training: Training, boosting: Boosting, *, seed: int) -> str:
    """Return a fitted LightGBM model as text."""
    import lightgbm as lgb  # noqa: PLC0415  # seconds to import

    data = lgb.Dataset(
        training.columns, training.labels, init_score=training.offset, feature_name=list(training.names)
    )
    parameters = boosting.parameters(seed=seed, rising=training.rising)
    parameters["num_threads"] = threads_for(len(training.labels))
    return str(lgb.train(parameters, data, num_boost_round=boosting.rounds).model_to_string())


def odds_of(booster: str, training: Training) -> FloatArray:
    """Return the model's log-odds for the rows of ``training``, offset included, not yet calibrated."""
    offset = 0.0 if training.offset is None else training.offset
    return raw_scores(booster, training.columns) + offset


def cross_fit(training: Training, boosting: Boosting, *, seed: int, folds: int = FOLDS) -> FloatArray:
    """Return log-odds of every row from boosters that saw no row of its group, (n,)."""
    fold = fold_of(training.groups, folds=folds, seed=seed)
    odds = np.empty(len(training.labels))
    for number in range(folds):
        held = fold == number
        booster = fit_booster(training.part(~held), boosting, seed=seed)
        odds[held] = odds_of(booster, training.part(held))
    return odds


def fold_of(groups: NDArray[np.int64], *, folds: int, seed: int) -> NDArray[np.int64]:
    """Return each row's fold, the same for all rows of a group, (n,)."""
    names, position = np.unique(groups, return_inverse=True)
    shuffled = np.random.default_rng(seed).permutation(len(names)) % folds
    return np.asarray(shuffled[position])


def calibrate(odds: FloatArray, labels: FloatArray) -> Knots:
    """Return the calibration of out-of-fold log-odds, as knots over probabilities."""
    rarer = min(labels.sum(), len(labels) - labels.sum())
    fit = fit_isotonic if rarer >= ISOTONIC_FROM else fit_platt
    return fit(probability_of(odds), labels)
