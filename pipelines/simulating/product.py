"""The product as a shop would run it: it hears what arrives, renews features and models, and answers questions."""

from __future__ import annotations

import gc
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from decisions.blocks import blocks
from decisions.records import Ask
from features.progress import quiet
from pipelines.jobs.building import build_tables, store_of
from pipelines.jobs.everywhere import Everywhere
from pipelines.jobs.recounting import recount_ledger
from pipelines.jobs.taking_turns import taking_turns
from pipelines.jobs.training import all_trained, train_models
from pipelines.simulating.home import prepare_models, settings_in
from pipelines.simulating.standing import MovableClock, StandingFeatures
from runtime.build import build
from runtime.lake import lake_of
from runtime.quiet import switch_off_usage_statistics
from simulation.facts import consents, customers
from simulation.log.events import customer_ids

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import Any

    import pyarrow as pa
    from numpy.typing import NDArray

    from decisions.records import Decision, Scores
    from decisions.scorers.base import Kind
    from pipelines.simulating.sends import Sends
    from runtime.build import Kairos
    from simulation.world import World

BLOCK = 250
"""Customers decided in one transaction."""


class Product:
    """The product in a home of its own, with a clock that is moved from outside."""

    def __init__(self, kairos: Kairos, clock: MovableClock, features: StandingFeatures, *, size: int) -> None:
        self.kairos = kairos
        self._clock = clock
        self._features = features
        self._everybody: list[str] = customer_ids(np.arange(size)).to_pylist()

    def begin(self, world: World, past: pa.Table) -> None:
        """Take in people, consents and the log of the history."""
        lake = lake_of(self.kairos.settings)
        with taking_turns(self.kairos.settings):
            everywhere = Everywhere(lake, self.kairos.ledger, self._clock.now())
            everywhere.customers(customers(world))
            everywhere.consents(consents(world))
            everywhere.events(past)

    def hear(self, events: pa.Table, *, now: datetime) -> None:
        """Let it be ``now``, and take in what arrived."""
        self._clock.move(now)
        if events.num_rows:
            with taking_turns(self.kairos.settings):
                Everywhere(lake_of(self.kairos.settings), self.kairos.ledger, now).events(events)

    def refresh(self) -> None:
        """Build features as of now, and put them online."""
        build_tables(self.kairos, progress=quiet)
        with taking_turns(self.kairos.settings):
            # Not the whole job: the registry that it writes beside is for Feast's own tools alone.
            store_of(self.kairos).materialize(progress=quiet)
        self.stand(self._clock.now())

    def stand(self, as_of: datetime) -> None:
        """Decide on the features of a refresh at ``as_of``."""
        self._features.stand(self._everybody, as_of=as_of)
        _set_aside()

    def train(self, *names: Kind) -> list[Mapping[str, Any]]:
        """Train the models called ``names``, or all of them, as of now; return what became of each."""
        prepare_models(self.kairos.settings)
        outcomes: list[Mapping[str, Any]] = [
            outcome.as_json() for outcome in all_trained(train_models(self.kairos, names, progress=quiet))
        ]
        _set_aside()
        return outcomes

    def scores(self) -> Mapping[str, Scores]:
        """Return what the models say of everybody."""
        return self.kairos.decider.scores(self._everybody)

    def ask(self, who: NDArray[np.int64], *, name: str, hours: int) -> list[Decision]:
        """Return the decisions on ``who`` for ``hours`` from now; asked again under ``name``, the same ones."""
        asks = [_ask(self._everybody[each], name, hours) for each in who.tolist()]
        decider, purse = self.kairos.decider, self.kairos.purse
        return [each for block in blocks(asks, BLOCK) for each in decider.decide_block(block, purse=purse)]

    def confirm(self, due: Sends) -> tuple[Sends, Counter[str]]:
        """Ask for permission for each message at the moment it is to go.

        Returns:
            Those that may go, and how many others were refused by code.
        """
        permitted, refused = set[str](), Counter[str]()
        for moment, ids in due.by_moment():
            for verdict in self.kairos.ledger.confirm_many(ids, moment):
                if verdict.state == "confirmed":  # just now, or by a run that was killed before it could send
                    permitted.add(verdict.decision_id)
                else:
                    refused[verdict.code] += 1
        return due.named(permitted), refused

    def violations(self) -> dict[str, int]:
        """Return the independent recount's violations by promise."""
        return {str(promise): count for promise, count in recount_ledger(self.kairos).counts.items()}


def _set_aside() -> None:
    """Spare the garbage collector what lives until the next refresh: models, features, libraries.

    Each decision makes some hundred objects, and whenever enough of them are alive the collector would look
    through all others as well: a tenth of the time of deciding.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _ask(customer_id: str, name: str, hours: int) -> Ask:
    return Ask(request_id=f"{name}:{customer_id}", customer_id=customer_id, horizon_hours=hours)


@contextmanager
def opened(home: Path, *, policy: Path, catalogue: Path, salt: str, now: datetime, size: int) -> Iterator[Product]:
    """Lend the product at ``home``, its clock at ``now``, for a world of ``size`` customers."""
    switch_off_usage_statistics()
    home.mkdir(parents=True, exist_ok=True)
    settings = settings_in(home.absolute(), policy=policy, catalogue=catalogue, salt=salt)
    clock, features = MovableClock(now), StandingFeatures(settings.features)
    with build(settings, clock=clock, features=features) as kairos:
        yield Product(kairos, clock, features, size=size)


def reasons(decisions: Sequence[Decision]) -> Counter[str]:
    """Return how many decisions are to hold, by main reason."""
    return Counter(str(each.reasons[0].code) for each in decisions if each.action == "hold")
