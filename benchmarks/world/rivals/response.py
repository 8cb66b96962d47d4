"""The offer a response model likes best: P(converts | got it), which is not what the message adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.world.rivals.features import OUTCOME_DAYS, features, weekly
from simulation.calendar import DAY
from simulation.shop import CHANNELS, OFFERS

if TYPE_CHECKING:
    from lightgbm import Booster
    from numpy.typing import NDArray

    from benchmarks.world.rivals.features import Lessons
    from benchmarks.world.rivals.scene import Scene

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_PAST = 150
_REFIT_DAYS = 30
"""As on the scoreboard Kairos's own."""
_ROUNDS = 120


class ResponseModel:
    """LightGBM on past messages, fitted anew every 30 days; P(converts) · (margin − incentive) − cost."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._model: Booster | None = None
        self._fitted = 0

    def score(self, scene: Scene, channel: Ints) -> Floats:
        """Return predicted euros by offer."""
        model = self._model_for(scene)
        known = features(scene.journal, scene.facts, scene.now)[scene.asked.who]
        wide = len(OFFERS)
        rows = _rows(
            np.repeat(known, wide, axis=0), np.tile(np.arange(wide), scene.size), np.repeat(channel, wide)
        )
        chance = np.asarray(model.predict(rows, num_threads=1)).reshape(scene.size, wide)
        worth: Floats = chance * scene.facts.gain - scene.facts.cost[channel][:, None]
        return worth

    def _model_for(self, scene: Scene) -> Booster:
        day = scene.asked.day
        if self._model is None or day - self._fitted >= _REFIT_DAYS:
            since, until = scene.now - _PAST * DAY, scene.now - OUTCOME_DAYS * DAY
            self._model = self._fit(list(weekly(scene.journal, scene.facts, since, until)))
            self._fitted = day
        return self._model

    def _fit(self, taught: list[Lessons]) -> Booster:
        import lightgbm  # noqa: PLC0415 - heavy, and only this rival needs it

        known, arm, bought = (np.concatenate([getattr(each, name) for each in taught]) for name in _COLUMNS)
        rows = _rows(known, arm // len(CHANNELS), arm % len(CHANNELS))
        settings = {
            "objective": "binary",
            "learning_rate": 0.05,
            "num_leaves": 8,
            "min_data_in_leaf": 50,
            "lambda_l2": 10.0,
            "seed": self._seed,
            "deterministic": True,
            "num_threads": 1,
            "verbose": -1,
        }
        return lightgbm.train(settings, lightgbm.Dataset(rows, bought.astype(np.float64)), _ROUNDS)


_COLUMNS = ("known", "arm", "bought")


def _rows(known: Floats, offer: Ints, channel: Ints) -> Floats:
    """Return the model's rows: what is known, the taste for the offer's category, which offer, which channel."""
    taste = known[:, -len(OFFERS) :]
    own = np.take_along_axis(taste, offer[:, None], axis=1)
    return np.hstack([known, own, np.eye(len(OFFERS))[offer], np.eye(len(CHANNELS))[channel]])
