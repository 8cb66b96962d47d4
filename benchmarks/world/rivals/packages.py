"""Two well-known bandit packages, set up as their own introductions do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.world.rivals.bandit import ARMS, HOLD
from benchmarks.world.rivals.facts import chance as drawn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from benchmarks.world.rivals.features import Lessons

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_SILENCES = 4
"""One lesson in so many also teaches that silence pays nothing."""


class MabWiser:
    """MABWiser's LinUCB, with its defaults (alpha 1, ridge 1)."""

    def __init__(self, seed: int) -> None:
        from mabwiser.mab import MAB, LearningPolicy  # noqa: PLC0415 - only this rival needs it

        self._bandit = MAB(list(range(ARMS + 1)), LearningPolicy.LinUCB(), seed=seed)
        self._begun = False

    def learn(self, taught: Lessons, chance: Floats) -> None:  # noqa: ARG002 - a linear model of rewards needs none
        """Learn the rewards."""
        silent = taught.known[::_SILENCES]
        arm = np.concatenate([taught.arm, np.full(len(silent), HOLD)])
        reward = np.concatenate([taught.reward, np.zeros(len(silent))])
        teach = self._bandit.partial_fit if self._begun else self._bandit.fit
        teach(arm, reward, np.vstack([taught.known, silent]))
        self._begun = True

    def weigh(self, known: Floats, allowed: Flags, *, day: int, who: Ints) -> tuple[Floats, Floats]:  # noqa: ARG002 - draws nothing
        """Return upper confidence bounds; what is best is certain."""
        if not self._begun:
            return np.zeros(allowed.shape), np.ones(allowed.shape)
        found = self._bandit.predict_expectations(known)
        bounds = np.array([[each[arm] for arm in range(ARMS + 1)] for each in _listed(found)])
        return bounds, np.ones_like(bounds)


class VowpalWabbit:
    """Vowpal Wabbit's ``cb_explore_adf``: customers crossed with actions, epsilon-greedy, learning as it goes.

    The past has no propensities: they are taken as 1, as whoever begins with a log does.
    """

    def __init__(self, seed: int, *, epsilon: float = 0.05) -> None:
        from vowpalwabbit import Workspace  # noqa: PLC0415 - only this rival needs it

        options = f"--cb_explore_adf --epsilon {epsilon} -q ua --quiet --random_seed {seed}"
        self._workspace = Workspace(options)
        # Actions are parsed once: parsing them anew takes three quarters of the time.
        self._actions = [self._workspace.example(action) for action in _ACTIONS]
        self._seed = seed

    def learn(self, taught: Lessons, chance: Floats) -> None:
        """Learn the rewards as costs, weighed by the inverse of ``chance``."""
        for row, shared in enumerate(_shared(taught.known)):
            odds = 1.0 if np.isnan(chance[row]) else chance[row]
            self._teach(shared, int(taught.arm[row]), -taught.reward[row], odds)
            if row % _SILENCES == 0:
                self._teach(shared, HOLD, 0.0, 1.0)

    def weigh(self, known: Floats, allowed: Flags, *, day: int, who: Ints) -> tuple[Floats, Floats]:
        """Return probabilities with one arm drawn by them on top, and the probabilities."""
        odds = np.zeros(allowed.shape)
        for row, shared in enumerate(_shared(known)):
            arms = np.flatnonzero(allowed[row])
            among = [self._workspace.example(shared), *(self._actions[arm] for arm in arms)]
            odds[row, arms] = self._workspace.predict(among)
        at = drawn(self._seed, "vowpal wabbit", day).random(int(who.max(initial=0)) + 1)[who]
        below = np.cumsum(odds, axis=1)
        arm = (below <= at[:, None] * below[:, -1:]).sum(axis=1).clip(max=HOLD)
        return odds + np.eye(ARMS + 1)[arm], odds

    def _teach(self, shared: str, arm: int, cost: float, odds: float) -> None:
        actions = list(self._actions)
        actions[arm] = self._workspace.example(f"0:{cost:.4f}:{max(odds, 0.01):.4f} {_ACTIONS[arm]}")
        self._workspace.learn([self._workspace.example(shared), *actions])


_ACTIONS = tuple(f"|a x{arm}" for arm in range(ARMS + 1))


def _shared(known: Floats) -> Iterator[str]:
    """Yield each customer's line; the constant column is Vowpal Wabbit's own."""
    for row in known[:, 1:].round(3).tolist():
        yield "shared |u " + " ".join([f"f{place}:{value}" for place, value in enumerate(row)])


def _listed(found: object) -> Sequence[dict[int, float]]:
    """Return MABWiser's answer as one mapping a row, which it leaves out of a list for a single row."""
    return found if isinstance(found, list) else [found]  # type: ignore[list-item] # untyped package
