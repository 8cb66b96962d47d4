"""Does the effect differ between customers? Chosen and tested by cross-fitted policy value, or honestly denied.

A ranking is judged by what acting on it earns: the mean, over all budgets q, of the value of sending to the top
share q, less that of a random share q (the Qini area on doubly robust scores; Yadlowsky et al. 2021). Rankings
come from folds that saw none of the customers they rank. One cut into folds is an accident that can turn the
verdict over, so there are several: what a row contributes to an area is its mean over the cuts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi, sqrt
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from decisions.scorers.base import FloatArray
from decisions.scorers.trees import raw_scores
from decisions.scorers.uplift import LEARNERS, LearnerName
from measures.estimate import Estimate
from measures.multiplicity import largest
from training.fitting import fold_of
from training.models.offer.learners import Trees, effect_scores, expected, learn
from training.models.offer.randomised import mean_by_customer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from training.models.offer.randomised import RandomisedSends

Answer = Literal["ranks customers", "nothing", "cannot tell"]

RESPONSE = "response"
CUTS = 5
"""How often customers are cut into folds."""
ALPHA = 0.05
"""How often a verdict may claim a ranking where customers do not differ."""
FOUND = 0.8
"""The power at which a gain counts as one that would be found."""
NOTABLE = 1 / 3
"""Effects whose standard deviation is this share of their mean differ enough to be worth a ranking."""
_FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the randomised sends say.

    ``learner`` is the one chosen, or None: *no detectable heterogeneity*. ``ranking`` holds the Qini area of
    each learner and of the response model (everything per customer, in money); ``policy`` the value of sending
    to those with a positive effect under each learner; ``treat_all`` the mean effect. ``effects`` are the
    out-of-fold effects of the first cut. ``p_value`` is of the claim that some learner ranks customers, over all
    cuts. ``stated`` is the area at which ``power`` is told, ``findable`` the one that is found four times in five.
    """

    learner: LearnerName | None
    treat_all: Estimate
    ranking: Mapping[str, Estimate]
    policy: Mapping[str, Estimate]
    effects: Mapping[str, FloatArray]
    p_value: float
    stated: float
    power: float
    findable: float

    @property
    def answer(self) -> Answer:
        """Whether customers can be ranked, cannot by as much as is ``stated``, or cannot be told from so few."""
        if self.learner is not None:
            return "ranks customers"
        most = max(self.ranking[name].interval[1] for name in LEARNERS)
        return "nothing" if most < self.stated else "cannot tell"

    @property
    def words(self) -> str:
        """The verdict in a sentence, with its size and its power."""
        low, high = self.treat_all.interval
        everyone = f"a send adds {self.treat_all.mean:.4g} on average (95%: {low:.4g} to {high:.4g})"
        told = f"p = {self.p_value:.2g}; power {self.power:.0%} at a gain of {self.stated:.2g}"
        if self.learner is not None:
            best = self.ranking[self.learner]
            area = f"Qini area {best.mean:.3g} ± {1.96 * best.error:.2g}"
            return f"{self.learner}-learner ranks customers ({area}, {told}); {everyone}"
        excluded = "nothing as large can be" if self.answer == "nothing" else "more data may tell"
        return f"no detectable heterogeneity ({told}: {excluded}); {everyone}"


def judge(
    sends: RandomisedSends, *, trees: Trees, seed: int, cuts: int = CUTS, stated: float | None = None
) -> Verdict:
    """Return which learner ranks customers best out of fold, or None where none surely ranks better than chance.

    One-sided at 5% over all learners together (the largest of correlated normal values), so that without
    heterogeneity one verdict in twenty claims it. ``stated`` is the gain of a ranking (Qini area) that power is
    told of; by default that of a perfect one where effects are normal and differ by a third of their mean
    (:data:`NOTABLE`): a perfect ranking of effects with standard deviation s gains s / 2√π.
    """
    cut = [_crossfitted(sends, trees=trees, seed=seed + number) for number in range(cuts)]
    gained = {name: _over(cut, _areas, name) for name in cut[0].effects}
    ranking = {name: mean_by_customer(rows, sends.groups) for name, rows in gained.items()}
    best = max(LEARNERS, key=lambda name: ranking[name].mean)
    p_value = _p_value(ranking, {name: gained[name] for name in LEARNERS}, sends.groups)
    treat_all = mean_by_customer(np.mean([each.scores for each in cut], axis=0), sends.groups)
    size = NOTABLE * abs(treat_all.mean) / (2 * sqrt(pi)) if stated is None else stated
    error = ranking[best].error
    return Verdict(
        learner=best if p_value < ALPHA else None,
        treat_all=treat_all,
        ranking=ranking,
        policy={name: mean_by_customer(_over(cut, _acted, name), sends.groups) for name in LEARNERS},
        effects=cut[0].effects,
        p_value=p_value,
        stated=size,
        power=_power(size, error),
        findable=_findable(error),
    )


