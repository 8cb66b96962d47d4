"""The whole run, in order, and what it comes to."""

from __future__ import annotations

import itertools
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.text import Text

from benchmarks.promises.cases import try_worlds
from benchmarks.promises.draws import try_draws
from benchmarks.promises.erasures import erase_people
from benchmarks.promises.faults import inject_all
from benchmarks.promises.hammer import HAMMERS, hammer
from benchmarks.promises.homes import search_homes
from benchmarks.promises.kills import kill_workers
from benchmarks.promises.planted import finds_what_was_planted
from benchmarks.promises.service_kills import kill_services
from benchmarks.promises.stores import stores
from benchmarks.promises.tally import PROMISES, Tally
from benchmarks.promises.throughput import Figure, measure
from pipelines import console
from pipelines.console import Screen, table

if TYPE_CHECKING:
    from benchmarks.promises.stores import Store

ROUNDS = 5
RESERVATIONS = 400
DRAWS = 4_000
SHOWN = 20
"""Violations that are written out; all are counted."""
HOMES = 8
"""Random histories played to whole homes; ``kairos bench lakes`` plays as many as one likes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is tried. ``seconds`` bounds the random worlds; everything else takes what it takes."""

    kills: int = 900
    service_kills: int = 100
    seconds: float = 60.0
    seed: int = 1


def run(effort: Effort, *, as_json: bool) -> int:
    """Run everything, say what came of it, and return the exit code: 1 where a promise was broken."""
    begin, tally = time.monotonic(), Tally()
    with Screen() as screen, stores() as found:
        figures = _run(found, effort, tally, screen)
    answer = scoreboard(tally, figures, seconds=time.monotonic() - begin)
    broken = [Text(f"broken: {violation}") for violation in tally.details[:SHOWN]]
    console.answer([*broken, *_tables(answer)], answer, as_json=as_json)
    return 0 if tally.kept else 1


def _run(found: list[Store], effort: Effort, tally: Tally, screen: Screen) -> list[Figure]:
    tally.planted_found = all(finds_what_was_planted(store) for store in found)
    figures = [
        figure
        for store in found
        for figure in measure(store, rounds=ROUNDS, reservations=RESERVATIONS, progress=screen)
    ]
    for store, kills in zip(found, _shares(effort.kills, len(found)), strict=True):
        kill_workers(store, kills, seed=effort.seed, tally=tally, progress=screen)
        if store.kind == "sqlite":
            kill_services(store, effort.service_kills, seed=effort.seed, tally=tally, progress=screen)
        hammer(store, processes=HAMMERS, asks=100, seed=effort.seed, tally=tally)
        inject_all(store, seed=effort.seed, tally=tally)
        erase_people(store, count=60, seed=effort.seed, tally=tally)
    search_homes(homes=HOMES, seed=effort.seed, tally=tally)
    _try_worlds(found, effort, tally, screen)
    for done, _ in enumerate(try_draws(draws=DRAWS, tally=tally, seed=effort.seed), start=1):
        screen("draws", done, 5)
    return figures


def _try_worlds(found: list[Store], effort: Effort, tally: Tally, screen: Screen) -> None:
    """Try random worlds on each database in turn until the time is over."""
    begin, whole = time.monotonic(), int(effort.seconds)
    for number, store in enumerate(itertools.cycle(found)):
        spent = time.monotonic() - begin
        screen("random worlds (seconds)", min(int(spent), whole), whole)
        if spent >= whole:
            return
        for _ in try_worlds(store, worlds=1, asks=200, seed=effort.seed * 10_007 + number, tally=tally):
            pass


def _shares(total: int, parts: int) -> list[int]:
    """Split kills: two thirds for the first of two databases, whose workers start faster."""
    return [total] if parts == 1 else [total - total // 3, total // 3]


def scoreboard(tally: Tally, figures: list[Figure], *, seconds: float) -> dict[str, Any]:
    """Return the answer of the run, as ``--json`` prints it."""
    return {
        "throughput": [asdict(each) for each in figures],
        "cases": {promise: tally.cases[promise] for promise in PROMISES},
        "violations": {promise: tally.violations[promise] for promise in PROMISES},
        "faults_injected": tally.faults.total(),
        "faults": dict(tally.faults),
        "acknowledged": tally.acknowledged,
        "acknowledged_lost": tally.lost,
        "confirmed_twice": tally.confirmed_twice,
        "recounts": tally.recounts,
        "planted_found": tally.planted_found,
        "details": tally.details[:SHOWN],
        "seconds": round(seconds, 1),
    }


def _tables(answer: dict[str, Any]) -> list[Any]:
    rates = [tuple(each.values()) for each in answer["throughput"]]
    columns = ("database", "processes", "synchronous", "reservations/s", "bare/s", "ratio")
    promises = [(each, answer["cases"][each], answer["violations"][each]) for each in PROMISES]
    rest = [(name, value) for name, value in answer.items() if not isinstance(value, (dict, list))]
    return [
        table("Reservations beside the bare driver", columns, rates),
        table("Promises", ("promise", "cases", "violations"), promises),
        table("Faults", ("fault", "times"), list(answer["faults"].items())),
        table("The run", ("what", "value"), rest),
    ]
