"""The real product in a world: features, training, decisions, ledger; all of it but the wire."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from benchmarks.world.player import Player
from benchmarks.world.rivals import Facts
from benchmarks.world.stage import Stage
from pipelines.options import ROOT
from pipelines.simulating import run_loop
from simulation.arena.playing import Played

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.world.units import Record, Unit
    from pipelines.simulating import Looped
    from pipelines.simulating.records import Watcher

SHOP = ROOT / "examples" / "simulated_shop"
REFRESH_DAYS, RETRAIN_DAYS = 10, 30
"""Kairos's schedule. A shop builds features nightly; this fits the run's time."""


def looped(stage: Stage, home: Path, watch: Watcher | None = None) -> Looped:
    """Play the product in a fork of the world; its ``home`` is a scratch folder, lost before and after."""
    shutil.rmtree(home, ignore_errors=True)  # a killed unit is played from its beginning
    with stage.timed("loop"):
        found = run_loop(
            stage.world.fork(),
            stage.past,
            home=home,
            policy=SHOP / "policy.yaml",
            catalogue=SHOP / "catalogue.yaml",
            days=stage.unit.days,
            retrain_days=RETRAIN_DAYS,
            refresh_days=REFRESH_DAYS,
            until=stage.unit.days,
            watch=watch,
        )
    shutil.rmtree(home)
    return found


def agreement(unit: Unit, scratch: Path) -> Record:
    """Return what the product and its value model by itself are worth in one world: do they agree?"""
    stage = Stage.of(unit)
    product = looped(stage, scratch / f"loop-{unit.name}")
    by_itself = stage.play(Player(Facts.of(stage.world), unit.seed))
    return {
        "family": unit.family,
        "seed": unit.seed,
        "value": stage.score(Played(product.world, product.days)).total,
        "arena_value": stage.score(by_itself).total,
        "sent": product.account.sent / unit.customers,
        "arena_sent": by_itself.account.sent / unit.customers,
        "violations": dict(product.violations),
        "seconds": stage.seconds,
    }
