"""What are Kairos's values worth by themselves? Its value model plays known worlds from the log alone.

The model (`decisions/worth`) counts what messages did, day by day, and chooses; nothing is trained, served or held
back, so that a world takes seconds. A minute's look at an idea comes before hours of `kairos bench world`.

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

from benchmarks.arguments import positive
from benchmarks.fingerprint import fingerprint
from benchmarks.machine import machine
from benchmarks.world.running import play_by, run_units
from benchmarks.world.units import MADE_BY, TUNED_IN, TUNING_CUSTOMERS, Store, Unit
from measures import stratified
from measures.outcome import NotComputable
from pipelines import console
from pipelines.console import Screen, table
from simulation.families import FAMILIES, named
from simulation.shop import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from benchmarks.world.units import Record

KAIROS = "kairos"
FLOORS = ("silence", "static", "composite")
_ASKED_WRONGLY = 2


def main() -> int:
    """Play, say what came of it, and return the exit code: 1 where a world failed."""
    given = (parser := _parser()).parse_args()
    try:
        families = [named(name).name for name in (given.families.split(",") if given.families else FAMILIES)]
    except ValueError as error:
        parser.exit(_ASKED_WRONGLY, f"kairos bench: {error}\n")
    units = [
        Unit(family=family, seed=seed, customers=given.customers, days=given.days)
        for seed in given.seeds
        for family in families
    ]
    answer = measure(units, Store(given.folder, fingerprint(MADE_BY)), jobs=given.jobs)
    console.answer(_shown(answer), answer, as_json=given.json)
    return 1 if answer["failed"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", help="names, separated by commas; all of them without it")
    parser.add_argument("--seeds", type=_seeds, default=[1, 2, 3], help="numbers, separated by commas")
    parser.add_argument("--customers", type=positive, default=2000)
    parser.add_argument("--days", type=int, choices=(60, 180), default=60)
    parser.add_argument("--jobs", type=positive, default=min(2, os.cpu_count() or 1), help="worlds at a time")
    parser.add_argument("--folder", type=Path, default=Path(".kairos/bench/arena"), help="where records are kept")
    parser.add_argument("--json", action="store_true", help="one object on the last line")
    return parser


def _seeds(words: str) -> list[int]:
    return [positive(word) for word in words.split(",")]


def measure(units: Sequence[Unit], store: Store, *, jobs: int) -> dict[str, Any]:
    """Return the answer, as ``--json`` prints it; what ``store`` holds already is not played again."""
    begin = time.monotonic()
    families = dict.fromkeys(unit.family for unit in units)
    tuning = [Unit(family=family, seed=TUNED_IN, customers=TUNING_CUSTOMERS) for family in families]
    with Screen() as screen:
        tuned_ran = run_units("families tuned", tuning, _by(store, tune), store, jobs=jobs, progress=screen)
        tuned = {record["family"]: record for record in tuned_ran.records}
        known = [unit for unit in units if unit.family in tuned]
        ran = run_units(
            "worlds played", known, _by(store, partial(study, tuned=tuned)), store, jobs=jobs, progress=screen
        )
    return {
        "benchmark": "arena",
        "yardstick": (__doc__ or "").split("Yardstick: ", 1)[1].strip(),
        **judged(ran.records),
        "failed": {**tuned_ran.failed, **ran.failed},
        "machine": machine(),
        "seconds": time.monotonic() - begin,
    }


def _by(store: Store, play: Any) -> Any:
    return partial(play_by, store.code, play=play)


def tune(unit: Unit) -> Record:
    """Return what rivals are tuned to in the world of ``unit``."""
    from benchmarks.world.stage import Stage  # noqa: PLC0415  # only children play
    from benchmarks.world.tuning import rivals_tuned  # noqa: PLC0415  # as above

    return {"family": unit.family, **rivals_tuned(Stage.of(unit), unit)}


def study(unit: Unit, tuned: Mapping[str, Record]) -> Record:
    """Return what everybody was worth in the world of ``unit``."""
    from benchmarks.world.floors import floors  # noqa: PLC0415  # only children play
    from benchmarks.world.player import Player  # noqa: PLC0415  # as above
    from benchmarks.world.player.truth import slopes  # noqa: PLC0415  # as above
    from benchmarks.world.rivals import Facts  # noqa: PLC0415  # as above
    from benchmarks.world.stage import Stage, parts  # noqa: PLC0415  # as above

    stage = Stage.of(unit)
    player, days = Player(Facts.of(stage.world), unit.seed), list[Any]()
    begin = time.monotonic()
    played = stage.play(player, watch=days.append)
    took = time.monotonic() - begin
    account = played.account
    return {
        "family": unit.family,
        "seed": unit.seed,
        "policies": {
            KAIROS: parts(stage.score(played)),
            **{name: parts(stage.score(each)) for name, each in floors(stage, tuned[unit.family]).items()},
        },
        "slope": slopes(player.expected, days),
        "sent": account.sent / unit.customers,
        "lost": (account.unsubscribed + account.complained) / unit.customers,
        "seconds": {"play": took},
    }


def judged(records: Sequence[Record]) -> dict[str, Any]:
    """Return means over families, each counting alike, and Kairos less each floor with its plain 95% interval."""
    if not records:
        return {"worlds": 0, "policies": {}, "differences": {}, "by_family": {}}
    strata = [record["family"] for record in records]
    families = {name: [record for record in records if record["family"] == name] for name in dict.fromkeys(strata)}
    return {
        "worlds": len(records),
        "policies": {name: float(np.mean([_mean(each, name) for each in families.values()])) for name in _names()},
        "differences": {floor: _difference(records, strata, floor) for floor in FLOORS},
        "by_family": {family: _of_family(each) for family, each in families.items()},
        "seconds_a_play": float(np.mean([record["seconds"]["play"] for record in records])),
    }


def _of_family(records: Sequence[Record]) -> dict[str, Any]:
    return {
        **{name: _mean(records, name) for name in _names()},
        "sent": float(np.mean([record["sent"] for record in records])),
        "lost": float(np.mean([record["lost"] for record in records])),
        "slope": {channel: _slope(records, channel) for channel in CHANNELS},
    }


def _names() -> tuple[str, ...]:
    return (KAIROS, *FLOORS)


def _mean(records: Sequence[Record], policy: str) -> float:
    return float(np.mean([record["policies"][policy]["total"] for record in records]))


def _slope(records: Sequence[Record], channel: str) -> float | None:
    found = [record["slope"][channel]["slope"] for record in records]
    known = [each for each in found if each is not None]
    return float(np.mean(known)) if known else None


def _difference(records: Sequence[Record], strata: Sequence[str], floor: str) -> dict[str, Any]:
    totals = {
        name: np.array([record["policies"][name]["total"] for record in records]) for name in (KAIROS, floor)
    }
    apart = totals[KAIROS] - totals[floor]
    found = stratified.mean(apart, list(strata))
    if isinstance(found, NotComputable):
        return {"value": float(apart.mean()), "interval": None, "why": found.reason}
    around = found.interval()
    return {"value": found.estimate, "interval": [around.low, around.high], "why": None}


def _shown(answer: Mapping[str, Any]) -> list[RenderableType]:
    columns = ("family", *_names(), "sent", *(f"slope {channel}" for channel in CHANNELS))
    rows = [
        (
            family,
            *(round(found[name], 3) for name in _names()),
            round(found["sent"], 1),
            *("–" if found["slope"][each] is None else round(found["slope"][each], 2) for each in CHANNELS),
        )
        for family, found in answer["by_family"].items()
    ]
    means = ", ".join(f"{name} {value:.3f}" for name, value in answer["policies"].items())
    return [table("€ a customer; messages sent; slope of the truth on V", columns, rows), f"Mean: {means} €."]


if __name__ == "__main__":
    sys.exit(main())
