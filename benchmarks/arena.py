"""What are Kairos's values worth by themselves? Its value model plays known worlds from the log alone.

A minute's look at an idea: the plays of `kairos bench world` without its oracles, without what comes after in the
policy's own hand, and without the floors that no verdict rests on. What was tuned for one is tuned for the other.

    kairos bench arena --seeds 11,12 --json

Yardstick: silence, the static policy, the composite of rivals' rules; tuned in another world of the family.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.arguments import numbers, positive
from benchmarks.machine import machine
from benchmarks.world.bars import COMPOSITE, STATIC
from benchmarks.world.figures import euros
from benchmarks.world.panel import Panel
from benchmarks.world.plan import Plan
from benchmarks.world.scoreboard import Runner, work
from pipelines import console
from pipelines.console import Screen, table
from simulation.shop import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from benchmarks.world.units import Record

KAIROS = "kairos"
FLOORS = {"silence": None, "static": STATIC, "composite": COMPOSITE}
"""By what it is called here: the policy's name in a record; silence is worth nothing, unplayed."""
_ASKED_WRONGLY = 2


def main() -> int:
    """Play, say what came of it, and return the exit code: 1 where a world failed."""
    given = (parser := _parser()).parse_args()
    try:
        plan = Plan(
            families=tuple(given.families.split(",")) if given.families else None,
            seeds=tuple(given.seeds),
            customers=given.customers,
            days=given.days,
            folder=given.folder,
        )
    except ValueError as error:
        parser.exit(_ASKED_WRONGLY, f"kairos bench: {error}\n")
    answer = measure(plan, jobs=given.jobs)
    console.answer(_shown(answer), answer, as_json=given.json)
    return 1 if answer["failed"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", help="names, separated by commas; all of them without it")
    parser.add_argument("--seeds", type=numbers, default=[1, 2, 3], help="numbers, separated by commas")
    parser.add_argument("--customers", type=positive, default=2000)
    parser.add_argument("--days", type=int, choices=(60, 180), default=60)
    parser.add_argument("--jobs", type=positive, default=min(2, os.cpu_count() or 1), help="worlds at a time")
    parser.add_argument("--folder", type=Path, default=Path(".kairos/bench/world"), help="where records are kept")
    parser.add_argument("--json", action="store_true", help="one object on the last line")
    return parser


def measure(plan: Plan, *, jobs: int) -> dict[str, Any]:
    """Return the answer, as ``--json`` prints it; what the plan's folder holds already is not played again."""
    from benchmarks.world.study import glance  # noqa: PLC0415  # only children play

    begin = time.monotonic()
    with Screen() as screen:
        runner = Runner(plan, jobs, fresh=False, progress=screen)
        played = {unit.family for unit in plan.units}
        tuning = runner.tune(work(), [unit for unit in plan.tuned if unit.family in played])
        tuned = {record["family"]: record for record in tuning.records}
        known = [unit for unit in plan.units if unit.family in tuned]
        ran = runner.run("worlds played", "glance", known, partial(glance, tuned=tuned))
    return {
        "benchmark": "arena",
        "yardstick": (__doc__ or "").split("Yardstick: ", 1)[1].strip(),
        **judged(ran.records),
        "failed": {**tuning.failed, **ran.failed},
        "machine": machine(),
        "seconds": time.monotonic() - begin,
    }


def judged(records: Sequence[Record]) -> dict[str, Any]:
    """Return means over families, each counting alike, and Kairos less each floor with its plain 95% interval."""
    if not records:
        return {"worlds": 0, "policies": {}, "differences": {}, "by_family": {}}
    panel = Panel(records)
    return {
        "worlds": len(records),
        "policies": {name: panel.mean(_worth(panel, name)) for name in (KAIROS, *FLOORS)},
        "differences": {floor: euros(panel, _worth(panel, KAIROS) - _worth(panel, floor)) for floor in FLOORS},
        "by_family": {family: _of_family(panel.of(family)) for family in panel.families},
        "seconds_a_play": float(np.mean([record["seconds"]["play"] for record in records])),
    }


def _of_family(panel: Panel) -> dict[str, Any]:
    customers = np.array([record["customers"] for record in panel.records])
    return {
        **{name: panel.mean(_worth(panel, name)) for name in (KAIROS, *FLOORS)},
        "sent": panel.mean(panel.column(KAIROS, "sent") / customers),
        "lost": panel.mean(panel.column(KAIROS, "unsubscribed") / customers),
        "slope": {channel: _slope(panel.records, channel) for channel in CHANNELS},
    }


def _worth(panel: Panel, name: str) -> Any:
    policy = FLOORS.get(name, name)
    return np.zeros(len(panel.records)) if policy is None else panel.column(policy)


def _slope(records: Sequence[Record], channel: str) -> float | None:
    found = [record["slope"][channel]["slope"] for record in records]
    known = [each for each in found if each is not None]
    return float(np.mean(known)) if known else None


def _shown(answer: Mapping[str, Any]) -> list[RenderableType]:
    columns = ("family", KAIROS, *FLOORS, "sent", *(f"slope {channel}" for channel in CHANNELS))
    rows = [
        (
            family,
            *(round(found[name], 3) for name in (KAIROS, *FLOORS)),
            round(found["sent"], 1),
            *("–" if found["slope"][each] is None else round(found["slope"][each], 2) for each in CHANNELS),
        )
        for family, found in answer["by_family"].items()
    ]
    means = ", ".join(f"{name} {value:.3f}" for name, value in answer["policies"].items())
    return [table("€ a customer; messages sent; slope of the truth on V", columns, rows), f"Mean: {means} €."]


if __name__ == "__main__":
    sys.exit(main())
