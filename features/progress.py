"""How long work says where it stands."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told of every step of long work; the command draws its bars from it.

    ``stage`` names what is being done, ``done`` of ``total`` steps of it are behind us. A stage begins with
    ``done=0`` and ends with ``done == total``.
    """

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note of one step."""
        ...


def quiet(stage: str, done: int, total: int) -> None:
    """Take no note: the progress of work nobody watches."""
    del stage, done, total
