"""Delimited records out of lines: quoted fields may hold line breaks; what is no record is set apart."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from features.importing.texts import LONGEST, Line, Odd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from features.importing.texts import Lines

_QUOTE = '"'
_OPENING = re.compile(' *"')  # as DuckDB reads: blanks around a quoted field are no part of it
_INSIDE = re.compile(r'(?:[^"]++|"")*+')
_UNCLOSED = "a quote is opened and not closed"
_JUNK = "text stands after a closing quote"


def records(lines: Lines, delimiter: str, width: int | None = None) -> Iterator[list[str] | Odd]:
    """Yield every record of ``width`` fields (None: of any), and what is none, in order.

    A quote that is not closed cannot take the rest of the file along: where several lines make no record, the
    first is set apart and the others are read again. Blank lines are no records.
    """
    reading = _Reading(lines, delimiter, width)
    held: Odd | None = None  # its further lines are being read again: those that are odd belong to it
    while True:
        if held is None:
            yield from reading.plain()
        line = reading.next()
        if line is None:
            break
        if line.why is None and not line.text.rstrip("\r\n"):
            continue
        record = reading.record(line)
        if isinstance(record, Odd) and held is not None and record.number <= reading.until:
            held = Odd(held.number, held.text + "\n" + record.text, held.why)
            continue
        if held is not None:
            yield held
        held = record if isinstance(record, Odd) else None
        if not isinstance(record, Odd):
            yield record
    if held is not None:
        yield held


class _Reading:
    """Lines, some of which are read again."""

    def __init__(self, lines: Lines, delimiter: str, width: int | None) -> None:
        self._lines = lines
        self._again: deque[Line] = deque()
        self._delimiter = delimiter
        self._opening = re.compile(f'(?:^|{re.escape(delimiter)}) *"')
        self._width = width
        self.until = 0  # the last line of a record that was closed and yet is none

    def plain(self) -> Iterator[list[str]]:
        """Yield the records of lines that are seen at once to be good: nothing odd, no quote, as many fields."""
        while not self._again and self._width is not None:
            rows = [text.split(self._delimiter) for line in self._lines.many() if (text := line.rstrip("\r\n"))]
            if (
                not rows
                or set(map(len, rows)) != {self._width}
                or any(_QUOTE in line for line in self._lines.many())
            ):
                return
            self._lines.skip()
            yield from rows

    def next(self) -> Line | None:
        return self._again.popleft() if self._again else next(self._lines, None)

    def record(self, line: Line) -> list[str] | Odd:
        text = line.text
        if line.why and not _ended(line):
            return Odd(line.number, text, line.why)
        if _QUOTE not in text or not self._opening.search(text):
            return self._judged(line, text.rstrip("\r\n").split(self._delimiter), [])
        return self._quoted(line)

    def _quoted(self, line: Line) -> list[str] | Odd:
        taken: list[Line] = []
        length = len(line.text)

        def more() -> str | None:
            nonlocal length
            following = self.next()
            if following is None:
                return None
            taken.append(following)
            length += len(following.text)
            whole = following.why is None or _ended(following)
            return following.text if whole and length <= LONGEST else None

        fields = _split(line.text, self._delimiter, more)
        if isinstance(fields, str):
            self._again.extendleft(reversed(taken))
            return Odd(line.number, line.text.rstrip("\r\n"), line.why or fields)
        return self._judged(line, fields, taken)

    def _judged(self, line: Line, fields: list[str], taken: list[Line]) -> list[str] | Odd:
        why = next((part.why for part in (line, *taken) if part.why), None)
        if why is None and len(fields) != (self._width or len(fields)):
            why = f"it has {len(fields)} fields, the first line names {self._width}"
        if why is None:
            return fields
        if taken:
            self.until = taken[-1].number
            self._again.extendleft(reversed(taken))
        return Odd(line.number, line.text.rstrip("\r\n"), why)


def _ended(line: Line) -> bool:
    """Tell whether its end is there: of a line that was cut it is not."""
    return line.text[-1:] in ("\r", "\n")


def _split(text: str, delimiter: str, more: Callable[[], str | None]) -> list[str] | str:
    """Return the fields of the record that ``text`` begins, or why it is none; ``more`` gives further lines."""
    fields: list[str] = []
    at = 0
    while True:
        opening = _OPENING.match(text, at)
        if opening is None:
            stop = text.find(delimiter, at)
            if stop < 0:
                return [*fields, text[at:].rstrip("\r\n")]
            fields.append(text[at:stop])
            at = stop + 1
            continue
        parts, start = [], opening.end()
        while (end := _INSIDE.match(text, start).end()) == len(text):  # type: ignore[union-attr]
            parts.append(text[start:])
            following = more()
            if following is None:
                return _UNCLOSED
            text, start = following, 0
        fields.append("".join([*parts, text[start:end]]).replace('""', _QUOTE))
        at = end + 1
        while delimiter != " " and text.startswith(" ", at):
            at += 1
        if at == len(text) or text[at] in "\r\n":
            return fields
        if text[at] != delimiter:
            return _JUNK
        at += 1
