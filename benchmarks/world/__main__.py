"""Play Kairos, what a company has without it, and the oracles in the same worlds, and say who is worth what.

    python -m benchmarks.world --json
    python -m benchmarks.world --judged --loop-seeds 1 --json

Killed and run again, it goes on. Exit code 1 where a world could not be played to its end, 2 where it was asked
wrongly.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from benchmarks.arguments import numbers, positive

DAYS = 60
ASKED_WRONGLY = 2


def main(days: int = DAYS, folder: str = "world") -> int:
    """Run the scoreboard over ``days`` days, keeping its records in ``folder`` below `.kairos/bench`."""
    from benchmarks.world.plan import JUDGED, Plan  # noqa: PLC0415  # children import this module, too
    from benchmarks.world.scoreboard import run  # noqa: PLC0415  # as above

    given = (parser := _parser(Path(".kairos/bench") / folder, days)).parse_args()
    seeds = JUDGED if given.judged else given.seeds or range(1, given.seeds_per_family + 1)
    try:
        plan = Plan(
            families=tuple(given.families.split(",")) if given.families else None,
            seeds=tuple(seeds),
            customers=given.customers,
            days=given.days,
            folder=given.folder,
            judged=given.judged,
            loop_seeds=given.loop_seeds,
            swaps=given.swaps,
        )
    except ValueError as error:
        parser.exit(ASKED_WRONGLY, f"kairos bench: {error}\n")
    return run(plan, jobs=given.jobs, fresh=given.fresh, as_json=given.json)


def _parser(folder: Path, days: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", help="names, separated by commas; all of them without it")
    seeds = parser.add_mutually_exclusive_group()
    seeds.add_argument("--seeds-per-family", type=positive, default=3, help="seeds 1 to so many")
    seeds.add_argument("--seeds", type=numbers, help="numbers, separated by commas")
    seeds.add_argument(
        "--judged", action="store_true", help="the seeds that count, 101 to 110; the look is logged"
    )
    parser.add_argument("--customers", type=positive, default=2000)
    parser.add_argument("--days", type=int, default=days, help="60, or 180: what lies between has no score")
    parser.add_argument(
        "--loop-seeds", type=int, default=0, help="so many of the seeds are played by the whole product, too"
    )
    parser.add_argument("--swaps", action="store_true", help="swap Kairos's axes one by one: takes hours")
    parser.add_argument("--jobs", type=positive, default=min(2, os.cpu_count() or 1), help="worlds at a time")
    parser.add_argument("--folder", type=Path, default=folder, help="where records are kept")
    parser.add_argument("--fresh", action="store_true", help="play again what was played before")
    parser.add_argument("--json", action="store_true", help="one object on the last line")
    return parser


if __name__ == "__main__":
    sys.exit(main())
