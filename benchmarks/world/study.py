"""Play everything in one world: the oracles, Kairos, its twin with one axis swapped, and whole rivals.

One record comes of it: euros per customer by part, what was sent, who was lost, promises broken, and how true
Kairos's expectations were.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.world import rivals
from benchmarks.world.stage import Ended, Stage, parts, volumes
from pipelines.options import ROOT
from pipelines.simulating import run_loop
from simulation.oracles import Attainable, Hold, Myopic, Planning, best_static, upper_bound
from simulation.shop import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.world.units import Record, Unit
    from decisions.records import Scores
    from pipelines.simulating import Looped, Pairs

SHOP = ROOT / "examples" / "simulated_shop"
OTHER_WORLDS = (9001, 9002)
"""Seeds of the worlds that static policies and caps are tuned in: no unit is one of them."""
LEAST_PAIRS = 100
"""Messages on a channel below which a slope says nothing."""
Rows = dict[str, dict[str, Any]]


def study(unit: Unit, scratch: Path) -> Record:
    """Return the record of one unit; ``scratch`` is a folder for the product's home, emptied before and after."""
    stage = Stage.of(unit)
    kairos, pages = _kairos(stage, scratch / unit.name)
    with stage.timed("oracles"):
        oracles, static = _oracles(stage)
    with stage.timed("rivals"):
        played = _rivals(stage, pages, volumes(kairos.days))
    return {
        "family": unit.family,
        "seed": unit.seed,
        "customers": unit.customers,
        "days": unit.days,
        "oracles": oracles,
        "policies": {
            "kairos": stage.row(Ended(kairos.world, kairos.days), "kairos"),
            **played,
            "best_static": stage.row(static, "whole"),
        },
        "violations": dict(kairos.violations),
        "slope": slope(kairos.pairs),
        "seconds": stage.seconds,
    }


class _Pages:
    """Keeps what Kairos's models said, by the day they said it."""

    def __init__(self) -> None:
        self.by_day: dict[int, Mapping[str, Scores]] = {}

    def scored(self, day: int, scores: Mapping[str, Scores]) -> None:
        self.by_day[day] = scores


def _kairos(stage: Stage, home: Path) -> tuple[Looped, dict[int, Mapping[str, Scores]]]:
    shutil.rmtree(home, ignore_errors=True)  # a killed unit is played from its beginning: the pages are in memory
    pages = _Pages()
    with stage.timed("loop"):
        looped = run_loop(
            stage.world.fork(),
            stage.past,
            home=home,
            policy=SHOP / "policy.yaml",
            catalogue=SHOP / "catalogue.yaml",
            days=stage.unit.days,
            watch=pages,
        )
    shutil.rmtree(home)
    return looped, pages.by_day


def _oracles(stage: Stage) -> tuple[dict[str, dict[str, float]], Ended]:
    """Return every oracle's worth, and what the best static policy did."""
    world, opportunity, family = stage.world, stage.opportunity, stage.world.family
    static = stage.play(best_static(family, opportunity, OTHER_WORLDS, stage.unit.customers))
    played = {
        "hold": stage.play(Hold()),
        "myopic": stage.play(Myopic(world, opportunity)),
        "attainable": stage.play(Attainable(world, opportunity)),
        "planning": stage.play(Planning(world, opportunity)),
    }
    worth = {name: parts(stage.score(ended)) for name, ended in played.items()}
    of_static = parts(stage.score(static))
    bound = upper_bound(world, opportunity)
    return {
        **worth,
        "floor": max(worth["hold"], of_static, key=lambda each: each["total"]),
        "bound": {"first": None, "later": None, "total": bound},
    }, static


def _rivals(stage: Stage, pages: Mapping[int, Mapping[str, Scores]], schedule: list[int]) -> Rows:
    """Play the twin, the twin with each axis swapped, and whole policies at free and at equal volume."""
    facts, seed = rivals.Facts.of(stage.world), stage.unit.seed
    rows = {"kairos_twin": stage.row(stage.play(rivals.Twin(pages, facts, seed)), "kairos")}
    for axis, choices in rivals.AXES.items():
        for name, factory in choices.items():
            swapped = rivals.Twin(pages, facts, seed, **{axis: factory(facts, seed)})
            rows[f"{axis}:{name}"] = stage.row(stage.play(swapped), "axis", axis=axis)
    for name, factory in rivals.WHOLE.items():
        rows[name] = stage.row(stage.play(factory(facts, seed)), "whole")
        metered = rivals.Metered(factory(facts, seed), schedule)
        rows[f"{name}@equal"] = stage.row(stage.play(metered), "whole", volume="equal")
    return rows


def slope(pairs: Pairs) -> dict[str, dict[str, float | None]]:
    """Return by channel the least-squares slope of the true effect on Kairos's V, and of how many messages."""
    return {name: _slope(pairs, number) for number, name in enumerate(CHANNELS)}


def _slope(pairs: Pairs, channel: int) -> dict[str, float | None]:
    of_channel = pairs.channel == channel
    expected, true = pairs.expected[of_channel], pairs.true[of_channel]
    varies = len(expected) >= LEAST_PAIRS and np.ptp(expected) > 0
    found = float(np.cov(expected, true)[0, 1] / expected.var(ddof=1)) if varies else None
    return {"slope": found, "messages": float(len(expected))}
