"""What a simulation is of: a family of worlds, and how the product runs in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from features.progress import Progress, quiet
from pipelines.simulating.loop import run_loop
from pipelines.simulating.result import Simulated
from simulation.families import named
from simulation.world import World

LEAST = {"customers": 10, "days": 1, "history": 1, "retrain_days": 1, "refresh_days": 1, "seeds": 1, "jobs": 1}
LONGEST_HISTORY = 365


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
        """Refuse what cannot be run, before anything is lived.

        Raises:
            ValueError: naming the value, the rule and the way out.
        """
        named(self.world)
        for name in ("customers", "days", "history", "retrain_days", "refresh_days"):
            check_least(name, getattr(self, name))
        if self.history > LONGEST_HISTORY:
            most = LONGEST_HISTORY
            raise ValueError(f"--history {self.history}: {most} is the most; give {most} or fewer")

    def home_of(self, seed: int) -> Path:
        """Return where the product of one seed lives."""
        return self.home / self.world / f"seed-{seed}"

    def run(self, seed: int, *, progress: Progress = quiet) -> Simulated:
        """Run the product in the world of one seed, or go on where it was stopped."""
        world = World.of(named(self.world), customers=self.customers, seed=seed, history=self.history)
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


def check_least(name: str, value: int) -> None:
    """Refuse a number below the least that its option takes.

    Raises:
        ValueError: naming the option as it is typed.
    """
    if value < (least := LEAST[name]):
        raise ValueError(f"--{name.replace('_', '-')} {value}: {least} is the least; give {least} or more")
