"""The product in known worlds: one run a seed, side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, wait
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from features.progress import Progress, quiet
from measures.intervals import mean
from measures.outcome import Interval
from pipelines.processes import side_by_side
from pipelines.simulating.diary import days_finished
from pipelines.simulating.plan import Plan, check_least
from pipelines.simulating.result import Simulated
from simulation.families import FAMILIES

if TYPE_CHECKING:
    from concurrent.futures import Future

_LOOK_EVERY = 1.0
"""Seconds between two looks into the diaries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """All seeds of one family. ``interval`` is Student's, 95%, of the mean value per customer over seeds."""

    plan: Plan
    runs: Sequence[Simulated]

    @property
    def value(self) -> float:
        """Euros per customer against never messaging, on average over seeds."""
        return sum(run.value for run in self.runs) / len(self.runs)

    @property
    def interval(self) -> tuple[float, float] | None:
        """None where there are too few seeds to tell."""
        found = mean([run.value for run in self.runs])
        return (found.low, found.high) if isinstance(found, Interval) else None

    @property
    def violations(self) -> Counter[str]:
        """Broken promises of all seeds."""
        return sum((Counter(run.violations) for run in self.runs), Counter())

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``kairos simulate --json`` prints."""
        return {
            "world": self.plan.world,
            "says": FAMILIES[self.plan.world].says,
            "days": self.plan.days,
            "customers": self.plan.customers,
            "history": self.plan.history,
            "seeds": [run.seed for run in self.runs],
            "value_per_customer": self.value,
            "interval": self.interval,
            "violations": self.violations.total(),
            "runs": [run.as_json() for run in self.runs],
        }


def simulate(plan: Plan, *, seeds: Sequence[int], jobs: int = 2, progress: Progress = quiet) -> Simulation:
    """Run every seed, ``jobs`` of them at a time, each in a process of its own (a single one in this).

    What is finished at ``plan.home`` is not done again. Where a seed fails, the others are ended: they go on when
    it is run again.

    Raises:
        ValueError: where there is no seed, or no process to run one in.
    """
    check_least("seeds", len(seeds))
    check_least("jobs", jobs)
    if len(seeds) == 1:
        return Simulation(plan=plan, runs=[plan.run(seeds[0], progress=progress)])
    with side_by_side(min(jobs, len(seeds)), get_context("spawn")) as pool:
        runs = [pool.submit(plan.run, seed) for seed in seeds]
        _watch(plan, seeds, runs, progress)
        return Simulation(plan=plan, runs=[run.result() for run in runs])


def _watch(plan: Plan, seeds: Sequence[int], runs: Sequence[Future[Simulated]], progress: Progress) -> None:
    """Tell how far each seed is, as its diary says, until all are done or one fails."""
    waiting = True
    while waiting:
        done, not_done = wait(runs, timeout=_LOOK_EVERY, return_when=FIRST_EXCEPTION)
        for seed in seeds:
            progress(f"seed {seed}: days", min(plan.days, days_finished(plan.home_of(seed))), plan.days)
        waiting = bool(not_done) and not any(each.exception() for each in done)
