"""What a check of the lake found, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.console import table
from pipelines.jobs.inspecting import WAY_OUT, in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from pipelines.jobs.inspecting import LakeReport


def said(report: LakeReport) -> Iterator[RenderableType]:
    """Return how much there is, what is wrong with it, and the way out."""
    found = report.found
    yield f"{found.events:,} events, {found.customers:,} customers"
    yield table("Wrong in the lake", ("what", "how many"), list(found.faults.items()))
    yield from (f"  {file} is missing" for file in found.missing)
    yield from (f"  {file} cannot be read" for file in found.broken)
    if report.left is None and found.faults:
        yield f"put it right with: {WAY_OUT}"
    elif report.left is not None:
        left = report.left.faults
        yield f"left: {in_words(left)}" if left else "put right; build features anew: kairos features build"
