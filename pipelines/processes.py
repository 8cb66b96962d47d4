"""Processes that do a command's work side by side: they share the cores, and end when the command does."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import BaseContext

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@contextmanager
def side_by_side(
    jobs: int, context: BaseContext, *, tasks_each: int | None = None
) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of ``jobs`` processes, each for ``tasks_each`` tasks (None: for all).

    When an exception leaves the pool (Ctrl-C is one), what is at work is ended and nothing more is begun; when
    this process is killed, they end as well.
    """
    others = set(multiprocessing.active_children())
    with _sharing_the_cores(jobs):
        pool = ProcessPoolExecutor(
            jobs, mp_context=context, initializer=_end_with_parent, max_tasks_per_child=tasks_each
        )
        try:
            yield pool
        except BaseException:
            # The pool cannot take back what its processes were handed, and the interpreter waits for it at exit.
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()


@contextmanager
def _sharing_the_cores(jobs: int) -> Iterator[None]:
    """Let libraries of processes started meanwhile use as many threads as cores in all: more of them fight.

    What whoever runs this has set stays.
    """
    unset = [name for name in _THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(unset, str(max(1, (os.cpu_count() or 1) // jobs))))
    try:
        yield
    finally:
        for name in unset:
            del os.environ[name]


def _end_with_parent() -> None:
    """Leave when the parent ends, however it does, instead of working on for nobody.

    Ctrl-C reaches every process of a terminal; only the parent answers it, so that no task is taken for failed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None  # this runs in a child

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
