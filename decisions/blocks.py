"""Long lists in pieces: one transaction, one question to the database each, so that nobody waits long."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")


def blocks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield ``items`` in order, ``size`` at a time; the last block may be shorter, and none is empty."""
    waiting = iter(items)
    while block := list(islice(waiting, size)):
        yield block
