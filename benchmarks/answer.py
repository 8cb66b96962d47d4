"""How a benchmark of a public data set answers: ours beside a yardstick, the machine, one object of JSON."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from benchmarks.machine import line, machine
from measures.outcome import Interval, NotComputable, Outcome
from pipelines import console


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison. ``ratio`` is ours over the yardstick's, ``interval`` that of the ratio."""

    case: str
    measure: str
    better: str
    ours: float | None
    yardstick: str
    theirs: float
    ratio: float | None
    interval: tuple[float, float] | None
    why: str | None = None
    note: str | None = None
    """What a reader must know before believing the row."""

    @classmethod
    def of(cls, outcome: Outcome, *, theirs: float, case: str, measure: str, better: str, yardstick: str) -> Row:
        """Return the row of ``outcome``, an estimate of ours over theirs."""
        about: dict[str, Any] = {
            "case": case,
            "measure": measure,
            "better": better,
            "yardstick": yardstick,
            "theirs": theirs,
        }
        if isinstance(outcome, NotComputable):
            return cls(**about, ours=None, ratio=None, interval=None, why=outcome.reason)
        return cls(
            **about,
            ours=outcome.estimate * theirs,
            ratio=outcome.estimate,
            interval=(outcome.low, outcome.high),
        )

    @classmethod
    def beside(
        cls, outcome: Outcome, *, theirs: float, case: str, measure: str, better: str, yardstick: str
    ) -> Row:
        """Return the row of ``outcome``, an estimate of ours beside a yardstick that is a known number."""
        return cls.of(
            scaled(outcome, theirs), theirs=theirs, case=case, measure=measure, better=better, yardstick=yardstick
        )


def scaled(outcome: Outcome, by: float) -> Outcome:
    """Return an outcome in units of ``by``, a positive number."""
    if isinstance(outcome, NotComputable):
        return outcome
    if not (math.isfinite(by) and by > 0):
        return NotComputable(f"the yardstick {by} is no positive number to compare with")
    return Interval(
        estimate=outcome.estimate / by,
        low=outcome.low / by,
        high=outcome.high / by,
        level=outcome.level,
        n=outcome.n,
    )


Measured = tuple[Sequence[Row], Mapping[str, Any]]
"""The rows, and whatever else the benchmark has to say."""


def answer(
    about: str | None,
    measure: Callable[[Any, argparse.Namespace], Measured],
    *,
    options: Iterable[tuple[str, int]] = (),
    packaged: str | None = None,
    arguments: Sequence[str] | None = None,
) -> int:
    """Measure as the command line says, print tables or JSON, and return the exit code: 2 where data are missing.

    ``measure`` takes the folder of ``--data``. ``options`` are whole numbers by name, each with its default.
    ``packaged`` says what ``--data`` is for where the set comes with a package: it may be left out, and is None.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, required=packaged is None, help=packaged or "the folder with its files"
    )
    parser.add_argument("--json", action="store_true", help="one object on the last line")
    for name, default in options:
        parser.add_argument(f"--{name}", type=int, default=default)
    given, begin = parser.parse_args(arguments), time.monotonic()
    try:
        rows, more = measure(given.data, given)
    except FileNotFoundError as error:
        if given.data is None:
            raise
        print(f"{Path(str(error.filename)).name} is not in {given.data}: the set is missing", file=sys.stderr)  # noqa: T201
        return 2
    _print(rows, more, seconds=time.monotonic() - begin, as_json=given.json)
    return 0


def _print(rows: Sequence[Row], more: Mapping[str, Any], *, seconds: float, as_json: bool) -> None:
    found = machine()
    columns = ("case", "measure", "better", "ours", "yardstick", "theirs", "ratio", "95%")
    shown = [
        console.table("Ours beside the yardstick", columns, [_shown(row) for row in rows]),
        *(Text(f"{row.case}, {row.measure}: {row.note}") for row in rows if row.note),
        f"{line(found)}; {seconds:.0f} s",
        *(Text(f"{name}: {json.dumps(value, indent=1)}") for name, value in more.items() if not as_json),
    ]
    told = {"rows": [asdict(row) for row in rows], **more, "machine": found, "seconds": seconds}
    console.answer(shown, told, as_json=as_json)


def _shown(row: Row) -> tuple[object, ...]:
    span = "–" if row.interval is None else f"{row.interval[0]:.3g} to {row.interval[1]:.3g}"
    return (row.case, row.measure, row.better, row.ours, row.yardstick, row.theirs, row.ratio, row.why or span)
