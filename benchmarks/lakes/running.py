"""Many histories, side by side, noted one by one as they are done."""

from __future__ import annotations

import json
import logging
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.fingerprint import fingerprint
from pipelines.console import Screen, answer, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from features.progress import Progress

MADE_BY = ("benchmarks/lakes", "features", "decisions", "runtime", "serving", "pipelines", "requirements.lock")
"""The code that a case's outcome hangs on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many cases from which seed on, in how many processes; none is begun after ``seconds``."""

    cases: int
    seed: int
    seconds: float
    processes: int
    state: Path

    @property
    def seeds(self) -> range:
        """The seed of each case."""
        return range(self.seed, self.seed + self.cases)


def run(plan: Plan, *, as_json: bool) -> int:
    """Play what is not yet noted; return 1 where the product and the oracle differ, 0 otherwise."""
    begin = time.monotonic()
    with Screen() as screen:
        done = play_all(plan, screen)
    differing = {seed: found for seed, found in sorted(done.items()) if found}
    told = {
        "cases": len(done),
        "asked": plan.cases,
        "first_seed": plan.seed,
        "differences": sum(len(found) for found in differing.values()),
        "differing_seeds": list(differing),
        "seconds": round(time.monotonic() - begin, 1),
    }
    shown = [table(f"Seed {seed} differs", ("what",), [(each,) for each in differing[seed]]) for seed in differing]
    shown.append(table("Random lakes against the oracle", ("what", "how many"), list(told.items())[:4]))
    answer(shown, told, as_json=as_json)
    return 1 if differing else 0


def play_all(plan: Plan, progress: Progress) -> dict[int, list[str]]:
    """Return the differences of each seed that is done, by this run or an earlier one of the same code."""
    code = fingerprint(MADE_BY)
    done = {seed: found for seed, found in _noted(plan.state, code) if seed in plan.seeds}
    progress("lakes", len(done), plan.cases)
    left = (seed for seed in plan.seeds if seed not in done)
    with ProcessPoolExecutor(plan.processes, mp_context=get_context("spawn"), initializer=be_quiet) as pool:
        for seed, found in _played(pool, left, plan):
            done[seed] = found
            _note(plan.state, code, seed, found)
            progress("lakes", len(done), plan.cases)
    return done


def _played(pool: Executor, left: Iterator[int], plan: Plan) -> Iterator[tuple[int, list[str]]]:
    until, waiting = time.monotonic() + plan.seconds, dict[Future[list[str]], int]()
    while True:
        while (
            len(waiting) < plan.processes and time.monotonic() < until and (seed := next(left, None)) is not None
        ):
            waiting[pool.submit(_one, seed)] = seed
        if not waiting:
            return
        for finished in wait(waiting, return_when=FIRST_COMPLETED).done:
            yield waiting.pop(finished), finished.result()


def _one(seed: int) -> list[str]:
    """Play one case. Whatever it raises is a finding, and not the end of the others."""
    from benchmarks.lakes.comparing import differences  # noqa: PLC0415  # slow to import, and once a process

    try:
        return differences(seed)
    except Exception as error:  # noqa: BLE001  # as above
        return [f"{type(error).__name__}: {error}"]


def be_quiet() -> None:
    """Let the service's request log go nowhere: it is no part of the answer."""
    import structlog  # noqa: PLC0415  # as above

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _noted(state: Path, code: str) -> Iterator[tuple[int, list[str]]]:
    if not state.exists():
        return
    for line in state.read_text(encoding="utf-8").splitlines():
        try:
            kept: dict[str, Any] = json.loads(line)
        except json.JSONDecodeError:  # cut short: it is played again
            continue
        if kept["code"] == code:
            yield kept["seed"], kept["differences"]


def _note(state: Path, code: str, seed: int, found: list[str]) -> None:
    state.parent.mkdir(parents=True, exist_ok=True)
    with state.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"code": code, "seed": seed, "differences": found}) + "\n")
