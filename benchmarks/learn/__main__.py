"""`python -m benchmarks.learn`: see the package."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import benchmarks.learn
from benchmarks.arguments import positive
from benchmarks.learn import coverage, loop, verdicts
from benchmarks.machine import line, machine
from pipelines.console import answer, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.answer import Row


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=benchmarks.learn.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=positive, default=100_000)
    parser.add_argument(
        "--seeds", type=positive, default=200, help="shops for the coverage; a fiftieth for the loop"
    )
    parser.add_argument(
        "--nulls", type=positive, default=500, help="null worlds; a fifth as many where people differ"
    )
    parser.add_argument("--json", action="store_true", help="one object on the last line")
    given, begin = parser.parse_args(arguments), time.monotonic()
    parts: dict[str, Any] = {
        "coverage": coverage.measure(given.customers, given.seeds),
        "loop": loop.measure(given.customers, max(2, given.seeds // 50)),
        "verdicts": verdicts.measure(given.nulls, max(2, given.nulls // 5)),
    }
    rows = [*coverage.rows(parts["coverage"]), *loop.rows(parts["loop"]), *verdicts.rows(parts["verdicts"])]
    told = {"rows": [asdict(row) for row in rows], **parts}
    found, seconds = machine(), time.monotonic() - begin
    shown = [_table(rows), f"{line(found)}; {seconds:.0f} s"]
    answer(shown, {**told, "machine": found, "seconds": seconds}, as_json=given.json)
    return 0


def _table(rows: Sequence[Row]) -> Any:
    columns = ("case", "measure", "ours", "yardstick", "theirs", "ratio", "95%")
    shown = [
        (
            row.case,
            row.measure,
            row.ours,
            row.yardstick,
            row.theirs,
            row.ratio,
            "–" if row.interval is None else f"{row.interval[0]:.3g} to {row.interval[1]:.3g}",
        )
        for row in rows
    ]
    return table("What the loop learns", columns, shown)


if __name__ == "__main__":
    sys.exit(main())
