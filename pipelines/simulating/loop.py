"""Day by day: what arrived is heard, questions are answered, permitted messages go out, and the world answers."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from decisions.catalogue import load_catalogue
from decisions.policy import load_policy
from features.progress import Progress, quiet
from pipelines.simulating.diary import Diary, Entry
from pipelines.simulating.home import held
from pipelines.simulating.product import Product, opened, reasons
from pipelines.simulating.records import Looped, Pairs
from pipelines.simulating.sends import Sends
from simulation.arena.opportunity import Opportunity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from decisions.scorers.base import Kind
    from pipelines.simulating.records import Watcher
    from simulation.account import Account
    from simulation.world import Day, World

COUNTED: tuple[Kind, ...] = ("worth",)
"""Models that only count: they are learned anew with every refresh."""
OPPORTUNITY = Opportunity()
"""When everybody is asked about: as in :func:`simulation.arena.playing.play`. The rules are the policy's."""


def run_loop(  # noqa: PLR0913 - what a run is of
    world: World,
    past: pa.Table,
    *,
    home: Path,
    policy: Path,
    catalogue: Path,
    days: int,
    retrain_days: int = 28,
    refresh_days: int = 7,
    until: int | None = None,
    watch: Watcher | None = None,
    progress: Progress = quiet,
) -> Looped:
    """Run the product at ``home`` in ``world`` for ``days`` days, and recount its promises.

    ``world`` stands at day 0 (fork it) and is used up; ``past`` is the log of its history. Features are rebuilt
    every ``refresh_days``, when models that only count are learned anew, and all models are trained every
    ``retrain_days``, on day 0 as well. A run that was killed goes on
    after its last finished day, and ends as if it had not been; asked for more days, so does one that was not.
    No question looks beyond the beginning of day ``until``: a play that is scored has none left to send then.

    Raises:
        ValueError: where the world does not stand at day 0, or ``home`` holds another run.
        RuntimeError: where another run is at work at ``home``.
    """
    if world.today != 0:
        raise ValueError(f"the world stands at day {world.today}: live through its past first, and fork it")
    run = _named(world, past, policy=policy, catalogue=catalogue) | {
        "retrain_days": retrain_days,
        "refresh_days": refresh_days,
        "until": until,
    }
    with (
        held(home),
        opened(
            home,
            policy=policy,
            catalogue=catalogue,
            salt=f"known worlds/{run['past']}",
            now=world.calendar.moment(0),
            size=world.state.size,
        ) as product,
    ):
        loop = _Loop(
            world, product, Diary(home), retrain_days=retrain_days, refresh_days=refresh_days, until=until
        )
        loop.begin(run, past, days)
        progress("days", loop.day, days)
        while loop.day < days:
            loop.live_a_day(watch)
            progress("days", loop.day, days)
        return loop.result()


def _named(world: World, past: pa.Table, *, policy: Path, catalogue: Path) -> dict[str, Any]:
    """Return what tells one run from another."""
    moments = pc.cast(past["occurred_at"], pa.int64()).to_numpy()
    return {
        "world": world.family.name,
        "customers": world.state.size,
        "past": hashlib.blake2b(moments.tobytes(), digest_size=8).hexdigest(),
        "policy": load_policy(policy).version,
        "catalogue": load_catalogue(catalogue).version,
    }


