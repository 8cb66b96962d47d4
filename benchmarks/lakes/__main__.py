"""Play random histories against the oracle until so many are done, and say in one object what was found.

    python -m benchmarks.lakes --cases 1000 --json

Each finished case leaves a line in ``--state``: cut short and begun again it goes on where it stopped, as long as
the code is the same. Exit code 1 where a difference was found; the seed repeats it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.arguments import positive

STATE = Path(".kairos") / "lakes.jsonl"


def main() -> int:
    """Play; print the answer as one line of JSON, or as a table."""
    from benchmarks.lakes.running import Plan, run  # noqa: PLC0415  # children import this module, too

    chosen = _parser().parse_args()
    plan = Plan(
        cases=chosen.cases,
        seed=chosen.seed,
        seconds=chosen.seconds,
        processes=chosen.processes,
        state=chosen.state,
    )
    return run(plan, as_json=chosen.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=positive, default=1000, help="how many histories")
    parser.add_argument("--seed", type=int, default=1, help="the first history's seed; the next ones follow")
    parser.add_argument("--seconds", type=float, default=3600, help="begin no case after this time")
    parser.add_argument("--processes", type=positive, default=2, help="cases side by side")
    parser.add_argument("--state", type=Path, default=STATE, help="where finished cases are noted")
    parser.add_argument("--json", action="store_true", help="one object on the last line")
    return parser


if __name__ == "__main__":
    sys.exit(main())
