"""What a row of a benchmark comes to, in words that need no code: read off the interval alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NONE = "no answer"
MEANINGS = {
    "ahead": "the whole interval is on the better side of 1",
    "behind": "the whole interval is on the worse side",
    "no clear difference": "it holds 1",
    "agrees": "it holds the 1 it should be near",
    "differs": "it does not",
}
"""Every verdict but those on rows where no side is the better one, and what it says of the ratio's interval."""


def verdict(row: Mapping[str, Any]) -> str:
    """Return what the interval of ``row`` says: one of ``MEANINGS``, lower, higher, or that there is none."""
    if row["interval"] is None:
        return NONE
    low, high = row["interval"]
    holds = low <= 1 <= high
    match row["better"]:
        case "near 1":
            return "agrees" if holds else "differs"
        case "higher" | "lower" as side:
            return _judged(holds=holds, won=(low > 1) == (side == "higher"))
        case _:
            return "no clear difference" if holds else "higher" if low > 1 else "lower"


def _judged(*, holds: bool, won: bool) -> str:
    if holds:
        return "no clear difference"
    return "ahead" if won else "behind"
