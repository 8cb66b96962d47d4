"""Ids that name nobody: what a program writes where it had no id, and blanks around one that it had.

Taken as ids they would make one person of all whose id was missing.
"""

from __future__ import annotations

import re

PLACEHOLDERS = (
    "null",
    "undefined",
    "nan",
    "none",
    "nil",
    "n/a",
    "#n/a",
    "(null)",
    "<null>",
    "<nil>",
    "<na>",
    r"\n",
    "[object object]",
    "-",
    "00000000-0000-0000-0000-000000000000",
)
"""What stands for "no id", in lower case. ``0`` is none of them: some shops have a customer of that number."""

_BLANK = r"\s\x{0085}\x{00a0}\x{1680}\x{2000}-\x{200b}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}"
_WORDS = "|".join(re.escape(each).replace(r"\ ", " ") for each in PLACEHOLDERS)
NOBODY = rf"(?i)^({_WORDS})\z|^[{_BLANK}]|[{_BLANK}]\z"
"""A pattern (of RE2) of the ids of nobody: one of the words, or a blank (a byte order mark is one) at an end."""

_NOBODY = re.compile(re.sub(r"\\x\{(\w+)\}", r"\\u\1", NOBODY).replace(r"\z", r"\Z"), re.ASCII)


def is_placeholder(text: str) -> bool:
    """Return whether ``text`` is an id of nobody.

    >>> [is_placeholder(each) for each in ("NULL", "[object Object]", " 7", "0", "nullbock")]
    [True, True, True, False, False]
    """
    return _NOBODY.search(text) is not None
