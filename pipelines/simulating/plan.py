"""What a simulation is of: a family of worlds, and how the product runs in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from features.progress import Progress, quiet
from pipelines.simulating.loop import run_loop
from pipelines.simulating.result import Simulated
from simulation.families import FAMILIES
from simulation.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that the seeds of one simulation share. Each runs in a folder of its own below ``home``."""

    world: str
    customers: int
    days: int
    history: int
    home: Path
    policy: Path
    catalogue: Path
    retrain_days: int
    refresh_days: int

    def __post_init__(self) -> None:
        """Refuse a family that is not there.

        Raises:
            ValueError: naming those that are.
        """
        if self.world not in FAMILIES:
            raise ValueError(f"there is no family of worlds {self.world!r}: choose among {', '.join(FAMILIES)}")

    def home_of(self, seed: int) -> Path:
        """Return where the product of one seed lives."""
        return self.home / self.world / f"seed-{seed}"

    def run(self, seed: int, *, progress: Progress = quiet) -> Simulated:
        """Run the product in the world of one seed, or go on where it was stopped."""
        world = World.of(FAMILIES[self.world], customers=self.customers, seed=seed, history=self.history)
        past = pa.concat_tables([day.events for day in world.past()])
        looped = run_loop(
            world,
            past,
            home=self.home_of(seed),
            policy=self.policy,
            catalogue=self.catalogue,
            days=self.days,
            retrain_days=self.retrain_days,
            refresh_days=self.refresh_days,
            progress=progress,
        )
        return Simulated.of(looped, seed=seed)
