"""What a family's numbers come to, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.world.comparing import KAIROS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LITTLE = 0.05
"""Euros per customer: about what one SMS costs. A gap that is smaller is nothing to gain."""


def verdict(found: Mapping[str, Any]) -> str:
    """Return a family's verdict: what there is to gain, what of it Kairos gains, and against whom it loses.

    Judged together, a family's few worlds hardly ever show a difference. So Kairos less the floor and less its
    best rival stand beside, each with an interval of its own that is marked as such.
    """
    plainly = "; ".join(_plainly(found))
    return f"{_room(found)}. {plainly}{'. ' if plainly else ''}{_rivals(found['differences'])}."


def nothing_to_gain(found: Mapping[str, Any]) -> bool:
    """Return whether planning with the whole truth is shown to add less than :data:`LITTLE` to the floor."""
    interval = found["room"]["interval"]
    return interval is not None and interval[1] < LITTLE


def _room(found: Mapping[str, Any]) -> str:
    room, kairos = found["room"], found["policies"].get(KAIROS)
    if room["interval"] is None:
        return f"Not known what there is to gain: {room['why']}"
    low, high = room["interval"]
    gap = f"{room['value']:.3f} € per customer lie between floor and planning oracle ({low:.3f} to {high:.3f})"
    if nothing_to_gain(found):
        return f"Nothing to gain: {gap}"
    if low < LITTLE:
        return f"Whether there is anything to gain cannot be told: {gap}"
    return f"{gap}; {_captured(kairos)}"


def _plainly(found: Mapping[str, Any]) -> Iterator[str]:
    if above := found.get("above_floor"):
        yield f"Kairos − floor {_euros(above)}"
    if best := found.get("best_rival"):
        yield f"Kairos − {best['name']}, of all whole rivals at free volume the best by its mean, {_euros(best)}"


def _euros(row: Mapping[str, Any]) -> str:
    if row["interval"] is None:
        return f"{row['value']:+.3f} € (no interval: {row['why']})"
    low, high = row["interval"]
    return f"{row['value']:+.3f} € (plain 95%, by itself: {low:+.3f} to {high:+.3f})"


def _captured(kairos: Mapping[str, Any] | None) -> str:
    if kairos is None:
        return "Kairos did not play"
    if kairos["gap_captured"] is None:
        return f"what Kairos captures cannot be said: {kairos['why']}"
    low, high = kairos["interval"]
    return f"Kairos captures {kairos['gap_captured']:.0%} of it ({low:.0%} to {high:.0%})"


def _rivals(differences: Mapping[str, Any]) -> str:
    told = {name: row["interval"] for name, row in differences.items() if row["interval"]}
    ahead = [name for name, (low, _) in told.items() if low > 0]
    behind = [name for name, (_, high) in told.items() if high < 0]
    even = len(told) - len(ahead) - len(behind)
    found = f"ahead of {len(ahead)}, no difference shown to {even}, behind {', '.join(behind) or 'none'}"
    return f"Against {len(told)} rivals, judged together: {found}"
