"""Play everything in one world: the oracles, Kairos, its twin with one axis swapped, and whole rivals.

One record comes of it: euros per customer by part, what was sent, who was lost, promises broken, and how true
Kairos's expectations were.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.world import floors
from benchmarks.world.expectations import slope
from benchmarks.world.rivals import SWAPS, Facts, Metered, Twin
from benchmarks.world.saying import said
from benchmarks.world.stage import Stage, parts, volumes
from benchmarks.world.tuning import amortised, factories
from pipelines.options import ROOT
from pipelines.simulating import run_loop
from simulation.arena.playing import Played
from simulation.facts import customers
from simulation.oracles import Attainable, Hold, Myopic, Planning

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.world.units import Record, Unit
    from decisions.records import Scores
    from pipelines.simulating import Looped

SHOP = ROOT / "examples" / "simulated_shop"
REFRESH_DAYS, RETRAIN_DAYS = 15, 30
"""Kairos's schedule: four builds and two trainings in 60 days. A shop builds nightly; this fits the run's time."""
Rows = dict[str, dict[str, Any]]
Pages = Mapping[int, Sequence["Scores"]]


def study(unit: Unit, scratch: Path, tuned: Mapping[str, Record]) -> Record:
    """Return the record of one unit.

    ``scratch`` is a folder for the product's home and what oracles have learned; ``tuned`` holds by family what
    was tuned in other worlds.
    """
    stage, of_family = Stage.of(unit), tuned[unit.family]
    kairos, pages = _kairos(stage, scratch / unit.name)
    with stage.timed("oracles"):
        static = floors.static(stage, of_family)
        oracles = _oracles(stage, static, of_family, scratch)
    with stage.timed("rivals"):
        rivals = {**_twins(stage, pages), **_whole(stage, of_family, volumes(kairos.days))}
    return {
        "family": unit.family,
        "seed": unit.seed,
        "customers": unit.customers,
        "days": unit.days,
        "oracles": oracles,
        "policies": {
            "kairos": stage.row(Played(kairos.world, kairos.days), "kairos"),
            **rivals,
            "best_static": stage.row(static, "whole"),
        },
        "violations": dict(kairos.violations),
        "slope": slope(kairos.pairs),
        "says": said(kairos.models),
        "seconds": stage.seconds,
    }


class _Kept:
    """Keeps what Kairos's models said, by the day they said it."""

    def __init__(self) -> None:
        self.pages: dict[int, list[Scores]] = {}

    def scored(self, day: int, scores: Mapping[str, Scores]) -> None:
        self.pages[day] = list(scores.values())


def _kairos(stage: Stage, home: Path) -> tuple[Looped, Pages]:
    shutil.rmtree(home, ignore_errors=True)  # a killed unit is played from its beginning: the pages are in memory
    kept = _Kept()
    with stage.timed("loop"):
        looped = run_loop(
            stage.world.fork(),
            stage.past,
            home=home,
            policy=SHOP / "policy.yaml",
            catalogue=SHOP / "catalogue.yaml",
            days=stage.unit.days,
            retrain_days=RETRAIN_DAYS,
            refresh_days=REFRESH_DAYS,
            until=stage.unit.days,
            watch=kept,
        )
    shutil.rmtree(home)
    return looped, kept.pages


def _oracles(stage: Stage, static: Played, tuned: Record, scratch: Path) -> dict[str, dict[str, float | None]]:
    """Return every oracle's worth; the floor is the better of silence and the static policy."""
    world, opportunity = stage.world, stage.opportunity
    told = amortised(stage, tuned["customers"], scratch)
    attainable = Attainable(told, customers(world), opportunity, until=stage.unit.days)
    played = {
        "hold": stage.play(Hold()),
        "myopic": stage.told(Myopic),
        "attainable": stage.play(attainable),
        "planning": stage.told(Planning),
    }
    worth = {name: stage.score(each) for name, each in played.items()}
    floor = max(worth["hold"], stage.score(static), key=lambda each: each.total)
    bound = {"first": None, "later": None, "total": stage.bound()}
    return {**{name: parts(each) for name, each in worth.items()}, "floor": parts(floor), "bound": bound}


def _twins(stage: Stage, pages: Pages) -> Rows:
    """Play the twin, and the twin with one axis swapped, for every rival on every axis.

    All send as many messages as the twin, or the forced choice would show in their number; only who swaps the
    rule of how often sends as that rule says.
    """
    facts, seed = Facts.of(stage.world), stage.unit.seed
    twin = stage.play(Twin(pages, facts))
    schedule = volumes(twin.days)
    rows = {"kairos_twin": stage.row(twin, "kairos")}
    for axis, rules in SWAPS.items():
        free = axis == "frequency"
        for name, factory in rules.items():
            swapped = Twin(pages, facts, **{axis: factory(facts, seed)})
            played = stage.play(swapped if free else Metered(swapped, schedule))
            rows[f"{axis}:{name}"] = stage.row(played, "axis", axis=axis, volume="free" if free else "equal")
    return rows


def _whole(stage: Stage, tuned: Record, schedule: list[int]) -> Rows:
    """Play whole policies with their tuned cap: at free volume, and metered to ``schedule``."""
    facts, seed, rows = Facts.of(stage.world), stage.unit.seed, Rows()
    for name, factory in factories(tuned).items():
        cap = tuned["caps"][name]
        rows[name] = stage.row(stage.play(factory(facts, seed, cap=cap)), "whole")
        metered = Metered(factory(facts, seed, cap=cap), schedule)
        rows[f"{name}@equal"] = stage.row(stage.play(metered), "whole", volume="equal")
    return rows