class _Loop:
    """One run, at the beginning of ``day``."""

    def __init__(
        self,
        world: World,
        product: Product,
        diary: Diary,
        *,
        retrain_days: int,
        refresh_days: int,
        until: int | None,
    ) -> None:
        self.day = 0
        self._world = world
        self._product = product
        self._diary = diary
        self._retrain_days = retrain_days
        self._refresh_days = refresh_days
        self._until = until
        self._arrived: pa.Table | None = None
        self._waiting = Sends.none()
        self._accounts: list[Account] = []
        self._pairs: list[Pairs] = []
        self._holds: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._seconds: Counter[str] = Counter()
        self._models: dict[int, Any] = {}

    def begin(self, run: Mapping[str, Any], past: pa.Table, days: int) -> None:
        """Take in the history, or bring back the days that are finished."""
        if not self._diary.begun(run):
            with self._timed("history"):
                self._product.begin(self._world, past)
            self._diary.begin(run)
        for entry in self._diary.entries()[:days]:
            self._remember(entry, self._world.live(entry.sent.messages))
        if self.day % self._refresh_days and self.day % self._retrain_days:
            self._product.stand(self._world.calendar.moment(self._refreshed()))

    def live_a_day(self, watch: Watcher | None) -> None:
        """Do all that a day brings, and write it into the diary."""
        seconds = Counter(self._seconds)
        models = self._morning(watch)
        asked = OPPORTUNITY.asked(self._world.state.size, self.day)
        with self._timed("deciding"):
            decisions = self._product.ask(asked, name=f"sim:{self.day}", hours=self._hours())
        planned = self._waiting + Sends.of(decisions)
        due = self._world.calendar.day_of(planned.messages.sent_at) == self.day
        with self._timed("confirming"):
            sent, refused = self._product.confirm(planned.take(due))
        with self._timed("living"):
            lived = self._world.live(sent.messages)
        entry = Entry(
            day=self.day,
            sent=sent,
            waiting=planned.take(~due),
            holds=reasons(decisions),
            refused=refused,
            seconds=self._seconds - seconds,
            models=models,
        )
        self._diary.add(entry)
        self._seconds = seconds
        self._remember(entry, lived)

    def _morning(self, watch: Watcher | None) -> list[Mapping[str, Any]] | None:
        """Hear what arrived, and renew features and models where it is their day; return what models came to."""
        now = self._world.calendar.moment(self.day)
        with self._timed("events"):
            if self._arrived is not None:
                self._product.hear(self._arrived, now=now)
        if self._refreshed() != self.day:
            return None
        with self._timed("features"):
            self._product.refresh()
        with self._timed("training"):
            models = self._product.train(*(() if self.day % self._retrain_days == 0 else COUNTED))
        if watch:
            with self._timed("watching"):
                watch.scored(self.day, self._product.scores())
        return models

    def _hours(self) -> int:
        """Return how far today's questions look ahead."""
        left = OPPORTUNITY.hours if self._until is None else 24 * (self._until - self.day)
        return min(OPPORTUNITY.hours, left)

    def _refreshed(self) -> int:
        """Return the day of the last refresh: models are trained on fresh features."""
        return self.day - min(self.day % self._refresh_days, self.day % self._retrain_days)

    def _remember(self, entry: Entry, lived: Day) -> None:
        """Count a finished day, and go on to the next."""
        self._accounts.append(lived.account)
        self._pairs.append(_pairs(entry.sent, lived))
        self._holds.update(entry.holds)
        self._refused.update(entry.refused)
        self._seconds.update(entry.seconds)
        if entry.models is not None:
            self._models[entry.day] = entry.models
        self._waiting, self._arrived = entry.waiting, lived.events
        self.day = entry.day + 1

    def result(self) -> Looped:
        """Recount, and return what the run came to."""
        with self._timed("recount"):
            violations = self._product.violations()
        return Looped(
            world=self._world,
            days=self._accounts,
            violations=violations,
            pairs=Pairs.joined(self._pairs),
            holds=dict(self._holds.most_common()),
            refused=dict(self._refused.most_common()),
            seconds=dict(self._seconds),
            models=self._models,
        )

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[stage] += time.perf_counter() - began  # type: ignore[assignment]  # a Counter of seconds


def _pairs(sent: Sends, lived: Day) -> Pairs:
    """Return expectation beside truth; the world may give the day's messages back in another order."""
    order = pc.index_in(sent.messages.decision, value_set=lived.messages.decision)
    true = lived.net[order.to_numpy(zero_copy_only=False).astype(np.int64)] if len(sent) else np.zeros(0)
    return Pairs(channel=sent.messages.channel, expected=sent.expected, true=true)
