"""One job at a time changes lake and features: what an erasure took out, no job that began before it puts back."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from features.files import locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runtime.settings import Settings

_HELD: ContextVar[frozenset[Path]] = ContextVar("kairos_jobs_at_work", default=frozenset())


@contextmanager
def taking_turns(settings: Settings) -> Iterator[None]:
    """Wait until no other job changes lake or features, and keep others waiting. A job's own steps do not wait.

    The operating system lets go of the lock when its holder dies, however it dies.
    """
    if settings.home in _HELD.get():
        yield
        return
    with locked(settings.home / ".jobs.lock"):
        token = _HELD.set(_HELD.get() | {settings.home})
        try:
            yield
        finally:
            _HELD.reset(token)
