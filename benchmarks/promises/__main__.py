"""Load, kills, faults and random worlds against the promises, and one object that says what came of it.

    python -m benchmarks.promises --json

Exit code 1 where a promise was broken.
"""

from __future__ import annotations

import argparse
import sys


def main() -> int:
    """Run the scoreboard; print it as one line of JSON, or as tables."""
    from benchmarks.promises.scoreboard import Effort, run  # noqa: PLC0415  # children import this module, too

    chosen = _parser().parse_args()
    effort = Effort(
        kills=chosen.kills, service_kills=chosen.service_kills, seconds=chosen.seconds, seed=chosen.seed
    )
    return run(effort, as_json=chosen.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=900, help="kill -9 of light workers, on both databases")
    parser.add_argument("--service-kills", type=int, default=100, help="kill -9 of the real service")
    parser.add_argument("--seconds", type=float, default=60, help="how long random worlds and draws are tried")
    parser.add_argument("--seed", type=int, default=1, help="another one draws other worlds, other moments")
    parser.add_argument("--json", action="store_true", help="one object on the last line")
    return parser


if __name__ == "__main__":
    sys.exit(main())
