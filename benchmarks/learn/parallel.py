"""Two processes that share what is to be done."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Found = TypeVar("Found")

WORKERS = 2


def each(work: Callable[..., Found], *asked: Iterable[object]) -> list[Found]:
    """Return ``work`` of each row of ``asked``, one iterable an argument, in their order."""
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        return list(pool.map(work, *asked))
