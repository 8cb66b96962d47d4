"""The whole run: which worlds, played or taken from before, and what they come to."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.fingerprint import fingerprint
from benchmarks.machine import machine
from benchmarks.world import __doc__ as about
from benchmarks.world.judging import judge
from benchmarks.world.running import Ran, play_by, run_units
from benchmarks.world.showing import tables
from benchmarks.world.units import MADE_BY, TUNED_IN, TUNING_CUSTOMERS, Store, Unit
from pipelines import console
from pipelines.console import Screen
from simulation.families import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.world.units import Record
    from features.progress import Progress

    Tune = Callable[..., Record]
    Study = Callable[..., Record]

SCORED = (60, 180)
"""Days after which a play has a score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which worlds to play. ``families``: None for all."""

    families: tuple[str, ...] | None = None
    seeds_per_family: int = 3
    customers: int = 2000
    days: int = 60
    folder: Path = Path(".kairos/bench/world")

    def __post_init__(self) -> None:
        if unknown := set(self.families or ()) - FAMILIES.keys():
            raise ValueError(f"no family is called {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")
        if self.days not in SCORED:
            raise ValueError(f"a play of {self.days} days has no score: play 60 days, or 180")
        if min(self.seeds_per_family, self.customers) < 1:
            raise ValueError(
                f"{self.seeds_per_family} seeds, {self.customers} customers: one of each is the least"
            )

    @property
    def units(self) -> list[Unit]:
        """Return the worlds, one seed of every family before the next seed: a run cut short is balanced."""
        return [
            Unit(family=family, seed=seed, customers=self.customers, days=self.days)
            for seed in range(1, self.seeds_per_family + 1)
            for family in self.families or FAMILIES
        ]

    @property
    def tuned(self) -> list[Unit]:
        """Return the worlds in which each family's rivals are tuned."""
        return [
            Unit(family=family, seed=TUNED_IN, customers=min(self.customers, TUNING_CUSTOMERS), days=SCORED[0])
            for family in self.families or FAMILIES
        ]


def run(plan: Plan, *, jobs: int, fresh: bool, as_json: bool) -> int:
    """Play what is not played yet, say what came of it, and return the exit code: 1 where a world failed."""
    from benchmarks.world.study import study  # noqa: PLC0415  # the product is slow to import
    from benchmarks.world.tuning import tune  # noqa: PLC0415  # as above

    with Screen() as screen:
        answer = measure(plan, (tune, study), jobs=jobs, fresh=fresh, progress=screen)
    console.answer(tables(answer), answer, as_json=as_json)
    return 1 if answer["failed"] else 0


def measure(plan: Plan, work: tuple[Tune, Study], *, jobs: int, fresh: bool, progress: Progress) -> dict[str, Any]:
    """Return the answer of a run, as ``--json`` prints it; ``work`` tunes a family and studies a unit.

    Raises:
        RuntimeError: where not one world could be played.
    """
    begin, store = time.monotonic(), Store(plan.folder, fingerprint(MADE_BY))
    for unit in [*plan.tuned, *plan.units] if fresh else ():
        store.forget(unit)
    ran = _ran(plan, work, store, jobs=jobs, progress=progress)
    if not ran.records:
        raise RuntimeError(f"not one world could be played: {next(iter(ran.failed.items()))}")
    return {
        "benchmark": "world" if plan.days == SCORED[0] else "world-long",
        "yardstick": about.split("Yardstick: ", 1)[1].strip() if about else None,
        **judge(ran.records),
        "customers": plan.customers,
        "days": plan.days,
        "failed": ran.failed,
        "code": {"fingerprint": store.code[:16], "of": list(MADE_BY)},
        "machine": machine(),
        "seconds": time.monotonic() - begin,
        "seconds_played": sum(sum(record["seconds"].values()) for record in ran.records),
    }


def _ran(plan: Plan, work: tuple[Tune, Study], store: Store, *, jobs: int, progress: Progress) -> Ran:
    """Tune every family, then play the units of those that were tuned."""
    tune, study = work
    by_code = partial(play_by, store.code)
    scratch = plan.folder / "scratch" / store.code[:16]  # what oracles learned is of one code, too
    tune_one = partial(by_code, play=partial(tune, fitted=scratch))
    tuning = run_units("families tuned", plan.tuned, tune_one, store, jobs=jobs, progress=progress)
    tuned = {unit.family: record for unit in plan.tuned if (record := store.read(unit)) is not None}
    play = partial(by_code, play=partial(study, scratch=scratch, tuned=tuned))
    units = [unit for unit in plan.units if unit.family in tuned]
    ran = run_units("worlds played", units, play, store, jobs=jobs, progress=progress)
    return Ran(ran.records, {**tuning.failed, **ran.failed})
