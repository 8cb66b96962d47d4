"""The YAML that people write, taken as written: no word, number, time or key changes its meaning in silence.

YAML 1.1 reads ``no`` as false, ``on`` as true, ``010`` as 8, ``21:30`` as 1290 and a bare date as a date. Here a
plain word is text unless it is ``true``, ``false``, ``null`` or a number in its usual form, and a key is always
text. What one reader takes for this number and another for that is refused with the way out. So is a file that
nests deeper or repeats more by aliases than people write: a few lines may hold a billion values.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping  # a frozen record's field
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from yaml.reader import ReaderError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Place = tuple[str | int, ...]
"""Where in a file something stands: keys and positions from the top."""

_TEXT = "tag:yaml.org,2002:str"
_MERGE = "<<"
"""``<<: *other``: what an entry has in common with another is written once."""
_KNOWN = {"": None, "~": None} | {
    form: value
    for word, value in (("null", None), ("true", True), ("false", False))
    for form in (word, word.capitalize(), word.upper())
}
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")  # 64 bits; what is longer is an id, to the last digit as text
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+|\.[0-9]+")
DEEPEST = 50
"""Lists and mappings within one another, those that aliases stand for too."""
MOST_REPEATED = 100_000
"""Values that stand in a file once and are meant again by aliases and merges. What is written out has no bound."""
_SHOWN = 80
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")


class YamlError(ValueError):
    """A file that cannot be read as YAML, or not in one way only: line, key, value and what would be right."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a file says, and in which line each thing of it begins."""

    data: Any
    lines: Mapping[Place, int]

    def line(self, place: Sequence[str | int]) -> int | None:
        """Return the line of ``place``, or of the nearest thing around it that the file has."""
        found: Place = ()
        for step in place:
            if (*found, step) in self.lines:
                found = (*found, step)
        return self.lines.get(found)


def shown(value: Any) -> str:
    """Return the beginning of what ``value`` looks like, of any size: nothing is written out to be cut off."""
    if isinstance(value, str):
        return repr(value[:_SHOWN])[:_SHOWN]
    return reprlib.repr(value)[:_SHOWN]


def load_yaml(path: Path) -> Any:
    """Return what the YAML file at ``path`` says; see :func:`read_yaml`."""
    return read_yaml(path).data


def read_yaml(path: Path) -> Written:
    """Return what the YAML file at ``path`` says, with its lines.

    Raises:
        OSError: the file cannot be opened.
        YamlError: it is no YAML, a key stands twice, a value could be taken in two ways, or the file holds more
            than :data:`DEEPEST` and :data:`MOST_REPEATED` allow.
    """
    content = path.read_bytes()
    try:
        root = yaml.compose(content, Loader=_Nodes)
    except ReaderError as error:
        raise YamlError(_unreadable(content, error)) from error
    except yaml.YAMLError as error:
        raise YamlError(str(error).replace(' in "<byte string>",', " in")) from error
    reader = _Reader()
    return Written(reader.value(root, ()) if root else None, reader.lines)


class _Nodes(yaml.BaseLoader):
    """Composes nodes and gives no plain scalar a kind. A tag would: it is refused, but for text's own."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # its stubs leave it out
        tag = getattr(event, "tag", None)
        if tag not in {None, "!", _TEXT}:
            raise YamlError(
                f"line {event.start_mark.line + 1}: the tag {tag!r} is not read: write the plain value"
            )
        self._depth += 1
        if self._depth > DEEPEST + 1:  # what the deepest list holds stands one deeper
            raise _too_deep(event.start_mark.line + 1)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if tag and isinstance(node, yaml.ScalarNode):
            node.style = node.style or '"'
        return node


class _Reader:
    """Turns nodes into values, and keeps where they stood."""

    def __init__(self) -> None:
        self.lines: dict[Place, int] = {}
        self._open: list[yaml.Node] = []
        self._seen: set[int] = set()
        self._repeated = 0

    def value(self, node: yaml.Node, place: Place) -> Any:
        """Return the value of a node that stands at ``place``."""
        self._count(node)
        self.lines.setdefault(place, _line(node))
        if isinstance(node, yaml.ScalarNode):
            return node.value if node.style else _plain(node, place)
        if any(node is outer for outer in self._open):
            raise YamlError(
                f"line {_line(node)}: {_name(place)} holds itself: an alias may not stand in its own anchor"
            )
        if len(self._open) >= DEEPEST:
            raise _too_deep(_line(node))
        self._open.append(node)
        held = (
            self._mapping(node, place)
            if isinstance(node, yaml.MappingNode)
            else [self.value(item, (*place, at)) for at, item in enumerate(node.value)]
        )
        self._open.pop()
        return held

    def _count(self, node: yaml.Node) -> None:
        self._repeated += id(node) in self._seen
        self._seen.add(id(node))
        if self._repeated > MOST_REPEATED:
            raise YamlError(
                f"line {_line(node)}: aliases repeat more than {MOST_REPEATED:,} values: "
                "write what is meant without aliases of aliases"
            )

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        own: dict[str, Any] = {}
        first: dict[str, int] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if _is_merge(key):
                merged = {**self._merge(value, place), **merged}
                continue
            name = _key(key, place)
            if name in own:
                raise YamlError(
                    f"line {_line(key)}: the key {name!r} is written more than once{_within(place)}, first in "
                    f"line {first[name]}: one would vanish in silence, so leave one out"
                )
            first[name] = self.lines[*place, name] = _line(key)
            own[name] = self.value(value, (*place, name))
        return {**merged, **own}

    def _merge(self, node: yaml.Node, place: Place) -> dict[str, Any]:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Any] = {}
        for part in parts:
            held = self.value(part, place)
            if not isinstance(held, dict):
                raise YamlError(
                    f"line {_line(part)}: << merges keys and values{_within(place)}, not {shown(held)}"
                )
            merged = {**held, **merged}
        return merged


def _too_deep(line: int) -> YamlError:
    return YamlError(f"line {line}: lists and mappings stand in one another more than {DEEPEST} deep")


def _unreadable(content: bytes, error: ReaderError) -> str:
    line = content[: error.position].count(b"\n") + 1
    return f"line {line}: {error.reason} at byte {error.position + 1}: save the file as UTF-8"


def _is_merge(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and not key.style and key.value == _MERGE


def _key(node: yaml.Node, place: Place) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise YamlError(
            f"line {_line(node)}: a key{_within(place)} is itself a list or a mapping: "
            "put quotes around a key with braces or brackets"
        )
    return str(node.value)


def _plain(node: yaml.ScalarNode, place: Place) -> Any:
    text = str(node.value)
    if text in _KNOWN:
        return _KNOWN[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    if _LEADING_ZERO.fullmatch(text):
        number = text.replace("_", "").lstrip("-+0") or "0"
        raise YamlError(
            f"line {_line(node)}: {_name(place)}: {text} is one number to some and another to other readers of "
            f'YAML: write {"-" * text.startswith("-")}{number} for the number, or "{text}" in quotes for the text'
        )
    return text


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _name(place: Place) -> str:
    return ".".join(map(str, place)) or "the file"


def _within(place: Place) -> str:
    return f" in {_name(place)}" if place else ""
