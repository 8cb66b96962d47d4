"""What a log tells of the traits behind it: their posterior means, learned from worlds of the same family.

In a simulated world the truth stands beside the log. A regression of true traits on summaries of the log, over
other worlds of the family, estimates E[trait | summary] under the family's own prior (amortised inference).
Traits enter a plan as products where they matter as products, each already multiplied by whether the person is
still a customer.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from simulation import facts
from simulation.arena.playing import play
from simulation.family import Family
from simulation.oracles.exploring import Exploring
from simulation.oracles.hereafter import everybody, relative
from simulation.oracles.summaries import Summary
from simulation.shop import CHANNELS, OFFERS
from simulation.world import HISTORY_DAYS, World

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from simulation.arena.opportunity import Opportunity

    Floats = NDArray[np.float64]
    Values = NDArray[np.float32]

_BENT = ("seen", "lift", "redeem", "basket", "harm", "future")
"""Traits, or families of them, that trees are grown for."""
_RIDGE = 1000.0
"""How strongly lines are drawn to the mean, in rows."""
_LEAF = 300
"""Rows behind every mean of a tree: a person counts twice at most, and lift is hardly visible in one's own log."""
LEARNED_FOR = 30
"""Days after day 0 that logs are learned from."""
_AHEAD = 30
"""Habits are learned as they will stand so many days on."""
_LIVES = 600
"""People, at most, whose mean says what a state is worth after a play."""
_PRICED = 2
"""Worlds in which everybody's future is priced, which costs more than living through them."""


class Regression(Protocol):
    """Anything of scikit-learn that is fitted and predicts."""

    def fit(self, rows: Floats, truth: Floats) -> Regression:
        """Learn."""
        ...

    def predict(self, rows: Floats) -> Floats:
        """Return the expected truth of each row."""
        ...


@dataclass(frozen=True, slots=True)
class Amortised:
    """Regressions of each trait, by name, and the family that they hold for."""

    family: Family
    regressions: Mapping[str, Regression]
    hereafter: Values
    """:func:`simulation.oracles.hereafter.everybody` of the family."""

    @classmethod
    def fit(
        cls,
        family: Family,
        opportunity: Opportunity,
        seeds: Sequence[int],
        customers: int,
        folder: Path,
        *,
        history: int = HISTORY_DAYS,
        days: int = LEARNED_FOR,
    ) -> Amortised:
        """Learn from worlds of ``seeds``, to be others than it is used in, or read it from ``folder``.

        Logs are looked at on day 0, and in every other world ``days`` later, under a sender who experiments.
        """
        import joblib  # type: ignore[import-untyped]  # noqa: PLC0415  # no stubs; comes with scikit-learn

        about = f"{family!r} {opportunity!r} {tuple(seeds)} {customers} {history} {days}"
        path = folder / f"{family.name}-{hashlib.blake2b(about.encode(), digest_size=8).hexdigest()}.joblib"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            mean = everybody(family, opportunity, size=min(customers, _LIVES))
            studies = [
                _studied(
                    World.of(family, customers=customers, seed=seed, history=history),
                    opportunity,
                    mean if number < _PRICED else None,
                    0 if number % 2 else days,
                )
                for number, seed in enumerate(seeds)
            ]
            partial = path.with_suffix(f".{os.getpid()}.partial")
            joblib.dump((_learned(studies), mean), partial)
            partial.replace(path)
        return cls(family, *joblib.load(path))

    def means(self, rows: Floats) -> Mapping[str, Floats]:
        """Return the posterior mean of each trait, given the numbers of :meth:`Summary.numbers` and a day."""
        return {name: regression.predict(rows) for name, regression in self.regressions.items()}


def _learned(studies: Sequence[tuple[Floats, Mapping[str, Floats]]]) -> Mapping[str, Regression]:
    rows = np.concatenate([rows for rows, _ in studies])
    truths = {name: np.concatenate([truth[name] for _, truth in studies]) for name in studies[0][1]}
    return {name: _fitted(name, rows, truth) for name, truth in truths.items()}


def _fitted(name: str, rows: Floats, truth: Floats) -> Regression:
    known = np.isfinite(truth)
    return _regression(name, int(known.sum())).fit(rows[known], truth[known])


def told(summary: Summary, day: int) -> Floats:
    """Return what is told of everybody at the end of ``day``, and how many days that is into the play."""
    rows = summary.numbers()
    return np.column_stack([rows, np.full(len(rows), day + 1)])


