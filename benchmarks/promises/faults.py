"""Disks that are full or read-only, clocks that jump: refused, nothing lost, and over when it is over."""

from __future__ import annotations

import os
import random
import resource
import shutil
import tempfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, make_url
from sqlalchemy.pool import Pool

from benchmarks.promises.kills import check_said, judge
from benchmarks.promises.processes import side_by_side
from benchmarks.promises.worker import PEOPLE, Worker
from benchmarks.promises.world import NOW, decider, open_ledger, people, settle
from decisions.ledger import StorageError
from decisions.records import Ask

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from benchmarks.promises.stores import Store
    from benchmarks.promises.tally import Tally
    from benchmarks.promises.worker import Said

ROOM = 200_000
"""Bytes left when a disk begins to run full: some dozens of decisions."""

_PAGE = 4096
_NOBODY = 65534
_STEPS = 5_000
"""More than fit: without a fault nothing would stop the worker before."""

YEAR = timedelta(days=365)
JUMPS = (timedelta(hours=-2), timedelta(minutes=7), timedelta(hours=9), YEAR, -YEAR)


def inject_all(store: Store, *, seed: int, tally: Tally) -> None:
    """Inject every fault that this database can have."""
    if store.kind == "sqlite":
        for fill in (fill_by_quota, fill_by_pages):
            fill_the_disk(store, fill, seed=seed, tally=tally)
        write_to_a_read_only_disk(store, tally=tally)
    for number in range(3):
        jump_the_clock(store, seed=seed * 101 + number, tally=tally)


# A full disk


def fill_the_disk(store: Store, fill: Any, *, seed: int, tally: Tally) -> None:
    """Let a worker run out of room, give it room again, and hold the ledger against what it said."""
    url = store.fresh()
    with open_ledger(url) as ledger:
        settle(ledger, people(PEOPLE, seed=seed))
    ((before, error, after),) = side_by_side(_work_on_a_full_disk, [(fill, url, seed)])
    tally.faults["full disk"] += 1
    tally.cases["P5"] += 1
    if not (before and after and error):
        tally.broken("P5", f"a full disk: {len(before)} done, then {error or 'no error'}, then {len(after)} done")
    with open_ledger(url) as ledger:
        check_said(ledger, [*before, *after], tally)
    tally.count(judge(url))


def _work_on_a_full_disk(barrier: Any, fill: Any, url: str, seed: int) -> tuple[list[Said], str, list[Said]]:
    barrier.wait()
    with fill(Path(make_url(url).database or "")) as limited:
        worker = Worker(url, seed=seed, run=1)
        before, error = work_until_refused(worker, _STEPS)
    after, _ = work_until_refused(worker, 20)
    return before, error if limited else "", after


def work_until_refused(worker: Worker, steps: int) -> tuple[list[Said], str]:
    """Do up to ``steps`` things; return what was done, and the name of the error that ended it."""
    done: list[Said] = []
    try:
        for _ in range(steps):
            for said in worker.step():
                done.append(said)  # noqa: PERF402  # what was done before an error counts
    except StorageError as error:
        return done, type(error).__name__
    return done, ""


@contextmanager
def fill_by_quota(file: Path) -> Iterator[bool]:
    """Forbid this process to make any file longer than the ledger and some room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + ROOM, hard))
    try:
        yield True
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def fill_by_pages(file: Path) -> Iterator[bool]:
    """Forbid every connection of this process to give the file more than some pages: SQLite's own full disk."""
    pages = {"most": (file.stat().st_size + ROOM) // _PAGE}

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages['most']}")

    event.listen(Pool, "checkout", limit)
    try:
        yield True
    finally:
        pages["most"] = 2**30
        # It stays: a connection that was limited has to be told that it is no longer.


# A read-only disk


def write_to_a_read_only_disk(store: Store, *, tally: Tally) -> None:
    """Let a process that may not write try to: refused by name, and nothing is changed."""
    folder = Path(tempfile.mkdtemp(prefix="kairos-read-only-"))
    try:
        file, before = _ledger_in(folder, store)
        _forbid(folder, file)
        (refused,) = side_by_side(_write_as_nobody, [(store.fresh(), f"sqlite:///{file}")])
        _allow(folder, file)
        tally.faults["read-only disk"] += 1
        if refused != "LedgerUnavailable" or file.read_bytes() != before:
            tally.broken("P5", f"a read-only disk: {refused or 'no error'}")
    finally:
        shutil.rmtree(folder)


def _ledger_in(folder: Path, store: Store) -> tuple[Path, bytes]:
    file = folder / "ledger.db"
    shutil.copyfile(make_url(store.fresh()).database or "", file)
    with open_ledger(f"sqlite:///{file}") as ledger:
        settle(ledger, people(3, seed=1))
    return file, file.read_bytes()


def _forbid(folder: Path, file: Path) -> None:
    file.chmod(0o444)
    folder.chmod(0o555)


def _allow(folder: Path, file: Path) -> None:
    folder.chmod(0o755)
    file.chmod(0o644)


def _write_as_nobody(barrier: Any, elsewhere: str, url: str) -> str:
    """Give up being root, whom no mode stops, and try to decide; return the name of the error."""
    barrier.wait()
    _decide_once(elsewhere)  # which imports everything: nobody may not be allowed to
    if os.getuid() == 0:
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    try:
        _decide_once(url)
    except StorageError as error:
        return type(error).__name__
    return ""


def _decide_once(url: str) -> None:
    with open_ledger(url) as ledger:
        decider(ledger).decide([Ask(request_id="r", customer_id="c1")], now=NOW)


# Clocks that jump


def jump_the_clock(store: Store, *, seed: int, tally: Tally) -> None:
    """Let the clock jump back two hours, forward a year and back again while a worker is at it."""
    url, dice = store.fresh(), random.Random(seed)  # noqa: S311  # repeatable, not a secret
    with open_ledger(url, synchronous="normal") as ledger:
        settle(ledger, people(10, seed=seed))
        worker = Worker(url, seed=seed, run=0, people=10)
        said = [each for _ in range(12) for each in _after_a_jump(worker, dice)]
        tally.faults["clock jump"] += 12
        check_said(ledger, said, tally)
        ledger.expire(NOW + 10 * YEAR)
        left = {each: state.pressure for each, state in ledger.states(ledger.customer_ids(), NOW).items()}
    for who, places in left.items():
        if any(each.until for each in places):
            tally.broken("P5", f"a place is still reserved after ten years ({who})")
    tally.count(judge(url))


def _after_a_jump(worker: Worker, dice: random.Random) -> Iterator[Said]:
    worker.now += dice.choice(JUMPS)
    for _ in range(15):
        yield from worker.step()
