"""A run's diary: one line of JSON for each finished day, from which the world is replayed after a kill.

The product's own stores are durable and everything done in them is idempotent, so a day that was half done is
simply done again; the world lives in memory and is brought back by the messages of the days before.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import orjson

from pipelines.simulating.sends import Sends

if TYPE_CHECKING:
    from pathlib import Path

NAME = "diary.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a finished day leaves for the next: messages ``sent`` on it, and ``waiting`` for later days."""

    day: int
    sent: Sends
    waiting: Sends
    holds: Mapping[str, int]
    refused: Mapping[str, int]
    seconds: Mapping[str, float]
    models: Sequence[Mapping[str, Any]] | None = None

    def line(self) -> bytes:
        """Return the entry as a line of JSON."""
        fields = {name: getattr(self, name) for name in ("day", "holds", "refused", "seconds", "models")}
        return orjson.dumps({**fields, "sent": self.sent.as_json(), "waiting": self.waiting.as_json()})

    @classmethod
    def read(cls, line: bytes) -> Self:
        """Return what :meth:`line` wrote."""
        fields = orjson.loads(line)
        sends = {name: Sends.from_json(fields[name]) for name in ("sent", "waiting")}
        return cls(**{**fields, **sends})


class Diary:
    """The diary of one home. The first line names the run that it is of."""

    def __init__(self, home: Path) -> None:
        self.path = home / NAME

    def begun(self, run: Mapping[str, Any]) -> bool:
        """Return whether everything was ready for day 0 of ``run`` before.

        Raises:
            ValueError: where the home holds another run.
        """
        lines = self._whole_lines()
        if lines and (kept := orjson.loads(lines[0])) != run:
            other = {name: (kept.get(name), run[name]) for name in run if kept.get(name) != run[name]}
            raise ValueError(
                f"{self.path.parent} holds another run (there and asked for: {other}): "
                "give another --home, or remove it"
            )
        return bool(lines)

    def entries(self) -> list[Entry]:
        """Return the finished days; a line that a kill cut off is none."""
        return [Entry.read(line) for line in self._whole_lines()[1:]]

    def begin(self, run: Mapping[str, Any]) -> None:
        """Write that everything is ready for day 0 of ``run``."""
        self._add(orjson.dumps(run))

    def add(self, entry: Entry) -> None:
        """Write that a day is finished; once this returns, it is."""
        self._add(entry.line())

    def _whole_lines(self) -> list[bytes]:
        if not self.path.exists():
            return []
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            os.truncate(self.path, len(whole))
        return whole.splitlines()

    def _add(self, line: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())


def days_finished(home: Path) -> int:
    """Return how many days of the run at ``home`` are finished."""
    path = home / NAME
    return max(0, path.read_bytes().count(b"\n") - 1) if path.exists() else 0
