"""What the command says: progress and tables for people on standard error, one JSON object for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import orjson
from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from rich.console import RenderableType
    from rich.progress import TaskID

SMALL = 1000
"""Numbers below it keep four digits, numbers above are rounded to whole ones."""


class Screen:
    """Progress bars and remarks on standard error, so that standard output stays clean for programs."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<44}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the bars as they stand."""
        self._bars.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Move the stage's bar; a stage that was not seen before gets one."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=total)
        self._bars.update(self._tasks[stage], completed=done, total=total)

    def say(self, what: RenderableType) -> None:
        """Write above the bars."""
        self._bars.console.print(what)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> RenderableType:
    """Return a table below its title; a column whose every value is a number stands to the right.

    Without rows there is only the title, and the word *none*.
    """
    if not rows:
        return f"[bold]{title}[/bold]: none"
    drawn = Table(header_style="bold")
    for at, name in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[at], (int, float)) for row in rows)
        drawn.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(_shown(value) for value in row))
    return Group(f"[bold]{title}[/bold]", drawn)  # a title of the table's own would wrap at its width


def _shown(value: object) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.4g}" if abs(value) < SMALL else f"{value:,.0f}"
        case _:
            return str(value)


def json_line(answer: Mapping[str, Any]) -> str:
    """Return ``answer`` as one line of JSON."""
    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_SERIALIZE_DATACLASS
    return orjson.dumps(answer, option=options).decode()
