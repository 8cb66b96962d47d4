"""Sets of moments as sorted, disjoint, half-open spans of whole UTC seconds.

Every rule about time is such a set of forbidden moments, whatever it is about; what is permitted is the horizon
without their union. Integers, so that nothing is lost to rounding at an edge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Span = tuple[int, int]
Spans = tuple[Span, ...]

DAWN = -(2**40)
"""Before every moment of interest."""
NEVER = 2**40
"""The end of what does not pass."""
ALWAYS: Spans = ((DAWN, NEVER),)


def union(spans: Iterable[Span]) -> Spans:
    """Return the moments that lie in any of ``spans``, touching ones joined, empty ones left out."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def clip(spans: Spans, start: int, end: int) -> Spans:
    """Return the part of ``spans`` within [``start``, ``end``)."""
    return tuple((max(a, start), min(b, end)) for a, b in spans if a < end and b > start)


def without(span: Span, blocked: Spans) -> Spans:
    """Return what is left of ``span`` outside ``blocked`` (sorted and disjoint)."""
    left: list[Span] = []
    at, end = span
    for a, b in blocked:
        if b <= at:
            continue
        if a >= end:
            break
        if a > at:
            left.append((at, a))
        at = b
    return (*left, (at, end)) if at < end else tuple(left)


def end_of(spans: Spans, moment: int) -> int | None:
    """Return the end of the span that holds ``moment``; None where no span does, or where it never ends."""
    for start, end in spans:
        if start <= moment < end:
            return end if end < NEVER else None
    return None


def stacked(spans: Iterable[Span], depth: int) -> Spans:
    """Return the moments that lie in at least ``depth`` (≥ 1) of ``spans``, which may overlap."""
    edges = sorted(edge for start, end in spans if start < end for edge in ((start, 1), (end, -1)))
    found: list[Span] = []
    level, since = 0, 0
    for at, step in edges:
        if level < depth <= level + step:
            since = at
        elif level >= depth > level + step:
            found.append((since, at))
        level += step
    return union(found)
