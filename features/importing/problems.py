"""What can go wrong with an import, by whose fault it is."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class MappingError(ValueError):
    """The mapping is wrong: the message names the key, its value and what would be right."""


class ImportRefusedError(ValueError):
    """A strict import met rows that break a rule. Nothing was imported; the quarantine holds the rows."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``known`` as text for an error, with the likeliest meant one first, where one is near."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}There is: {', '.join(names) or 'nothing'}"
