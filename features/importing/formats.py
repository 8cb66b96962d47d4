"""Date formats that say all a date needs: what is left open would be filled with January, midnight or 1900."""

from __future__ import annotations

import re

_CODE = re.compile(r"%-?(.?)", re.DOTALL)
_KNOWN = "aAbBdfgGHIjmMnpSTuUVwWyY%"
_INSTEAD = {
    "D": "%d",
    "e": "%d",
    "h": "%H",
    "i": "%M",
    "F": "%Y-%m-%d",
    "R": "%H:%M",
    "k": "%H",
    "l": "%I",
    "P": "%p",
    "N": "%n",
    "L": "%g",
    "s": "unit: seconds, without a format",
    "c": "each part by itself",
    "x": "each part by itself",
    "X": "each part by itself",
}
_FILLS = {"T": "HMS"}
_SAME = ({"Y", "y"}, {"m", "b", "B"}, {"H", "I"}, {"a", "A", "u", "w"}, {"f", "g", "n"})
_YEAR = {"Y", "y", "G"}
_MONTH = {"m", "b", "B"}
_WEEKDAY = {"a", "A", "u", "w"}
_UTC = re.compile(r"Z|UTC|GMT|[+-]\d\d:?\d\d")
_AT_ZERO = {"UTC", "UCT", "GMT", "Zulu", "Universal", "Greenwich", "GMT0", "GMT+0", "GMT-0"}
"""Names of the zone whose clock shows UTC, each also below ``Etc/``."""


def check_date(pattern: str) -> None:
    """Refuse a format that does not say year, month and day, each once.

    Raises:
        ValueError: naming the format, what it lacks or has too much, and the way out.
    """
    codes = _codes(pattern)
    if not _YEAR & codes:
        raise ValueError(f"format {pattern!r} has no year (%Y): without it every date would lie in 1900")
    if _is_dated(codes):
        return
    if not _MONTH & codes:
        slip = "; %M is the minute" if "M" in codes else ""
        raise ValueError(f"format {pattern!r} has no month (%m{slip}): every date would lie in January")
    raise ValueError(f"format {pattern!r} has no day (%d): every date would be the first of its month")


def check_moment(pattern: str, *, at: str | None, time_zone: str | None) -> None:
    """Refuse a format that leaves open when on its day, or says a zone that ``time_zone`` contradicts.

    Raises:
        ValueError: as :func:`check_date`.
    """
    check_date(pattern)
    codes = _codes(pattern)
    if not {"H", "I"} & codes and ({"M", "S", "p"} & codes or not at):
        what = (
            "no hour (%H)" if {"M", "S", "p"} & codes else 'no time of day: say which stands in, like at: "09:00"'
        )
        raise ValueError(f"format {pattern!r} has {what}")
    if "S" in codes and "M" not in codes:
        raise ValueError(f"format {pattern!r} has seconds but no minute (%M)")
    if "I" in codes and "p" not in codes:
        raise ValueError(f"format {pattern!r} has a clock of twelve hours (%I) without %p: write %H, or add %p")
    if "p" in codes and "I" not in codes:
        raise ValueError(f"format {pattern!r} has %p beside a clock of 24 hours (%H): write %I")
    said = _UTC.search(_CODE.sub("", pattern))
    if said and (time_zone or "").removeprefix("Etc/") not in _AT_ZERO:
        raise ValueError(
            f"format {pattern!r} has {said[0]!r}, which says another zone than {time_zone}: write time_zone: UTC, "
            "or leave format out, for texts with an offset are read as ISO 8601"
        )


def _is_dated(codes: set[str]) -> bool:
    return (
        ("d" in codes and bool(_MONTH & codes))
        or "j" in codes
        or (bool(_WEEKDAY & codes) and bool({"U", "W", "V"} & codes))
    )


def _codes(pattern: str) -> set[str]:
    """Return the codes of a format, those with another name for the same thing too.

    Raises:
        ValueError: one is not known, or two say the same thing: the later would win.
    """
    found: list[str] = []
    for code in _CODE.findall(pattern):
        if not code or code not in _KNOWN:
            instead = f"write {_INSTEAD[code]}" if code in _INSTEAD else "there are %Y %m %d %H %M %S and more"
            raise ValueError(f"format {pattern!r} has the code %{code}, which is not known: {instead}")
        found += _FILLS.get(code, code)
    for same in ({code} for code in set(found) - {"%"}):
        alike = next((each for each in _SAME if same <= each), same)
        twice = [code for code in found if code in alike]
        if len(twice) > 1:
            slip = " (%m is the month, %M the minute)" if "m" in alike else ""
            named = " and ".join(f"%{code}" for code in twice)
            raise ValueError(f"format {pattern!r} says one thing twice, with {named}{slip}")
    return set(found)
