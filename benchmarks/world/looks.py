"""How often somebody looked at the seeds that are judged: each look makes the next one worth less."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.world.plan import Plan

FILE = "looks.jsonl"


def look(plan: Plan, code: str, folder: Path) -> dict[str, Any]:
    """Write down that ``plan`` is looked at with ``code``, and return how many looks there were so far.

    A look is one state of the code at one length of play: a run that was killed and goes on, or is shown again, is
    the same look. It is written before anything is played: a run that is cut short has been looked at, too.
    """
    path = folder / FILE
    before = [orjson.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []
    kind = {"code": code[:16], "days": plan.days}
    if not any(kind.items() <= each.items() for each in before):
        told = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            **kind,
            "families": plan.families,
            "customers": plan.customers,
        }
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(orjson.dumps(told) + b"\n")
        before.append(told)
    return {"number": len(before), "code": code[:16], "log": str(path)}
