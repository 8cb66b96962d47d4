"""How many reservations a second the ledger makes, beside the identical statements through the raw driver.

A reservation is what every decision costs the ledger: under the customer's lock, look whether the request was
answered before, read the state, write decision, record, place, outbox and audit, and commit. Decisions are made
before the clock starts, for both sides. Both take turns in the same run, each on a database of its own with the
same people in it; a figure is the median of its rounds.
"""

from __future__ import annotations

import itertools
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Literal

from benchmarks.promises import bare
from benchmarks.promises.processes import side_by_side
from benchmarks.promises.stores import Kind
from benchmarks.promises.world import NOW, decider, open_ledger, people, policy, settle
from decisions.ledger.storage.dialect import Synchronous
from decisions.ledger.storage.session import Database
from decisions.records import Ask
from runtime.decider import NO_BUDGETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.synchronize import Barrier

    from benchmarks.promises.stores import Store
    from decisions.ledger import Ledger, Recording
    from features.progress import Progress

CUSTOMERS = 2_000
PROCESSES = (1, 2, 4)
PATTERNS = 40
"""Decisions that are really made; reservations are made of them in turn."""

_PREPARING_SECONDS = 120.0
"""How long a process may wait for the others to be ready."""

Side = Literal["ledger", "bare"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the scoreboard; rates are reservations a second by all processes together."""

    database: Kind
    processes: int
    synchronous: Synchronous
    reservations_per_s: float
    bare_per_s: float
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """The databases of one comparison: each side's own, and a scratch one on which statements are overheard."""

    ledger: str
    bare: str
    scratch: str
    synchronous: Synchronous


def measure(store: Store, *, rounds: int, reservations: int, progress: Progress) -> Iterator[Figure]:
    """Yield a figure for every number of processes and, on SQLite, for both ways to wait for the disk.

    Args:
        store: Where empty ledgers come from.
        rounds: How often each side runs.
        reservations: How many each process makes in a round.
        progress: Told of every round.
    """
    waits: tuple[Synchronous, ...] = ("full", "normal") if store.kind == "sqlite" else ("full",)
    cases = [(synchronous, processes) for synchronous in waits for processes in PROCESSES]
    for done, (synchronous, processes) in enumerate(cases):
        progress(f"throughput on {store.kind}", done, len(cases))
        track = _track(store, synchronous)
        rates = [_round(track, processes, number, reservations) for number in range(rounds)]
        yield _figure(store.kind, processes, synchronous, rates)
    progress(f"throughput on {store.kind}", len(cases), len(cases))


def _track(store: Store, synchronous: Synchronous) -> Track:
    track = Track(ledger=store.fresh(), bare=store.fresh(), scratch=store.fresh(), synchronous=synchronous)
    for url in (track.ledger, track.bare, track.scratch):
        with open_ledger(url, synchronous="normal") as ledger:
            settle(ledger, people(CUSTOMERS, seed=1))
    return track


def _figure(kind: Kind, processes: int, synchronous: Synchronous, rates: list[dict[Side, float]]) -> Figure:
    ours, theirs = (median(each[side] for each in rates) for side in ("ledger", "bare"))
    return Figure(
        database=kind,
        processes=processes,
        synchronous=synchronous,
        reservations_per_s=round(ours, 1),
        bare_per_s=round(theirs, 1),
        ratio=round(median(each["ledger"] / each["bare"] for each in rates), 4),
    )


def _round(track: Track, processes: int, number: int, reservations: int) -> dict[Side, float]:
    """Return the rate of each side; whoever began the last round comes second in this one."""
    order: tuple[Side, ...] = ("ledger", "bare") if number % 2 else ("bare", "ledger")
    return {side: _race(side, track, processes, number, reservations) for side in order}


def _race(side: Side, track: Track, processes: int, number: int, reservations: int) -> float:
    runs = [(side, track, f"{number}-{runner}", reservations) for runner in range(processes)]
    times: list[tuple[float, float]] = side_by_side(_run, runs)
    begin, end = min(first for first, _ in times), max(last for _, last in times)
    return processes * reservations / (end - begin)


def _run(barrier: Barrier, side: Side, track: Track, name: str, reservations: int) -> tuple[float, float]:
    """Prepare, wait for the others, run; return when it began and ended."""
    recordings = _recordings(track.scratch, name, reservations)
    prepare = _ledger_side if side == "ledger" else _bare_side
    with ExitStack() as stack:
        run = prepare(stack, track, recordings)
        barrier.wait(_PREPARING_SECONDS)
        begin = time.monotonic()
        run()
        return begin, time.monotonic()


def _recordings(scratch: str, name: str, count: int) -> list[Recording]:
    """Return sends as they are really made, repeated under ids of their own about customers in turn."""
    with open_ledger(scratch, synchronous="normal") as ledger:
        patterns = _patterns(ledger)
    first = int(name.replace("-", "")) * 37
    return [
        _renamed(pattern, f"{name}-{number}", f"c{(first + number) % CUSTOMERS}")
        for number, pattern in zip(range(count), itertools.cycle(patterns), strict=False)
    ]


def _patterns(ledger: Ledger) -> list[Recording]:
    asks = [Ask(request_id=f"pattern{n}", customer_id=f"c{n}", purpose="service") for n in range(PATTERNS)]
    who = [ask.customer_id for ask in asks]
    desk, states = decider(ledger, rules=policy(caps=())), ledger.states(who, NOW)
    scores = desk.scores(who, now=NOW)
    made = [desk.make(ask, scores[ask.customer_id], states[ask.customer_id], NO_BUDGETS, NOW) for ask in asks]
    return [each for each in made if each.decision.action == "send"]


def _renamed(pattern: Recording, name: str, customer_id: str) -> Recording:
    decision = replace(pattern.decision, decision_id=name.rjust(32, "0"), request_id=name, customer_id=customer_id)
    return replace(pattern, decision=decision)


def _ledger_side(stack: ExitStack, track: Track, recordings: list[Recording]) -> Callable[[], None]:
    ledger = stack.enter_context(open_ledger(track.ledger, synchronous=track.synchronous))
    ledger.content("policy", "none")  # so that a connection is open
    return partial(_reserve, ledger, recordings)


def _bare_side(stack: ExitStack, track: Track, recordings: list[Recording]) -> Callable[[], None]:
    with bare.listening() as heard, open_ledger(track.scratch, synchronous="normal") as scratch:
        scripts = list(_overheard(scratch, recordings, heard))
    database = stack.enter_context(closing(Database(track.bare, synchronous=track.synchronous)))
    connection = stack.enter_context(closing(database.engine.raw_connection()))
    return partial(bare.send, connection.driver_connection, scripts)


def _overheard(ledger: Ledger, recordings: list[Recording], heard: bare.Script) -> Iterator[bare.Script]:
    for recording in recordings:
        heard.clear()
        _reserve(ledger, [recording])
        yield list(heard)


def _reserve(ledger: Ledger, recordings: list[Recording]) -> None:
    for each in recordings:
        decision = each.decision
        with ledger.transaction(decision.customer_id) as transaction:
            transaction.find_request(decision.request_id)
            transaction.state(decision.customer_id, NOW)
            transaction.record(decision, body_hash=each.body_hash, frozen=each.frozen)
