"""Does a ranking by uplift find those whom a message moves? Qini, uplift at the top, and what acting on it earns.

The outcome of one person under both treatments is never seen, so these compare groups, and need randomised data.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from measures.arrays import Floats, binary, chances, codes, columns, sum_by
from measures.intervals import from_influence, newcombe, welch
from measures.outcome import NotComputable, NotComputableError, Outcome

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def qini_curve(y: ArrayLike, uplift: ArrayLike, treated: ArrayLike) -> tuple[Floats, Floats]:
    """Return how many are treated from the top down, and the extra outcomes that brings (Radcliffe 2007).

    At each distinct uplift: outcomes of the treated less those of the controls, scaled to as many. Starts at
    (0, 0). Equal uplifts share one point.
    """
    outcome, score, treatment = _randomised(y, uplift, treated)
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])
    treatment, outcome = treatment[order], outcome[order]
    reached = (last + 1).astype(np.float64)
    n_treated = np.cumsum(treatment)[last]
    of_treated, of_all = np.cumsum(outcome * treatment)[last], np.cumsum(outcome)[last]
    controls = reached - n_treated
    scale = np.divide(n_treated, controls, out=np.zeros_like(controls), where=controls > 0)
    return np.r_[0.0, reached], np.r_[0.0, of_treated - (of_all - of_treated) * scale]


def qini(y: ArrayLike, uplift: ArrayLike, treated: ArrayLike) -> float:
    """Return the area between Qini curve and random ranking, over that of a perfect ranking.

    scikit-uplift's ``qini_auc_score`` with ``negative_effect=True``: 0 for a random order, 1 for a perfect one,
    and not bounded below. ``y`` is 0/1.

    Raises:
        NotComputableError: where one arm is empty, or where no ranking could beat another.
    """
    (outcome,), (treatment,) = binary(y=y), binary(treated=treated)
    best_score = outcome * treatment - outcome * (1 - treatment)
    x, curve = qini_curve(outcome, uplift, treatment)
    x_best, best = qini_curve(outcome, best_score, treatment)
    diagonal = float(x_best[-1] * best[-1]) / 2
    room = float(np.trapezoid(best, x_best)) - diagonal
    if room <= 0:
        raise NotComputableError("no ranking can beat another here: the outcome does not vary")
    return float((np.trapezoid(curve, x) - diagonal) / room)


def uplift_at(
    y: ArrayLike, uplift: ArrayLike, treated: ArrayLike, *, share: float, level: float = 0.95
) -> Outcome:
    """Return mean outcome of treated less that of controls among the top ``share`` by uplift, with its interval.

    Newcombe's interval where outcomes are 0/1, Welch's otherwise. Equal uplifts keep the order of the data.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share {share} must lie in (0, 1]: 0.3 is the top 30%")
    try:
        outcome, score, treatment = _randomised(y, uplift, treated)
    except NotComputableError as error:
        return NotComputable(str(error))
    top = np.argsort(-score, kind="stable")[: math.ceil(share * score.size)]
    with_it, without = outcome[top][treatment[top] == 1], outcome[top][treatment[top] == 0]
    if not with_it.size or not without.size:
        return NotComputable(f"the top {share:.0%} hold {with_it.size} treated and {without.size} controls")
    if np.isin(outcome, (0.0, 1.0)).all():
        counts = float(with_it.sum()), float(without.sum())
        return newcombe(counts, (with_it.size, without.size), level=level)
    return welch(with_it, without, level=level)


def policy_value(
    reward: ArrayLike,
    taken: ArrayLike,
    wanted: ArrayLike,
    propensity: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> Outcome:
    """Return the mean reward had everybody got what the policy wants.

    The mean of 1{taken = wanted} · reward / propensity (Horvitz–Thompson).

    Args:
        reward: what came of the action taken.
        taken: the action taken, as any label.
        wanted: the action the policy wants.
        propensity: the probability with which the action taken was drawn.
        clusters: customers, where one has several decisions.
        level: of the interval.
    """
    try:
        (value,), (chance,) = columns(reward=reward), chances(propensity=propensity)
        columns(reward=value, propensity=chance)
        agrees = np.asarray(taken) == np.asarray(wanted)
        cluster, count = codes(clusters, value.size)
    except NotComputableError as error:
        return NotComputable(str(error))
    parts = np.where(agrees, value / chance, 0.0)
    estimate = float(parts.mean())
    return from_influence(estimate, sum_by(parts - estimate, cluster, count) * count / value.size, level=level)


def _randomised(y: ArrayLike, uplift: ArrayLike, treated: ArrayLike) -> tuple[Floats, Floats, Floats]:
    outcome, score, treatment = columns(y=y, uplift=uplift, treated=treated)
    binary(treated=treatment)
    if treatment.min() == treatment.max():
        raise NotComputableError("one arm is empty: uplift needs treated and controls")
    return outcome, score, treatment
