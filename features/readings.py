"""A refused row read in every way it can be: an id in it may be escaped as JSON or CSV would have it, or both."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from features.contracts.words import is_encodable

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEPTH = 3
"""How often a text is taken out of its escapes: JSON within CSV within JSON."""
_LONGEST = 400
"""An id is at most half as long."""

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_CUTS = tuple(re.compile(cut) for cut in (",", ";", r"\t", r"\|", ":", '"', r"[\s,;|:={}\[\]()<>\"']+"))
_QUOTED = tuple(re.compile(inside, re.DOTALL) for inside in (r'"((?:[^"\\]|\\.)*)"', r'"((?:[^"]|"")*)"'))
"""What stands in quotes, as JSON and as CSV have them."""


def readings(row: str) -> set[str]:
    """Return the texts of a row (JSON), each as it stands and out of its escapes."""
    return _out_of_escapes(set(_texts(_parsed(row))))


def candidates(row: str) -> set[str]:
    """Return everything in a row that may be an id: its texts, their fields and words, what stands in quotes."""
    found: set[str] = set()
    for text in readings(row):
        found.add(text)
        for pattern in _QUOTED:
            found.update(pattern.findall(text))
        for cut in _CUTS:
            found.update(cut.split(text))
    short = _out_of_escapes({each for each in found if len(each) <= _LONGEST})
    trimmed = {out for text in short for out in (text, text.strip(), text.strip(" \t'\""))}
    return {each for each in trimmed if each and is_encodable(each)}


def _out_of_escapes(texts: set[str]) -> set[str]:
    found = fresh = texts
    for _ in range(_DEPTH):
        fresh = {out for text in fresh for out in (_undoubled(text), _unescaped(text))} - found
        found = found | fresh
    return found


def _parsed(row: str) -> Any:
    try:
        return json.loads(row, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return row


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield from part
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
        elif isinstance(part, str):
            yield part


def _undoubled(text: str) -> str:
    return text.replace('""', '"')


def _unescaped(text: str) -> str:
    out = (
        _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _SHORT.get(m[2], m[2]), text)
        if "\\" in text
        else text
    )
    return out.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if out is not text else text
