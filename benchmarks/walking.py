"""Does a push make people walk? Off-policy values from a design that pushed with probability 0.6."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.answer import Row
from measures.bootstrap import interval
from measures.offpolicy import Log, dr, evaluate
from measures.outcome import Interval, NotComputableError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from decisions.scorers.base import FloatArray

PROPENSITY = 0.6
FOLDS = 5
PUBLISHED = {"steps_after_any_push": 1.14, "steps_after_the_first_pushes": 1.66}
"""Klasnja et al., 2019."""


def walked(table: pd.DataFrame) -> tuple[list[Row], dict[str, Any]]:
    """Return the effect beside a regression's, and each estimate beside the plain mean after a push."""
    moments = table[table["avail"] & table["send"].notna()]
    pushed = (moments["send"] == "True").to_numpy()
    steps = np.log(moments["jbsteps30_zero"].to_numpy(np.float64) + 0.5)
    before = np.log(moments["jbsteps30pre_zero"].to_numpy(np.float64) + 0.5)
    person = moments["user_index"].to_numpy(np.int64)
    foretold = np.column_stack([_foretold(steps, before, pushed, person, action) for action in (0.0, 1.0)])
    effect = interval(_effect, (steps, pushed, *foretold.T), clusters=person, seed=0, reps=400)
    about = {"better": "near 1", "case": "walking"}
    return [
        Row.beside(
            effect,
            theirs=_regression(steps, before, pushed, person),
            measure="steps, push ÷ none (DR)",
            yardstick="regression with people's levels",
            **about,
        ),
        *(
            Row.beside(
                each.value,
                theirs=float(steps[pushed].mean()),
                measure=f"log steps, always push ({each.estimator})",
                yardstick="mean after a push",
                **about,
            )
            for each in evaluate(_log(steps, pushed, *foretold.T, always=True, clusters=person))
        ),
    ], {"walking": {"moments": len(moments), "pushed": float(pushed.mean()), "published": PUBLISHED}}


def _log(
    steps: FloatArray,
    pushed: NDArray[Any],
    without: FloatArray,
    after: FloatArray,
    *,
    always: bool,
    clusters: NDArray[np.int64] | None = None,
) -> Log:
    """Return the log as one of "always push", or of "never"."""
    sent = pushed > 0
    return Log(
        reward=steps,
        propensity=np.where(sent, PROPENSITY, 1 - PROPENSITY),
        target=(sent == always).astype(np.float64),
        clusters=clusters,
        predicted=np.where(sent, after, without),
        predicted_policy=after if always else without,
    )


def _effect(steps: FloatArray, pushed: FloatArray, without: FloatArray, after: FloatArray) -> float:
    """Return how many times the steps (geometric mean) "always" makes of "never", doubly robust."""
    both = [dr(_log(steps, pushed, without, after, always=always)).value for always in (True, False)]
    if not all(isinstance(each, Interval) for each in both):
        raise NotComputableError("one of both policies has no value")
    always, never = (each.estimate for each in both if isinstance(each, Interval))
    return float(np.exp(always - never))


def _foretold(
    steps: FloatArray, before: FloatArray, pushed: NDArray[np.bool_], person: NDArray[np.int64], action: float
) -> FloatArray:
    """Return the steps foretold for ``action``: a line through the steps before, fitted on other people."""
    fold = person % FOLDS
    found = np.empty(len(steps))
    for held in range(FOLDS):
        rest = fold != held
        columns = np.column_stack([np.ones(rest.sum()), before[rest], pushed[rest]])
        line = np.linalg.lstsq(columns, steps[rest], rcond=None)[0]
        found[~rest] = line[0] + line[1] * before[~rest] + line[2] * action
    return found


def _regression(
    steps: FloatArray, before: FloatArray, pushed: NDArray[np.bool_], person: NDArray[np.int64]
) -> float:
    """Return the push's factor in a regression on the steps before, with a level for each person."""
    levels = (person[:, None] == np.unique(person)[None, :]).astype(np.float64)
    columns = np.column_stack([pushed, before, levels])
    return float(np.exp(np.linalg.lstsq(columns, steps, rcond=None)[0][0]))
