"""A light worker that does everything a service and a sender do with the ledger, until it is killed.

It imports no model, no feature store and no service, so that it can be started a thousand times. It decides with
the real ``decide()``, and says of each thing that it is done only after the ledger said so.
"""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.promises.world import CHANNELS, NOW, PURPOSES, consent, decider, open_ledger
from decisions.ledger import LedgerError
from decisions.ledger.storage.codec import decision_to_json
from decisions.records import Ask
from features.contracts import Event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from multiprocessing.connection import Connection

    from decisions.records import Decision

PEOPLE = 30
STEP = timedelta(minutes=40)
"""By how much the clock of each worker is ahead of the one before: what was reserved falls due, or lapses."""

What = Literal["decided", "confirmed", "released", "taken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing that was done. ``digest`` tells a decision's content, whatever state it is in."""

    what: What
    key: str
    request_id: str = ""
    digest: str = ""


def digest(decision: Decision) -> str:
    """Return what tells two decisions apart that should be one."""
    return blake2b(decision_to_json(replace(decision, state="held")), digest_size=16).hexdigest()


class Worker:
    """One service and one sender over the same ledger, at one moment, doing things by the throw of dice."""

    def __init__(self, url: str, *, seed: int, run: int, people: int = PEOPLE) -> None:
        self._dice = random.Random(seed)  # noqa: S311  # repeatable, not a secret
        self._name = f"w{run}x{seed}"
        self._people = people
        self._ledger = open_ledger(url)
        self._decider = decider(self._ledger)
        self._asked: list[Ask] = []
        self._made: list[Decision] = []
        self.now = NOW + run * STEP
        self._count = 0
        self._deeds = (self._ask, self._ask, self._ask, self._repeat, self._send, self._send, self._release)
        self._rare = (self._withdraw, self._grant, self._events, self._events, self._expire)

    def step(self) -> Iterator[Said]:
        """Do one thing; yield what is done as soon as it is."""
        self._count += 1
        self.now += timedelta(seconds=self._dice.randrange(60))
        return self._dice.choice(self._dice.choice((self._deeds, self._deeds, self._rare)))()

    def _who(self) -> str:
        return f"c{self._dice.randrange(self._people)}"

    def _ask(self) -> Iterator[Said]:
        purpose = self._dice.choice(("marketing", *PURPOSES))
        ask = Ask(request_id=f"{self._name}-{self._count}", customer_id=self._who(), purpose=purpose)
        self._asked.append(ask)
        yield self._decided(ask)

    def _repeat(self) -> Iterator[Said]:
        if self._asked:
            yield self._decided(self._dice.choice(self._asked))

    def _decided(self, ask: Ask) -> Said:
        (decision,) = self._decider.decide([ask], now=self.now)
        self._made.append(decision)
        return Said(what="decided", key=decision.decision_id, request_id=ask.request_id, digest=digest(decision))

    def _send(self) -> Iterator[Said]:
        """Take what is due from the outbox, ask permission for each, and acknowledge: the sender's whole day."""
        leased = self._ledger.lease(3, self.now, timedelta(seconds=30))
        for each in leased:
            verdict = self._ledger.confirm(each.decision.decision_id, self.now)
            if verdict.status == "confirmed":
                yield Said(what="confirmed", key=each.decision.decision_id)
        self._ledger.ack([each.decision.decision_id for each in leased])

    def _release(self) -> Iterator[Said]:
        sends = [each for each in self._made[-5:] if each.action == "send"]
        if sends and self._ledger.release(sends[0].decision_id, self.now).status == "released":
            yield Said(what="released", key=sends[0].decision_id)

    def _withdraw(self) -> Iterator[Said]:
        return self._journal("withdrawn")

    def _grant(self) -> Iterator[Said]:
        return self._journal("granted")

    def _journal(self, status: str) -> Iterator[Said]:
        purpose = self._dice.choice(("marketing", "service"))
        entry = consent(self._who(), self._dice.choice(CHANNELS), purpose, status, at=self.now)
        self._ledger.append_consents([entry], self.now)
        yield from ()

    def _events(self) -> Iterator[Said]:
        batch = [self._event(number) for number in range(self._dice.randrange(1, 4))]
        for verdict in self._ledger.take_events(batch, self.now):
            if verdict.status == "accepted":
                yield Said(what="taken", key=verdict.event_id)

    def _event(self, number: int) -> Event:
        kind = self._dice.choice(("sent", "sent", "opened", "clicked", "unsubscribed", "purchased"))
        fields: dict[str, Any] = (
            {"channel": self._dice.choice(CHANNELS)} if kind != "purchased" else {"value": 9.0}
        )
        if kind in {"opened", "clicked"} and self._made:
            fields["decision_id"] = self._dice.choice(self._made).decision_id
        return Event(
            event_id=f"{self._name}-{self._count}-{number}",
            customer_id=self._who(),
            type=kind,
            occurred_at=self.now - timedelta(minutes=self._dice.randrange(600)),
            **fields,
        )

    def _expire(self) -> Iterator[Said]:
        self._ledger.expire(self.now)
        yield from ()


def work_until_killed(url: str, seed: int, run: int, speaking: Connection[Said, Any]) -> None:
    """Work for ever, saying what is done. A database that goes away ends the worker as a kill does."""
    with suppress(LedgerError, BrokenPipeError):
        worker = Worker(url, seed=seed, run=run)
        while True:
            for said in worker.step():
                speaking.send(said)


def work_for(barrier: Any, url: str, seed: int, run: int, steps: int) -> list[Said]:
    """Do so many things beside other workers; return what was done."""
    worker = Worker(url, seed=seed, run=run)
    barrier.wait(60)
    return [said for _ in range(steps) for said in worker.step()]


def moment_of(run: int) -> datetime:
    """Return the clock of the ``run``-th worker at its start."""
    return NOW + run * STEP
