"""``kill -9`` at any moment: what was acknowledged is there, nothing was confirmed twice, no place is lost."""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from benchmarks.promises.processes import processes
from benchmarks.promises.worker import PEOPLE, STEP, Said, digest, moment_of, work_until_killed
from benchmarks.promises.world import CATALOGUE, COUNTRIES, POLICY, open_ledger, people, settle
from decisions.ledger import UnknownDecision
from features.contracts import Event
from pipelines.recount import Report, Rules, recount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.promises.stores import Store
    from benchmarks.promises.tally import Tally
    from decisions.ledger import Ledger
    from features.progress import Progress

BATCH = 10
"""Kills on one ledger, before the next gets an empty one: a recount reads all of it."""

TOGETHER = 2
"""Workers on the ledger at once."""

WORDS = 20
LONGEST = 0.02
"""A worker dies after so many words at most, and so many seconds more: in the middle of what it does next."""

_PATIENCE = 60.0
_AFTER: dict[str, set[str]] = {
    "decided": {"held", "reserved", "confirmed", "released", "expired", "withdrawn", "displaced"},
    "confirmed": {"confirmed"},
    "released": {"released"},
}
"""The states a decision may be in, by the last that was said of it."""


def judge(url: str) -> Report:
    """Recount a ledger of this world."""
    return recount(url, Rules.of(POLICY, CATALOGUE["offers"], zones=COUNTRIES))


def kill_workers(store: Store, kills: int, *, seed: int, tally: Tally, progress: Progress) -> None:
    """Kill workers at random moments, recounting after each; take note of all in ``tally``."""
    stage = f"kills on {store.kind}"
    progress(stage, 0, kills)
    for first in range(0, kills, BATCH):
        siege = Siege(store.fresh(), seed=seed * 1_000_003 + first, tally=tally)
        for done in range(first, min(first + BATCH, kills), TOGETHER):
            siege.strike(min(TOGETHER, kills - done))
            progress(stage, min(done + TOGETHER, kills), kills)
        siege.lift()


class Siege:
    """One ledger under attack, and everything its workers said before they died."""

    def __init__(self, url: str, *, seed: int, tally: Tally) -> None:
        self._url = url
        self._dice = random.Random(seed)  # noqa: S311  # repeatable, not a secret
        self._tally = tally
        self._said: list[Said] = []
        self._run = 0
        with open_ledger(url) as ledger:
            settle(ledger, people(PEOPLE, seed=seed), refused=0.1)

    def strike(self, together: int) -> None:
        """Start workers, kill each at a moment of its own, and look at what they leave."""
        self._run += 1
        workers = [self._start() for _ in range(together)]
        for worker, listening in workers:
            self._said += _words(listening, self._dice.randrange(1, WORDS))
            time.sleep(self._dice.uniform(0, LONGEST))
            worker.kill()
            worker.join()
            self._said += _rest(listening)
            self._tally.faults["kill -9 of a worker"] += 1
            self._tally.cases["P5"] += 1
            self._tally.judge(judge(self._url))  # the other is still at work

    def _start(self) -> tuple[Any, Any]:
        context = processes()
        listening, speaking = context.Pipe(duplex=False)
        arguments = (self._url, self._dice.randrange(2**31), self._run, speaking)
        worker = context.Process(target=work_until_killed, args=arguments, daemon=True)
        worker.start()
        speaking.close()
        return worker, listening

    def lift(self) -> None:
        """Look whether everything acknowledged is there, and whether every place comes free in the end."""
        with open_ledger(self._url) as ledger:
            check_said(ledger, self._said, self._tally)
            ledger.expire(moment_of(self._run) + timedelta(days=60))
            _check_events(ledger, self._said, self._tally)
        report = judge(self._url)
        self._tally.count(report)


def check_said(ledger: Ledger, said: Sequence[Said], tally: Tally) -> None:
    """Hold the ledger against what was acknowledged."""
    last = {each.key: each.what for each in said if each.what != "taken"}
    digests = {each.key: each.digest for each in said if each.what == "decided"}
    tally.acknowledged += len(said)
    for key, what in last.items():
        if not _is_there(ledger, key, what, digests.get(key)):
            tally.lost += 1
            tally.broken("P5", f"acknowledged as {what}, and lost ({key})")
    check_once(said, tally)


def _is_there(ledger: Ledger, key: str, what: str, expected: str | None) -> bool:
    try:
        decision = ledger.decision(key)
    except UnknownDecision:
        return False
    return decision.state in _AFTER[what] and expected in {None, digest(decision)}


def check_once(said: Sequence[Said], tally: Tally) -> None:
    """Look for a permission given twice, and for a request answered in two ways."""
    confirms = Counter(each.key for each in said if each.what == "confirmed")
    answers: dict[str, str] = {}
    for key, count in confirms.items():
        if count > 1:
            tally.confirmed_twice += 1
            tally.broken("P4", f"confirmed {count} times ({key})")
    for each in said:
        if each.what == "decided" and answers.setdefault(each.request_id, each.digest) != each.digest:
            tally.broken("P4", f"one request, two decisions ({each.request_id})")
    tally.cases["P4"] += len(confirms) + len(answers)


def _check_events(ledger: Ledger, said: Sequence[Said], tally: Tally) -> None:
    """An event that was taken is known: its second arrival is a duplicate."""
    now = moment_of(0) - STEP
    again = [
        Event(event_id=each.key, customer_id="c0", type="session", occurred_at=now)
        for each in said
        if each.what == "taken"
    ]
    for verdict in ledger.take_events(again, now):
        tally.cases["P4"] += 1
        if verdict.status != "duplicate":
            tally.lost += 1
            tally.broken("P5", f"event acknowledged, and lost ({verdict.event_id})")


def _words(listening: Any, count: int) -> Iterator[Said]:
    for _ in range(count):
        if not listening.poll(_PATIENCE):
            raise RuntimeError(f"a worker did nothing for {_PATIENCE:g} s; standard error may say why")
        yield listening.recv()


def _rest(listening: Any) -> list[Said]:
    heard: list[Said] = []
    try:
        while True:
            heard.append(listening.recv())
    except (EOFError, OSError):
        return heard
