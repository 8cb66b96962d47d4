"""What a row of a benchmark comes to, in words that need no code: read off the interval alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NONE = "see below"
REMARKED = ", see below"
MEANINGS = {
    "ahead": "the whole interval is on the better side of 1",
    "behind": "the whole interval is on the worse side",
    "no clear difference": "it holds 1",
    "consistent": "it holds the 1 it should be near, as a wide one easily does",
    "differs": "it does not",
}
"""Every verdict but those on rows where no side is the better one, and what it says of the ratio's interval."""


def verdict(row: Mapping[str, Any]) -> str:
    """Return what the interval of ``row`` says, one of ``MEANINGS``, lower or higher, and if there is a remark."""
    if row["interval"] is None:
        return NONE
    return _of_interval(row) + (REMARKED if row["note"] else "")


def _of_interval(row: Mapping[str, Any]) -> str:
    low, high = row["interval"]
    holds = low <= 1 <= high
    match row["better"]:
        case "near 1":
            return "consistent" if holds else "differs"
        case "higher" | "lower" as side:
            return _judged(holds=holds, won=(low > 1) == (side == "higher"))
        case _:
            return "no clear difference" if holds else "higher" if low > 1 else "lower"


def _judged(*, holds: bool, won: bool) -> str:
    if holds:
        return "no clear difference"
    return "ahead" if won else "behind"


def aimed(row: Mapping[str, Any]) -> str:
    """Return whether a figure of a world's log is within the tolerance of its target."""
    if row["within"] is None:
        return "no tolerance stated"
    if row["within"]:
        return "within"
    reach = row["tolerance"] * row["target"]
    near = (
        row["interval"]
        and row["interval"][0] <= row["target"] + reach
        and row["interval"][1] >= row["target"] - reach
    )
    return "**out**, its interval reaches in" if near else "**out**"