def _regression(name: str, rows: int) -> Regression:
    """Return what is to learn from so many ``rows``.

    Trees for what the log tells in a bent way or what a plan multiplies; elsewhere a line, which shrinks to the
    mean.
    """
    # Slow to import, and only needed where something is learned.
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415
    from sklearn.linear_model import Ridge  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import FunctionTransformer, StandardScaler  # noqa: PLC0415

    line: Regression = make_pipeline(FunctionTransformer(np.log1p), StandardScaler(), Ridge(alpha=_RIDGE))
    trees: Regression = HistGradientBoostingRegressor(
        learning_rate=0.05,
        max_iter=100,
        max_leaf_nodes=6,
        min_samples_leaf=min(_LEAF, rows // 20),
        l2_regularization=5.0,
        random_state=0,
    )
    return trees if name.split(".", maxsplit=1)[0] in _BENT else line


def _studied(
    world: World, opportunity: Opportunity, mean: Values | None, days: int
) -> tuple[Floats, dict[str, Floats]]:
    """Live through a world's history and look at it; again after ``days`` under a sender who experiments.

    Futures are priced against the ``mean``, and unknown (nan) without one.
    """
    summary = Summary(facts.customers(world), world.calendar)
    past = pa.concat_tables([day.events for day in world.past()])
    worth = np.full(world.state.size, np.nan)
    if mean is not None:
        worth = relative(world, opportunity, world.state.reachable, mean)
    summary.hear(past, -1)
    looks = [(told(summary, -1), _truth(world, -1, worth))]
    if days:
        explorer = Exploring(seed=0)
        play(world, past, explorer, opportunity, days=days, watch=lambda day: summary.hear(day.events, day.number))
        looks.append((told(summary, days - 1), _truth(world, days - 1, worth)))
    rows, truths = zip(*looks, strict=True)
    return np.concatenate(rows), {name: np.concatenate([truth[name] for truth in truths]) for name in truths[0]}


def _truth(world: World, day: int, worth: Floats) -> dict[str, Floats]:
    """Return what is learned: traits as of before any change of regime, which is known and applied later."""
    people, active = world.people_on(-1), world.state.active
    mix = people.habits(day + _AHEAD, world.family.rhythm.drift_days, np.arange(people.size))
    return {
        # What is multiplied is the chance to be seen, which is bent in the strength of attention.
        **{f"seen.{number}": -np.expm1(-people.seen[:, number]) for number in range(len(CHANNELS))},
        **{f"left.{number}": people.left[:, number] for number in range(len(CHANNELS))},
        **{f"lift.{number}": people.lift[:, number] * active for number in range(len(OFFERS))},
        **{f"mix.{number}": weights for number, weights in enumerate(mix.T)},
        "redeem": people.redeem[:, 0] * active,
        "basket": people.basket,
        "worn": people.worn,
        "churn": people.churn,
        "pushed": people.pushed,
        "harm": people.pushed * people.life_value * active,
        "fragile": people.fragile.astype(np.float64),
        "future": worth * active,
    }


def believed(means: Mapping[str, Floats]) -> dict[str, Any]:
    """Return posterior means as traits of :class:`simulation.people.population.Population`, by name."""
    mix = np.maximum(1e-4, _columns(means, "mix"))
    mix /= mix.sum(axis=1, keepdims=True)
    pushed = np.maximum(1e-7, means["pushed"])
    redeem = np.maximum(0, means["redeem"])
    return {
        "mix": mix,
        "other_mix": mix,
        "basket": np.maximum(0.1, means["basket"]),
        "seen": -np.log1p(-np.clip(_columns(means, "seen"), 1e-4, 0.99)),
        "left": np.maximum(0, _columns(means, "left")),
        "lift": _columns(means, "lift"),
        "redeem": np.repeat(redeem[:, None], len(OFFERS), axis=1),
        "worn": np.maximum(0, means["worn"]),
        "churn": np.maximum(0, means["churn"]),
        "pushed": pushed,
        "life_value": np.maximum(0, means["harm"]) / pushed,
        "fragile": np.maximum(0, means["fragile"]),
    }


def _columns(means: Mapping[str, Floats], name: str) -> Floats:
    count = sum(each.startswith(f"{name}.") for each in means)
    return np.column_stack([means[f"{name}.{number}"] for number in range(count)])
