"""The random suite with new examples for as long as there is time, and the cases it reached.

Yardstick: the promises and properties themselves, of which none may break.

Three things go on side by side: tests that draw examples (property, agreement, the HTTP fuzz), a file at a time in
a process of its own; kills, hammers, faults, random worlds and draws of the scoreboard of promises; and random
lakes of many customers with few events each against their oracle (``kairos bench lakes``).

``lakes`` counts those, ``told_in_any_order`` histories told in two orders over both roads, and rows of feature
tables and labels that were held against plain Python.

    python -m benchmarks.soak --seconds 600
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.promises.stores import Store
    from benchmarks.promises.tally import Tally

ROOT = Path(__file__).parents[1]
FOLDERS = ("property", "agreement", "service")
PATIENCE = 60.0
"""Seconds that a file already begun may take beyond the deadline; what it reached by then is not counted."""

_DRAWING = re.compile(r"^(?:from|import) (?:hypothesis|schemathesis)", re.MULTILINE)
_PASSED = re.compile(r"- (\d+) passing")
_NOTHING_TO_RUN = 5


class Broken(Exception):  # noqa: N818  # named for what it is: a finding, not a mistake of the soak
    """A test failed or a promise was broken; the message is what was found."""


@dataclass(slots=True)
class Deadline:
    """When to stop, unless something is found before."""

    at: float
    stopped: bool = False

    def passed(self) -> bool:
        """Return whether it is time to stop."""
        return self.stopped or time.monotonic() >= self.at

    def left(self) -> float:
        """Return the seconds that are left."""
        return self.at - time.monotonic()


@dataclass(slots=True)
class Examples:
    """What the drawing tests reached: files run, and examples of Hypothesis that passed."""

    files: int = 0
    examples: int = 0
    names: set[str] = field(default_factory=set)


def drawing_files() -> list[Path]:
    """Return the test files that draw examples."""
    found = (path for name in FOLDERS for path in sorted((ROOT / "tests" / name).glob("test_*.py")))
    return [path for path in found if _DRAWING.search(path.read_text(encoding="utf-8"))]


def draw_examples(deadline: Deadline, examples: Examples, *, seed: int) -> None:
    """Run one drawing file after another, in any order, until the time is over."""
    dice = random.Random(seed)  # noqa: S311  # repeatable, not a secret
    for path in _for_ever(drawing_files(), dice):
        if deadline.passed():
            return
        passed = _run(path, seed=dice.randrange(2**31), patience=deadline.left() + PATIENCE)
        if passed is not None:
            examples.examples += passed
            examples.files += 1
            examples.names.add(path.name)


def _for_ever(paths: list[Path], dice: random.Random) -> Iterator[Path]:
    while True:
        dice.shuffle(paths)
        yield from paths


def _run(path: Path, *, seed: int, patience: float) -> int | None:
    """Return how many examples passed; None where the file did not come to its end in time."""
    try:
        done = _pytest(path, seed=seed, patience=patience)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode not in {0, _NOTHING_TO_RUN}:
        said = f"{done.stdout[-6000:]}{done.stderr[-2000:]}"
        raise Broken(f"{path.relative_to(ROOT)} with --hypothesis-seed={seed}\n{said}")
    return sum(int(found) for found in _PASSED.findall(done.stdout))


def _pytest(path: Path, *, seed: int, patience: float) -> subprocess.CompletedProcess[str]:
    options = ("-q", "-x", "--hypothesis-show-statistics", "-p", "no:cacheprovider", f"--hypothesis-seed={seed}")
    return subprocess.run(  # noqa: S603  # our own tests
        [sys.executable, "-m", "pytest", *options, str(path)],
        cwd=ROOT,
        env={**os.environ, "KAIROS_HYPOTHESIS": "soak"},
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )


def fill_lakes(seconds: float, reached: dict[str, int], *, seed: int) -> None:
    """Play random histories to the product until the time is over, or until one ends otherwise than it should."""
    words = ("--cases", "1000000", "--seed", str(seed), "--seconds", str(seconds), "--processes", "1", "--json")
    with TemporaryDirectory(prefix="kairos-soak-") as folder:
        done = subprocess.run(  # noqa: S603  # a module of ours
            [sys.executable, "-m", "benchmarks.lakes", *words, "--state", f"{folder}/state.jsonl"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=seconds + 10 * PATIENCE,
            check=False,
        )
    if not done.stdout:
        raise Broken(f"benchmarks.lakes with --seed {seed}\n{done.stderr[-6000:]}")
    answer = json.loads(done.stdout.splitlines()[-1])
    reached["lakes"] = answer["cases"]
    if done.returncode:
        raise Broken(
            f"benchmarks.lakes with --seed {answer['differing_seeds'][0]} --cases 1\n{done.stderr[-6000:]}"
        )


def tell_in_any_order(seed: int, told: Counter[str]) -> None:
    """Tell one history in two orders over both roads; hold one lake's tables and labels against an oracle."""
    arrival, small_groups = (import_module(f"tests.worlds.{name}") for name in ("arrival", "small_groups"))
    if found := arrival.check(seed):
        raise Broken(f"tests.worlds.arrival.check({seed}): {found[:3]}")
    told["orders"] += 1
    with TemporaryDirectory(prefix="kairos-soak-") as folder:
        told["rows"] += small_groups.check(seed, Path(folder))


