"""The whole run: which worlds, played or taken from before, and what they come to."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.fingerprint import fingerprint
from benchmarks.machine import machine
from benchmarks.world import __doc__ as about
from benchmarks.world.agreeing import agreed
from benchmarks.world.judging import judge
from benchmarks.world.looks import look
from benchmarks.world.plan import Plan
from benchmarks.world.running import Ran, play_by, run_units
from benchmarks.world.showing import tables
from benchmarks.world.units import MADE_BY, TUNED_BY, Store, Unit
from features.progress import Progress
from pipelines import console
from pipelines.console import Screen
from simulation.families import CORE
from simulation.horizon import FIRST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.world.units import Record
    from simulation.oracles import Static

    Played = Callable[..., Record]


class Work(NamedTuple):
    """What is done in each world; functions of modules, for processes of their own."""

    tune: Played
    survey: Played
    study: Played
    agree: Played
    swap: Played


class Tuned(NamedTuple):
    """What was tuned in other worlds: by family, and of static rules all and the best for all families."""

    by_family: dict[str, Record]
    rules: list[Static]
    for_all: Static


@dataclass(frozen=True)
class Runner:
    """Plays units ``jobs`` at a time and keeps what came of them below the plan's folder."""

    plan: Plan
    jobs: int
    fresh: bool
    progress: Progress

    def run(
        self, stage: str, kind: str, units: Sequence[Unit], play: Played, made_by: tuple[str, ...] = MADE_BY
    ) -> Ran:
        """Play ``units`` and keep what came of them below ``kind``; what other code made is not taken."""
        if not units:
            return Ran([])
        code = fingerprint(made_by)
        store = Store(self.plan.folder / kind, code)
        for unit in units if self.fresh else ():
            store.forget(unit)
        by_code = partial(play_by, code, play=play, made_by=made_by)
        return run_units(stage, units, by_code, store, jobs=self.jobs, progress=self.progress)

    def tune(self, work: Work, units: Sequence[Unit]) -> Ran:
        """Tune what Kairos is compared with in worlds that nobody is scored in."""
        kind = "tuned for swaps" if self.plan.swaps else "tuned"
        return self.run("families tuned", kind, units, partial(work.tune, everyone=self.plan.swaps), TUNED_BY)

    def tuned(self, work: Work) -> tuple[Tuned, dict[str, str]]:
        """Tune every family, and choose one static rule for all of the core; say what failed.

        Raises:
            RuntimeError: where a family of the core could not be tuned.
        """
        from benchmarks.world.tuning import best_for_all, candidates  # noqa: PLC0415  # rivals are slow to import

        units = self.plan.tuned
        ran = self.tune(work, units)
        core = [record for record in ran.records if record["family"] in CORE]
        if len(core) < len(CORE):
            raise RuntimeError(f"not every family could be tuned: {next(iter(ran.failed.items()))}")
        rules = candidates(core)
        asked = [unit for unit in units if unit.family in CORE]
        surveys = self.run("rules compared", "compared", asked, partial(work.survey, rules=rules), TUNED_BY)
        if surveys.failed:
            raise RuntimeError(f"static rules could not be compared: {next(iter(surveys.failed.items()))}")
        by_family = {record["family"]: record for record in ran.records}
        return Tuned(by_family, rules, best_for_all(rules, surveys.records)), ran.failed

    def played(self, work: Work, tuned: Tuned) -> Ran:
        """Play the plan's units of families that were tuned."""
        units = [unit for unit in self.plan.units if unit.family in tuned.by_family]
        study = partial(work.study, tuned=tuned.by_family, rules=tuned.rules, for_all=tuned.for_all)
        return self.run("worlds played", "", units, study)

    def swapped(self, work: Work, tuned: Tuned) -> Ran:
        """Play what takes long in the plan's units."""
        scratch = self.plan.folder / "scratch"
        units = self.plan.units if self.plan.swaps else []
        return self.run("axes swapped", "swaps", units, partial(work.swap, scratch=scratch, tuned=tuned.by_family))

    def looped(self, work: Work) -> Ran:
        """Play the whole product where the plan asks for it."""
        scratch = self.plan.folder / "scratch"
        return self.run("product played", "loop", self.plan.loops, partial(work.agree, scratch=scratch))


def run(plan: Plan, *, jobs: int, fresh: bool, as_json: bool) -> int:
    """Play what is not played yet, say what came of it, and return the exit code: 1 where a world failed."""
    with Screen() as screen:
        answer = measure(plan, work(), jobs=jobs, fresh=fresh, progress=screen)
    console.answer(tables(answer), answer, as_json=as_json)
    return 1 if answer["failed"] else 0


def work() -> Work:
    """Return what is done in each world."""
    from benchmarks.world.looping import agreement  # noqa: PLC0415  # the product is slow to import
    from benchmarks.world.study import study  # noqa: PLC0415  # as above
    from benchmarks.world.swapping import swap  # noqa: PLC0415  # as above
    from benchmarks.world.tuning import survey, tune  # noqa: PLC0415  # as above

    return Work(tune, survey, study, agreement, swap)


def measure(plan: Plan, work: Work, *, jobs: int, fresh: bool, progress: Progress) -> dict[str, Any]:
    """Return the answer of a run, as ``--json`` prints it.

    Raises:
        RuntimeError: where not one world could be played.
    """
    begin, code = time.monotonic(), fingerprint(MADE_BY)
    looks = look(plan, code, plan.folder.parent) if plan.judged else None
    runner = Runner(plan, jobs, fresh, progress)
    tuned, untuned = runner.tuned(work)
    ran, swapped, looped = runner.played(work, tuned), runner.swapped(work, tuned), runner.looped(work)
    if not ran.records:
        raise RuntimeError(f"not one world could be played: {next(iter(ran.failed.items()))}")
    records = _joined(ran.records, swapped.records)
    return {
        "benchmark": "world" if plan.days == FIRST else "world-long",
        "yardstick": about.split("Yardstick: ", 1)[1].strip() if about else None,
        "judged": plan.judged,
        "looks": looks,
        **judge(records, violations=[record["violations"] for record in looped.records]),
        "loop": agreed(looped.records),
        "customers": plan.customers,
        "days": plan.days,
        "played_seeds": list(plan.seeds),
        "failed": {**untuned, **ran.failed, **_named("swaps", swapped), **_named("loop", looped)},
        "code": {"fingerprint": code[:16], "of": list(MADE_BY)},
        "machine": machine(),
        "seconds": time.monotonic() - begin,
        "seconds_played": sum(sum(record["seconds"].values()) for record in [*records, *looped.records]),
    }


def _joined(records: list[Record], swapped: Sequence[Record]) -> list[Record]:
    """Return records with what was swapped in the same world; all of them or none."""
    if not swapped:
        return records
    from benchmarks.world.swapping import joined  # noqa: PLC0415  # the product is slow to import

    of = {(record["family"], record["seed"]): record for record in swapped}
    both = [(record, of.get((record["family"], record["seed"]))) for record in records]
    return [joined(record, other) for record, other in both if other is not None]


def _named(kind: str, ran: Ran) -> dict[str, str]:
    return {f"{kind} {unit}": why for unit, why in ran.failed.items()}
