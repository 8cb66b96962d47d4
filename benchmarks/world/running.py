"""Play units in processes of their own, and keep each record the moment it is there."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.fingerprint import fingerprint
from benchmarks.world.units import MADE_BY, Record, Unit
from pipelines.processes import side_by_side

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future, ProcessPoolExecutor
    from contextlib import AbstractContextManager

    from benchmarks.world.units import Store
    from features.progress import Progress

Play = Callable[[Unit], Record]
_SLOW = ("feast", "ibis", "lightgbm", "mlflow", "scipy.stats")
"""What a unit imports for long. Importing begins no thread that a fork would lose (jemalloc renews its own)."""


@dataclass(frozen=True, slots=True)
class Ran:
    """The records, in the order of their units, and by unit why there is none."""

    records: list[Record]
    failed: dict[str, str] = field(default_factory=dict)


def run_units(
    stage: str, units: Sequence[Unit], play: Play, store: Store, *, jobs: int, progress: Progress
) -> Ran:
    """Play what ``store`` does not hold yet, ``jobs`` at a time, and return everything.

    ``play`` is a function of a module: each unit has a process of its own. Killed at any moment and run again, it
    goes on with the units that were not finished. A unit that fails does not keep the others from being played.
    """
    left = [unit for unit in units if store.read(unit) is None]
    done, failed = len(units) - len(left), {}
    progress(stage, done, len(units))
    with _pool(jobs) as pool:
        asked = {pool.submit(play_and_keep, unit, play, store): unit for unit in left}
        for number, future in enumerate(as_completed(asked), start=done + 1):
            if error := _error(future):
                failed[asked[future].name] = error
            progress(stage, number, len(units))
    found = (store.read(unit) for unit in units)
    return Ran([record for record in found if record is not None], failed)


def play_and_keep(unit: Unit, play: Play, store: Store) -> None:
    """Play one unit in this process and keep what came of it."""
    store.write(unit, play(unit))


def play_by(code: str, unit: Unit, play: Play, *, made_by: tuple[str, ...] = MADE_BY) -> Record:
    """Play one unit by the code of ``made_by`` whose fingerprint is ``code``, and by no other.

    Raises:
        RuntimeError: where the tree is another by now, before the unit is played or after it.
    """
    _refuse_other_than(code, made_by)
    record = play(unit)
    _refuse_other_than(code, made_by)  # some is imported, and the shop's files are read, only while it plays
    return record


def _refuse_other_than(code: str, made_by: tuple[str, ...]) -> None:
    if fingerprint(made_by) != code:
        raise RuntimeError(
            "the code changed since this run began: let the tree alone while it plays, and run again"
        )


def _error(future: Future[None]) -> str | None:
    try:
        future.result()
    except BrokenProcessPool:
        return "its process, or one beside it, died (killed, or out of memory): run again to go on"
    except Exception as error:  # noqa: BLE001 - whatever stops one unit, the others are played and it is said
        return f"{type(error).__name__}: {error}"
    return None


def _pool(jobs: int) -> AbstractContextManager[ProcessPoolExecutor]:
    """Return a pool whose processes play one unit each, so that memory stays flat over many.

    They are forked from a server that has imported slow libraries, and nothing of ours.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_SLOW))  # imported once: a fresh process would take fifteen seconds
    return side_by_side(jobs, context, tasks_each=1)
