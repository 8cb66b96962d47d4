"""S-, T-, X- and DR-learners on LightGBM: four ways to an effect that differs between customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from decisions.scorers.base import FloatArray
from decisions.scorers.trees import raw_scores, threads_for
from decisions.scorers.uplift import TREATED, Learned
from training.fitting import fold_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from decisions.scorers.uplift import LearnerName
    from training.models.offer.randomised import RandomisedSends

_INNER_FOLDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """How the regressions are grown: small and slow, for effects are an order smaller than outcomes."""

    leaves: int = 6
    rounds: int = 60
    learning_rate: float = 0.05
    min_child: int = 200
    l2: float = 10.0

    def fit(self, columns: FloatArray, outcome: FloatArray, names: tuple[str, ...], *, seed: int) -> str:
        """Return a regression of ``outcome`` (squared loss) as a LightGBM model's text."""
        import lightgbm as lgb  # noqa: PLC0415  # seconds to import

        # A leaf must not be smaller than a twentieth of the data allows, or small samples grow stumps only.
        least = max(10, min(self.min_child, len(outcome) // 20))
        parameters = {
            "objective": "regression",
            "num_leaves": self.leaves,
            "learning_rate": self.learning_rate,
            "min_child_samples": least,
            "reg_lambda": self.l2,
            "seed": seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": threads_for(len(outcome)),
            "verbose": -1,
        }
        data = lgb.Dataset(columns, outcome, feature_name=list(names))
        return str(lgb.train(parameters, data, num_boost_round=self.rounds).model_to_string())


@dataclass(frozen=True, slots=True, kw_only=True)
class Nuisance:
    """Expected margin without (``hold``) and with (``send``) a message, (n,), cross-fitted by customer."""

    hold: FloatArray
    send: FloatArray


def learn(name: LearnerName, sends: RandomisedSends, nuisance: Nuisance, *, trees: Trees, seed: int) -> Learned:
    """Return the learner called ``name``, fitted on ``sends`` with their out-of-fold ``nuisance``."""
    boosters = _LEARNERS[name](sends, nuisance, trees, seed)
    return Learned(learner=name, features=sends.names, boosters=boosters, share=float(sends.treated.mean()))


def expected(sends: RandomisedSends, *, trees: Trees, seed: int) -> Nuisance:
    """Return both expected margins of every row, cross-fitted by customer."""
    fold = fold_of(sends.groups, folds=_INNER_FOLDS, seed=seed)
    hold, send = np.empty(len(fold)), np.empty(len(fold))
    for number in range(_INNER_FOLDS):
        held = fold == number
        without, with_message = arms(sends.of(~held), trees, seed)
        hold[held] = raw_scores(without, sends.columns[held])
        send[held] = raw_scores(with_message, sends.columns[held])
    return Nuisance(hold=hold, send=send)


def effect_scores(sends: RandomisedSends, nuisance: Nuisance) -> FloatArray:
    """Return doubly robust scores: their mean over a group is the group's effect (Robins et al. 1994)."""
    residual = np.where(
        sends.treated,
        (sends.margin - nuisance.send) / sends.propensity,
        -(sends.margin - nuisance.hold) / (1 - sends.propensity),
    )
    return nuisance.send - nuisance.hold + residual


def arms(sends: RandomisedSends, trees: Trees, seed: int) -> tuple[str, str]:
    """Return regressions of the margin among (holds, sends)."""
    return tuple(  # type: ignore[return-value]  # two arms
        trees.fit(sends.columns[arm], sends.margin[arm], sends.names, seed=seed)
        for arm in (~sends.treated, sends.treated)
    )


def _s(sends: RandomisedSends, _nuisance: Nuisance, trees: Trees, seed: int) -> tuple[str, ...]:
    columns = np.column_stack([sends.columns, sends.treated])
    return (trees.fit(columns, sends.margin, (*sends.names, TREATED), seed=seed),)


def _t(sends: RandomisedSends, _nuisance: Nuisance, trees: Trees, seed: int) -> tuple[str, ...]:
    return arms(sends, trees, seed)


def _x(sends: RandomisedSends, nuisance: Nuisance, trees: Trees, seed: int) -> tuple[str, ...]:
    gained = np.where(sends.treated, sends.margin - nuisance.hold, nuisance.send - sends.margin)
    return tuple(
        trees.fit(sends.columns[arm], gained[arm], sends.names, seed=seed)
        for arm in (~sends.treated, sends.treated)
    )


def _dr(sends: RandomisedSends, nuisance: Nuisance, trees: Trees, seed: int) -> tuple[str, ...]:
    return (trees.fit(sends.columns, effect_scores(sends, nuisance), sends.names, seed=seed),)


_LEARNERS: dict[LearnerName, Callable[[RandomisedSends, Nuisance, Any, int], tuple[str, ...]]] = {
    "S": _s,
    "T": _t,
    "X": _x,
    "DR": _dr,
}
