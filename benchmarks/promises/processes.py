"""Processes that start in milliseconds: forked from one light parent that has imported what they need."""

from __future__ import annotations

from functools import cache
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerContext

T = TypeVar("T")

_PRELOADED = ("benchmarks.promises.worker", "benchmarks.promises.throughput")


@cache
def processes() -> ForkServerContext:
    """Return the context that starts them."""
    context = get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOADED))
    return context


def side_by_side(work: Callable[..., T], runs: Sequence[tuple[Any, ...]]) -> list[T]:
    """Run ``work(barrier, *run)`` for each run at the same time, in a process each; return what each returned.

    Raises:
        RuntimeError: where a process failed; what it says of it is on standard error.
    """
    context = processes()
    barrier = context.Barrier(len(runs))
    pipes = [context.Pipe(duplex=False) for _ in runs]
    workers = [
        context.Process(target=_report, args=(work, barrier, run, speaking), daemon=True)
        for run, (_, speaking) in zip(runs, pipes, strict=True)
    ]
    for worker, (_, speaking) in zip(workers, pipes, strict=True):
        worker.start()
        speaking.close()
    answers = [_answer(listening) for listening, _ in pipes]
    for worker in workers:
        worker.join()
    return answers


def _report(work: Callable[..., T], barrier: Any, run: tuple[Any, ...], speaking: Connection[T, Any]) -> None:
    try:
        speaking.send(work(barrier, *run))
    except BaseException:
        barrier.abort()
        raise


def _answer(listening: Connection[Any, T]) -> T:
    try:
        return listening.recv()
    except EOFError:
        raise RuntimeError("a process ended without an answer; standard error says why") from None
