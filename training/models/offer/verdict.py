"""Does the effect differ between customers? Chosen and tested by cross-fitted policy value, or honestly denied.

A ranking is judged by what acting on it earns: the mean, over all budgets q, of the value of sending to the top
share q, less that of a random share q (the Qini area on doubly robust scores; Yadlowsky et al. 2021). Rankings
come from folds that saw none of the customers they rank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from decisions.scorers.base import FloatArray
from decisions.scorers.trees import raw_scores
from decisions.scorers.uplift import LEARNERS, LearnerName
from training.fitting import fold_of
from training.models.offer.learners import Trees, arms, effect_scores, expected, learn
from training.models.offer.randomised import Estimate, mean_by_customer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.models.offer.randomised import RandomisedSends

RESPONSE = "response"
_FOLDS = 5
_ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the randomised sends say.

    ``learner`` is the one chosen, or None: *no detectable heterogeneity*. ``ranking`` holds the Qini area of
    each learner and of the response model (everything per customer, in money); ``policy`` the value of sending
    to those with a positive effect under each learner; ``treat_all`` the mean effect. ``effects`` are the
    out-of-fold effects.
    """

    learner: LearnerName | None
    treat_all: Estimate
    ranking: Mapping[str, Estimate]
    policy: Mapping[str, Estimate]
    effects: Mapping[str, FloatArray]

    @property
    def words(self) -> str:
        """The verdict in a sentence."""
        low, high = self.treat_all.interval
        everyone = f"a send adds {self.treat_all.mean:.4g} on average (95%: {low:.4g} to {high:.4g})"
        if self.learner is None:
            return f"no detectable heterogeneity; {everyone}"
        best = self.ranking[self.learner]
        area = f"Qini area {best.mean:.3g} ± {1.96 * best.error:.2g}"
        return f"{self.learner}-learner ranks customers ({area}); {everyone}"


def judge(sends: RandomisedSends, *, trees: Trees, seed: int) -> Verdict:
    """Return which learner ranks customers best out of fold, or None where none surely ranks better than chance.

    The test is one-sided at 5% over all learners (Bonferroni), so that without heterogeneity at most one verdict
    in twenty claims it; as the learners agree much, it is fewer.
    """
    scores, effects = _crossfitted(sends, trees=trees, seed=seed)
    ranking = {name: qini_area(scores, effect, sends.groups) for name, effect in effects.items()}
    policy: dict[str, Estimate] = {
        name: mean_by_customer(scores * (effects[name] > 0), sends.groups) for name in LEARNERS
    }
    best = max(LEARNERS, key=lambda name: ranking[name].mean)
    return Verdict(
        learner=best if _surely(ranking[best]) else None,
        treat_all=mean_by_customer(scores, sends.groups),
        ranking=ranking,
        policy=policy,
        effects=effects,
    )


def qini_area(scores: FloatArray, ranks_by: FloatArray, groups: NDArray[np.int64]) -> Estimate:
    """Return the gain from ranking: the mean of ``scores`` times how far above the middle each row is ranked.

    Over budgets q uniform in (0, 1), a row at rank share r from the top is sent to with probability 1 − r; a
    random ranking gives 1/2. Ties share their middle rank. Scores are centred, so that the level of the effect,
    which no ranking changes, adds no noise.
    """
    place = (_middle_ranks(ranks_by) + 0.5) / len(ranks_by) - 0.5
    return mean_by_customer((scores - scores.mean()) * place, groups)


def _crossfitted(sends: RandomisedSends, *, trees: Trees, seed: int) -> tuple[FloatArray, dict[str, FloatArray]]:
    fold = fold_of(sends.groups, folds=_FOLDS, seed=seed)
    effects = {name: np.empty(len(fold)) for name in (*LEARNERS, RESPONSE)}
    nuisance = expected(sends, trees=trees, seed=seed)
    for number in range(_FOLDS):
        held = fold == number
        for name, effect in _ranked(sends.of(~held), sends.columns[held], trees, seed).items():
            effects[name][held] = effect
    return effect_scores(sends, nuisance), effects


def _ranked(train: RandomisedSends, columns: FloatArray, trees: Trees, seed: int) -> dict[str, FloatArray]:
    nuisance = expected(train, trees=trees, seed=seed)
    effects: dict[str, FloatArray] = {
        name: learn(name, train, nuisance, trees=trees, seed=seed).effect_of(columns) for name in LEARNERS
    }
    return {**effects, RESPONSE: raw_scores(arms(train, trees, seed)[1], columns)}


def _middle_ranks(values: FloatArray) -> FloatArray:
    _, place, size = np.unique(values, return_inverse=True, return_counts=True)
    first = np.r_[0, np.cumsum(size)[:-1]]
    return cast("FloatArray", (first + (size - 1) / 2)[place])


def _surely(estimate: Estimate) -> bool:
    from scipy.stats import norm  # noqa: PLC0415  # slow to import

    return estimate.mean > float(norm.isf(_ALPHA / len(LEARNERS))) * estimate.error
