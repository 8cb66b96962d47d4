"""Who asked: the key on whose behalf something is changed, for the audit."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ACTOR: ContextVar[str | None] = ContextVar("kairos_actor", default=None)


@contextmanager
def acting(actor: str | None) -> Iterator[None]:
    """Let ``actor`` (the id of a key, a job's name; never a person's) stand in the audit of what follows."""
    token = _ACTOR.set(actor)
    try:
        yield
    finally:
        _ACTOR.reset(token)


def actor() -> str | None:
    """Return who asked; None where Kairos acts by itself."""
    return _ACTOR.get()
