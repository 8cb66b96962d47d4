"""What a command says: its answer on standard output, progress and warnings on standard error.

The answer is for people, or with ``--json`` one object on the last line for programs; what people would read
then goes to standard error. No cell of a table is ever cut: without a terminal lines are as long as they must be,
and in a terminal too narrow for a table each of its rows becomes a list.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import orjson
from rich.cells import cell_len
from rich.console import Console, Group
from rich.measure import Measurement
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from rich.console import ConsoleOptions, RenderableType, RenderResult
    from rich.progress import TaskID

SMALL = 1000
"""Numbers below it keep four digits, numbers above are rounded to whole ones."""

_ENDLESS = 1_000_000
"""The width of what is no terminal: a file, a pager and a program wrap for themselves, or not at all."""


class Screen:
    """Progress bars and remarks on standard error, so that standard output holds the answer alone."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or paper(stderr=True)
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


def paper(*, stderr: bool = False) -> Console:
    """Return what to write on: as wide as the terminal, and without a terminal as wide as what is written."""
    console = Console(stderr=stderr, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _ENDLESS
    return console


def answer(shown: Iterable[RenderableType], told: Mapping[str, Any], *, as_json: bool) -> None:
    """Say a command's answer: ``shown`` to people, or ``told`` to a program, with ``shown`` on standard error."""
    console = paper(stderr=as_json)
    for part in shown:
        console.print(part)
    if as_json:
        tell(told)


def tell(told: Mapping[str, Any]) -> None:
    """Write ``told`` to standard output as one line of JSON: in UTF-8, whatever the terminal's encoding."""
    line = json_line(told)
    if (sys.stdout.encoding or "").lower().replace("-", "") == "utf8":
        print(line, flush=True)  # noqa: T201  # a command's answer
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(line.encode() + b"\n")
    sys.stdout.buffer.flush()


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> RenderableType:
    """Return a table below its title; a column whose every value is a number stands to the right.

    Without rows there is only the title, and the word *none*.
    """
    if not rows:
        return Text.assemble((title, "bold"), ": none")
    numeric = [all(isinstance(row[at], (int, float)) for row in rows) for at in range(len(columns))]
    cells = [tuple(_shown(value) for value in row) for row in rows]
    return Drawn(title, tuple(columns), tuple(numeric), tuple(cells))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A table that is drawn as the place allows: with lines, plain where no terminal is, or row by row."""

    title: str
    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    cells: tuple[tuple[str, ...], ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        yield Text(self.title, style="bold")  # a title of the table's own would wrap at its width
        drawn = self._table()
        if not console.is_terminal:
            yield from self._lines()
        elif Measurement.get(console, options.update(width=_ENDLESS), drawn).minimum <= options.max_width:
            yield drawn
        else:
            yield from self._lists()

    def _lines(self) -> RenderResult:
        """Yield a line for each row, in columns."""
        rows = [[" ".join(cell.split("\n")) for cell in row] for row in (self.columns, *self.cells)]
        widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            places = zip(row, widths, self.numeric, strict=True)
            padded = [_padded(cell, width, left=numeric) for cell, width, numeric in places]
            yield Text("  ".join(padded).rstrip())

    def _table(self) -> Table:
        drawn = Table(header_style="bold")
        for name, numeric in zip(self.columns, self.numeric, strict=True):
            drawn.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
        for row in self.cells:
            drawn.add_row(*map(Text, row))
        return drawn

    def _lists(self) -> RenderResult:
        """Yield each row as lines of name and value, for a terminal in which no word of the table has room."""
        for row in self.cells:
            yield Text("·")
            for name, cell in zip(self.columns, row, strict=True):
                yield Text(f"{name}: {cell}", overflow="fold")


def _padded(cell: str, width: int, *, left: bool) -> str:
    space = " " * (width - cell_len(cell))  # some characters take two places
    return space + cell if left else cell + space


@dataclass(frozen=True, slots=True)
class Card:
    """Lines within a frame, or without one where there is no terminal. Title and lines may be marked up."""

    title: str
    lines: tuple[str, ...]
    foot: str
    colour: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        inside = "\n".join(self.lines)
        if console.is_terminal:
            yield Panel(inside, title=self.title, title_align="left", border_style=self.colour, subtitle=self.foot)
        else:
            yield Group(self.title, inside, self.foot)


@dataclass(frozen=True, slots=True)
class Heading:
    """A title across the terminal; a line of its own elsewhere. It may be marked up."""

    text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        yield Rule(self.text) if console.is_terminal else self.text


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


def json_line(told: Mapping[str, Any]) -> str:
    """Return ``told`` as one line of JSON. A number that is none (NaN, infinity) is null."""
    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_SERIALIZE_DATACLASS
    return orjson.dumps(told, default=_plain, option=options).decode()


def _plain(value: object) -> object:
    """Return what orjson does not know as something it does: libraries have numbers and mappings of their own."""
    match value:
        case float():
            return float(value)  # a subclass, as tea-tasting's
        case Mapping():
            return dict(value)
        case tuple():
            return list(value)
        case frozenset() | set():
            return sorted(value, key=str)
        case Path():
            return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
