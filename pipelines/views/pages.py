"""A page of Markdown in a terminal, or as it was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.markdown import Markdown, TableElement
from rich.text import Text

from pipelines.console import Drawn

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult


@dataclass(frozen=True, slots=True)
class Page:
    """A page of Markdown: set in a terminal, and as it was written elsewhere, where it may be kept as a file."""

    text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        yield _Set(self.text) if console.is_terminal else Text(self.text.rstrip("\n"))


class _Whole(TableElement):
    """A table of a page: Rich's own cuts cells that have no room."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        assert self.header is not None  # Markdown has no table without one
        assert self.header.row is not None
        columns = tuple(cell.content.plain for cell in self.header.row.cells)
        rows = self.body.rows if self.body else ()
        cells = tuple(tuple(cell.content.plain for cell in row.cells) for row in rows)
        yield Drawn("", columns, (False,) * len(columns), cells)


class _Set(Markdown):
    elements = {**Markdown.elements, "table_open": _Whole}  # noqa: RUF012  # Rich's own attribute
