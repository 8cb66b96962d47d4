"""What a log tells of the traits behind it: their posterior means, learned from worlds of the same family.

In a simulated world the truth stands beside the log. A regression of true traits on summaries of the log, over
other worlds of the family, estimates E[trait | summary] under the family's own prior (amortised inference).
Traits enter a plan as products where they matter as products, each already multiplied by whether the person is
still a customer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from simulation import facts
from simulation.family import Family
from simulation.oracles.exploring import Exploring
from simulation.oracles.summaries import Summary
from simulation.playing import play
from simulation.shop import CHANNELS, MARGINS, OFFERS, ORDER_MARGIN
from simulation.world import HISTORY_DAYS, World

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from simulation.opportunity import Opportunity

    Floats = NDArray[np.float64]

_BENT = ("seen", "euros", "basket", "harm")
"""Traits, or families of them, that trees are grown for."""
_RIDGE = 300.0
"""How strongly lines are drawn to the mean, in rows."""
LEARNED_FOR = 60
"""Days after day 0 that logs are learned from."""
_CHECKPOINTS = (-1, 14, 29, 44, 59)
_AHEAD = 30
"""Habits are learned as they will stand so many days on."""


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

        Logs are looked at on day 0 and now and then up to ``days`` later, under a sender who experiments.
        """
        import joblib  # type: ignore[import-untyped]  # noqa: PLC0415  # no stubs; comes with scikit-learn

        about = f"{family!r} {opportunity!r} {tuple(seeds)} {customers} {history} {days}"
        path = folder / f"{family.name}-{hashlib.blake2b(about.encode(), digest_size=8).hexdigest()}.joblib"
        if path.exists():
            return cls(family, joblib.load(path))
        worlds = [World.of(family, customers=customers, seed=seed, history=history) for seed in seeds]
        studies = [_studied(world, opportunity, days) for world in worlds]
        rows = np.concatenate([rows for rows, _ in studies])
        truths = {name: np.concatenate([truth[name] for _, truth in studies]) for name in studies[0][1]}
        learned = {name: _regression(name).fit(rows, truth) for name, truth in truths.items()}
        folder.mkdir(parents=True, exist_ok=True)
        joblib.dump(learned, path)
        return cls(family, learned)

    def means(self, rows: Floats) -> Mapping[str, Floats]:
        """Return the posterior mean of each trait, given the numbers of :meth:`Summary.numbers` and a day."""
        return {name: regression.predict(rows) for name, regression in self.regressions.items()}


def told(summary: Summary, day: int) -> Floats:
    """Return what is told of everybody at the end of ``day``, and how many days that is into the play."""
    rows = summary.numbers()
    return np.column_stack([rows, np.full(len(rows), day + 1)])


def _regression(name: str) -> Regression:
    """Return trees for what the log tells much of in a bent way; elsewhere a line, which shrinks to the mean."""
    # Slow to import, and only needed where something is learned.
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415
    from sklearn.linear_model import Ridge  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import FunctionTransformer, StandardScaler  # noqa: PLC0415

    line: Regression = make_pipeline(FunctionTransformer(np.log1p), StandardScaler(), Ridge(alpha=_RIDGE))
    trees: Regression = HistGradientBoostingRegressor(
        learning_rate=0.1,
        max_iter=80,
        max_leaf_nodes=8,
        min_samples_leaf=60,
        l2_regularization=5.0,
        random_state=0,
    )
    return trees if name.split(".", maxsplit=1)[0] in _BENT else line


def _studied(world: World, opportunity: Opportunity, days: int) -> tuple[Floats, dict[str, Floats]]:
    """Live through a world's history and what follows under a sender who experiments; look at it now and then."""
    summary = Summary(facts.customers(world), world.calendar)
    past = pa.concat_tables([day.events for day in world.past()])
    rows, truths = [], []

    def look(day: int) -> None:
        if day in _CHECKPOINTS:
            rows.append(told(summary, day))
            truths.append(_truth(world, day))

    strategy = Exploring(seed=0)
    summary.hear(past, -1)
    look(-1)

    def watch(events: pa.Table, day: int) -> None:
        summary.hear(events, day)
        look(day)

    play(world, past, strategy, opportunity, days=days, watch=lambda day: watch(day.events, day.number))
    return np.concatenate(rows), {name: np.concatenate([truth[name] for truth in truths]) for name in truths[0]}


def _truth(world: World, day: int) -> dict[str, Floats]:
    """Return what is learned: traits as of before any change of regime, which is known and applied later."""
    people, active = world.people_on(-1), world.state.active
    mix = people.habits(day + _AHEAD, world.family.rhythm.drift_days, np.arange(people.size))
    euros = people.lift * people.offer_margin * active[:, None]
    return {
        **{f"seen.{number}": people.seen[:, number] for number in range(len(CHANNELS))},
        **{f"left.{number}": people.left[:, number] for number in range(len(CHANNELS))},
        **{f"euros.{number}": euros[:, number] for number in range(len(OFFERS))},
        **{f"mix.{number}": weights for number, weights in enumerate(mix.T)},
        "redeem": people.redeem[:, 0] * active,
        "basket": people.basket,
        "worn": people.worn,
        "churn": people.churn,
        "pushed": people.pushed,
        "harm": people.pushed * people.life_value * active,
        "fragile": people.fragile.astype(np.float64),
    }


def believed(means: Mapping[str, Floats]) -> dict[str, Any]:
    """Return posterior means as traits of :class:`simulation.population.Population`, by name."""
    mix = np.maximum(1e-4, _columns(means, "mix"))
    mix /= mix.sum(axis=1, keepdims=True)
    basket, euros = np.maximum(0.1, means["basket"]), _columns(means, "euros")
    per_order = np.where(euros >= 0, np.array(MARGINS), ORDER_MARGIN) * basket[:, None]
    pushed = np.maximum(1e-7, means["pushed"])
    redeem = np.maximum(0, means["redeem"])
    return {
        "mix": mix,
        "other_mix": mix,
        "basket": basket,
        "seen": np.maximum(1e-4, _columns(means, "seen")),
        "left": np.maximum(0, _columns(means, "left")),
        "lift": euros / per_order,
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