def qini_area(scores: FloatArray, ranks_by: FloatArray, groups: NDArray[np.int64]) -> Estimate:
    """Return the gain from ranking: the mean of ``scores`` times how far above the middle each row is ranked.

    Over budgets q uniform in (0, 1), a row at rank share r from the top is sent to with probability 1 − r; a
    random ranking gives 1/2. Ties share their middle rank. Scores are centred, so that the level of the effect,
    which no ranking changes, adds no noise.
    """
    return mean_by_customer(_gained(scores, ranks_by), groups)


def _gained(scores: FloatArray, ranks_by: FloatArray) -> FloatArray:
    """Return what each row adds to the mean that is the area."""
    place = (_middle_ranks(ranks_by) + 0.5) / len(ranks_by) - 0.5
    gained: FloatArray = (scores - scores.mean()) * place
    return gained


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """One cut into folds: doubly robust ``scores``, and the out-of-fold ``effects`` of each learner."""

    scores: FloatArray
    effects: Mapping[str, FloatArray]


def _crossfitted(sends: RandomisedSends, *, trees: Trees, seed: int) -> _Cut:
    fold = fold_of(sends.groups, folds=_FOLDS, seed=seed)
    effects = {name: np.empty(len(fold)) for name in (*LEARNERS, RESPONSE)}
    nuisance = expected(sends, trees=trees, seed=seed)
    for number in range(_FOLDS):
        held = fold == number
        for name, effect in _ranked(sends.of(~held), sends.columns[held], trees, seed).items():
            effects[name][held] = effect
    return _Cut(scores=effect_scores(sends, nuisance), effects=effects)


def _ranked(train: RandomisedSends, columns: FloatArray, trees: Trees, seed: int) -> dict[str, FloatArray]:
    nuisance = expected(train, trees=trees, seed=seed)
    learned = {name: learn(name, train, nuisance, trees=trees, seed=seed) for name in LEARNERS}
    effects: dict[str, FloatArray] = {name: each.effect_of(columns) for name, each in learned.items()}
    # Who responds after a message is one of the two regressions of the T-learner.
    return {**effects, RESPONSE: raw_scores(learned["T"].boosters[1], columns)}


def _areas(cut: _Cut, name: str) -> FloatArray:
    return _gained(cut.scores, cut.effects[name])


def _acted(cut: _Cut, name: str) -> FloatArray:
    acted: FloatArray = cut.scores * (cut.effects[name] > 0)
    return acted


def _over(cuts: Sequence[_Cut], of: Callable[[_Cut, str], FloatArray], name: str) -> FloatArray:
    """Return the mean over the cuts of what each row adds by the learner called ``name``."""
    return cast("FloatArray", np.mean([of(cut, name) for cut in cuts], axis=0))


def _middle_ranks(values: FloatArray) -> FloatArray:
    _, place, size = np.unique(values, return_inverse=True, return_counts=True)
    first = np.r_[0, np.cumsum(size)[:-1]]
    return cast("FloatArray", (first + (size - 1) / 2)[place])


def _p_value(
    ranking: Mapping[str, Estimate], gained: Mapping[LearnerName, FloatArray], groups: NDArray[np.int64]
) -> float:
    """Return P(a learner's area as far above nought as the farthest, were all of them nought)."""
    telling = [name for name in gained if ranking[name].error > 0]
    if not telling:
        return 1.0
    _, place = np.unique(groups, return_inverse=True)
    sums = [np.bincount(place, gained[name] - gained[name].mean()) for name in telling]
    correlation = np.atleast_2d(np.corrcoef(np.stack(sums)))
    return largest([ranking[name].mean / ranking[name].error for name in telling], correlation)


def _power(size: float, error: float) -> float:
    """Return how often a gain of ``size`` with such an error is found at :data:`ALPHA`, one-sided."""
    from scipy.stats import norm  # noqa: PLC0415  # slow to import

    return 0.0 if error == 0 else float(norm.sf(norm.isf(ALPHA) - size / error))


def _findable(error: float) -> float:
    from scipy.stats import norm  # noqa: PLC0415  # slow to import

    return float(norm.isf(ALPHA) + norm.ppf(FOUND)) * error
