"""Play units in processes of their own, and keep each record the moment it is there."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.world.units import Record, Unit, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.world.units import Store
    from features.progress import Progress

Play = Callable[[Unit], Record]
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
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


def play_by(code: str, unit: Unit, play: Play) -> Record:
    """Play one unit by the code whose fingerprint is ``code``, and by no other.

    Raises:
        RuntimeError: where the tree is another by now, before the unit is played or after it.
    """
    _refuse_other_than(code)
    record = play(unit)
    _refuse_other_than(code)  # some of it is imported, and the shop's files are read, only while it plays
    return record


def _refuse_other_than(code: str) -> None:
    if fingerprint() != code:
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


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Give a pool whose processes play one unit each, so that memory stays flat over many.

    They are forked from a server that has imported slow libraries, and nothing of ours. When an exception leaves
    the pool (Ctrl-C is one), what is being played is ended and nothing more is begun.
    """
    for name in _THREADS:  # as many threads as cores in all: more of them fight
        os.environ.setdefault(name, str(max(1, (os.cpu_count() or 1) // jobs)))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_SLOW))  # imported once: a fresh process would take fifteen seconds
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with_parent, max_tasks_per_child=1)
    try:
        yield pool
    except BaseException:
        # The pool cannot take back what its processes were handed, and the interpreter waits for it at its exit.
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _end_with_parent() -> None:
    """Leave when the run ends, however it does, instead of playing on for nobody.

    Ctrl-C reaches every process of a terminal; only the run answers it, so that no unit is taken for failed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None  # this runs in a child

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
