"""What the command says: progress and tables for people on standard error, one JSON object for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

Advance = Callable[[int, int], None]
"""Called with (steps done, steps in all) while a long job runs."""


class Reporter(Protocol):
    """What a job tells while it works: steps with progress, and remarks."""

    def step(self, title: str) -> Any:  # noqa: D102  (a context manager giving an Advance)
        ...

    def say(self, text: str) -> None:  # noqa: D102
        ...


class Silent:
    """Says nothing: tests and programs."""

    @contextmanager
    def step(self, title: str) -> Iterator[Advance]:  # noqa: ARG002
        """Run one step without a bar."""
        yield lambda done, total: None  # noqa: ARG005

    def say(self, text: str) -> None:
        """Keep silent."""


@dataclass(frozen=True)
class Screen:
    """Rich output on standard error, so that standard output stays clean for ``--json`` and pipes."""

    console: Console

    @contextmanager
    def step(self, title: str) -> Iterator[Advance]:
        """Show one step: a spinner at first, a bar as soon as its length is known."""
        columns = (
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<44}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(title, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)
            known = progress.tasks[0].total or 1
            progress.update(task, completed=known, total=known)

    def say(self, text: str) -> None:
        """Write one line."""
        self.console.print(text, highlight=False)


def screen() -> Screen:
    """Return the reporter for a person at a terminal."""
    return Screen(Console(stderr=True))


def table(title: str, columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> Table:
    """Build a table; a column whose every value is a number stands to the right."""
    drawn = Table(title=title, title_justify="left", header_style="bold")
    for at, name in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[at], (int, float)) for row in rows)
        drawn.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(_shown(value) for value in row))
    return drawn


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004
    return f"{value:,}" if isinstance(value, int) else str(value)


def json_line(answer: Mapping[str, Any]) -> str:
    """Return ``answer`` as one line of JSON."""
    return orjson.dumps(answer, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY).decode()
