"""Which name was likely meant: for the end of an error about one that is not known."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LISTED = 20
"""Names that are listed; of more, those that are near are enough."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return which of ``known`` was likely meant, and which there are.

    >>> nearest("chanel", ["channel", "arm"])
    "did you mean 'channel'? There is: channel, arm"
    >>> nearest("x", [])
    'There is: nothing'
    """
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    meant = f"did you mean {near[0]!r}?" if near else ""
    if near and len(names) > _LISTED:
        return meant
    more = ", …" if len(names) > _LISTED else ""
    return f"{meant} There is: {', '.join(names[:_LISTED]) or 'nothing'}{more}".lstrip()