def break_promises(deadline: Deadline, tally: Tally, told: Counter[str], *, seed: int) -> None:
    """Kill, hammer, fill disks, try worlds and draw until the time is over, or until a promise is broken."""
    from benchmarks.promises.stores import stores  # noqa: PLC0415  # starts a server: not for --help

    with stores() as found:
        for number, store in enumerate(itertools.cycle(found)):
            for attack in _attacks(store, tally, told, seed + number):
                if deadline.passed():
                    return
                attack()
                if tally.details:
                    raise Broken("\n".join([f"on {store.kind} with seed {seed + number}:", *tally.details]))


def _attacks(store: Store, tally: Tally, told: Counter[str], seed: int) -> list[Callable[[], Any]]:
    from benchmarks.promises.cases import try_worlds  # noqa: PLC0415  # as above
    from benchmarks.promises.draws import try_draws  # noqa: PLC0415
    from benchmarks.promises.erasures import erase_people  # noqa: PLC0415
    from benchmarks.promises.faults import inject_all  # noqa: PLC0415
    from benchmarks.promises.hammer import HAMMERS, hammer  # noqa: PLC0415
    from benchmarks.promises.kills import kill_workers  # noqa: PLC0415
    from features.progress import quiet  # noqa: PLC0415

    return [
        lambda: kill_workers(store, 20, seed=seed, tally=tally, progress=quiet),
        lambda: list(try_worlds(store, worlds=3, asks=200, seed=seed, tally=tally)),
        lambda: hammer(store, processes=HAMMERS, asks=25, seed=seed, tally=tally),
        lambda: inject_all(store, seed=seed, tally=tally),
        lambda: erase_people(store, count=10, seed=seed, tally=tally),
        lambda: list(try_draws(draws=500, tally=tally, seed=seed)),
        lambda: tell_in_any_order(seed, told),
    ]


def soak(seconds: float, *, seed: int) -> tuple[dict[str, Any], str]:
    """Return what was reached in ``seconds``, and what was found: nothing, if all is well."""
    from benchmarks.promises.tally import Tally  # noqa: PLC0415  # as above

    deadline, examples, tally = Deadline(time.monotonic() + seconds), Examples(), Tally()
    filled, told = {"lakes": 0}, Counter[str]()
    with ThreadPoolExecutor(3) as pool:
        every = [
            pool.submit(draw_examples, deadline, examples, seed=seed),
            pool.submit(break_promises, deadline, tally, told, seed=seed),
            pool.submit(fill_lakes, seconds, filled, seed=seed),
        ]
        wait(every, return_when=FIRST_EXCEPTION)
        deadline.stopped = True
    found = [str(each.exception()) for each in every if each.exception()]
    return {**_reached(examples, tally, seed), **filled, "told_in_any_order": dict(told)}, "\n".join(found)


def _reached(examples: Examples, tally: Tally, seed: int) -> dict[str, Any]:
    return {
        "seed": seed,
        "test_files": examples.files,
        "different_files": len(examples.names),
        "hypothesis_examples": examples.examples,
        "faults": dict(tally.faults),
        "cases": dict(sorted(tally.cases.items())),
        "acknowledged": tally.acknowledged,
        "recounts": tally.recounts,
    }


def main() -> int:
    """Soak, print what was reached as one line of JSON, and what was found before it."""
    from pipelines.console import json_line  # noqa: PLC0415  # as above

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600, help="the time there is")
    parser.add_argument(
        "--seed", type=int, default=None, help="repeat a soak's own draws; by default others each time"
    )
    parser.add_argument(
        "--json", action="store_true", help="the answer is one object on the last line in any case"
    )
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(2**31) if chosen.seed is None else chosen.seed
    reached, found = soak(chosen.seconds, seed=seed)
    if found:
        print(found, file=sys.stderr)  # noqa: T201  # a command's output
    print(json_line({**reached, "found": bool(found)}))  # noqa: T201  # as above
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
