"""The day's decisions for everybody, bucket by bucket, through the same core that answers single questions.

Shared channel budgets are kept in two ways. A *price* per channel is frozen before the first draw, set on a
sample of customers so that about as many sends are worth more than it as there are places. What the estimate
leaves over is caught by counting: a channel with no place left is exhausted for everybody who comes later. The
places are leased, block by block, from the days of the plan; whoever else decides on those days shares them.
Customers come in an order drawn by key, so that nobody is last by the spelling of their id.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import orjson

from decisions.blocks import blocks
from decisions.draws import uniform
from decisions.records import Ask, Decision
from features.progress import Progress, quiet
from runtime.decider import NO_BUDGETS
from runtime.lake import lake_of
from runtime.purse import Purse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from runtime.build import Kairos

BLOCK = 250
"""Customers decided in one transaction: others wait for the ledger meanwhile."""

SAMPLE = 1000
"""Customers on whom prices are set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """What a plan came to. ``value`` sums the expected values of the sends; ``hold`` counts by main reason.

    The price of a place is no cost: it only ranks those who compete for it, and is left out of ``value``.

    ``incremental`` is false unless a randomised send stands behind every value.
    """

    date: str
    days: int
    asked: int
    send: int
    sends: Mapping[str, int]
    offers: Mapping[str, int]
    hold: Mapping[str, int]
    value: float
    incremental: bool
    prices: Mapping[str, float]
    budgets: Mapping[str, int]
    seconds: float


def plan_day(kairos: Kairos, *, day: date | None = None, days: int = 1, progress: Progress = quiet) -> PlanReport:
    """Decide for every customer of the lake, with sends in the next ``days`` days, and reserve what is decided.

    What is left of the ``daily_budget`` of ``days`` days, from ``day`` on, may be spent. The plan of a day is
    idempotent: running it again returns the decisions already made, and goes on where a killed run stopped, at
    the prices of the first run.
    """
    started, now = time.perf_counter(), kairos.clock.now()
    plan = _Plan(kairos, day or now.date(), days, now)
    tally = plan.run(progress)
    return PlanReport(
        date=plan.day.isoformat(),
        days=days,
        asked=tally.sends.total() + tally.holds.total(),
        send=tally.sends.total(),
        sends=dict(tally.sends.most_common()),
        offers=dict(tally.offers.most_common()),
        hold=dict(tally.holds.most_common()),
        value=tally.value,
        incremental=tally.incremental and bool(tally.sends),
        prices=dict(plan.prices),
        budgets=plan.budgets,
        seconds=time.perf_counter() - started,
    )


@dataclass
class _Tally:
    """What is counted while a plan runs."""

    sends: Counter[str] = field(default_factory=Counter)
    offers: Counter[str] = field(default_factory=Counter)
    holds: Counter[str] = field(default_factory=Counter)
    value: float = 0.0
    incremental: bool = True

    def add(self, decision: Decision) -> None:
        if decision.action == "hold":
            self.holds[decision.reasons[0].code] += 1
            return
        self.sends[str(decision.channel)] += 1
        self.offers[str(decision.offer_id)] += 1
        self.incremental &= decision.incremental
        if decision.expected_value:
            self.value += decision.expected_value.total + decision.expected_value.price


class _Plan:
    """One run over everybody."""

    def __init__(self, kairos: Kairos, day: date, days: int, now: datetime) -> None:
        self.kairos = kairos
        self.day = day
        self.days = days
        self.now = now
        self.budgets = {channel: places * days for channel, places in kairos.policy.daily_budget.items()}
        self.prices: Mapping[str, float] = {}

    def run(self, progress: Progress) -> _Tally:
        customers = self._customers()
        self.prices = self._prices(customers)
        with closing(self._purse()) as purse:
            return self._decide(customers, purse, progress)

    def _purse(self) -> Purse:
        kairos, days = self.kairos, [self.day + timedelta(days=later) for later in range(self.days)]
        limits = kairos.policy.daily_budget
        return Purse(kairos.ledger.budgets, limits, clock=kairos.clock, days=days, prices=self.prices)

    def _decide(self, customers: Sequence[str], purse: Purse, progress: Progress) -> _Tally:
        tally, done = _Tally(), 0
        for block in blocks(customers, BLOCK):
            asks = [self._ask(customer) for customer in block]
            for decision in self.kairos.decider.decide_block(asks, purse=purse, now=self.now):
                tally.add(decision)
            done += len(block)
            progress("decide", done, len(customers))
        return tally

    def _customers(self) -> list[str]:
        lake, key = lake_of(self.kairos.settings), self.kairos.keys.assignment
        everybody = (customer for bucket in range(lake.buckets) for customer in lake.customer_ids(bucket))
        return sorted(everybody, key=lambda customer: uniform(key, "plan", self._prefix, customer))

    def _ask(self, customer_id: str) -> Ask:
        return Ask(
            request_id=f"{self._prefix}{customer_id}", customer_id=customer_id, horizon_hours=24 * self.days
        )

    @property
    def _prefix(self) -> str:
        return f"plan:{self.day.isoformat()}:{self.days}:"

    def _prices(self, customers: Sequence[str]) -> dict[str, float]:
        """Return the prices of this plan's first run under this policy and catalogue, setting them in that run."""
        if not self.budgets or not customers:
            return {}
        kairos = self.kairos
        version = f"{self._prefix}{kairos.policy.version}:{kairos.catalogue.version}"
        kept = kairos.ledger.content("prices", version)
        if kept is None:
            kept = orjson.dumps(self._new_prices(customers))
            kairos.ledger.keep("prices", version, kept, now=self.now)
        prices: dict[str, float] = orjson.loads(kept)
        return prices

    def _new_prices(self, customers: Sequence[str]) -> dict[str, float]:
        """Return for each channel the value of the last sampled send that would still find a place."""
        sample = customers[:SAMPLE]
        share = len(sample) / len(customers)
        values = self._wanted(sample)
        return {
            channel: _price(values.get(channel, []), each.left * share)
            for channel, each in self._purse().standing(self.now).items()
        }

    def _wanted(self, sample: Sequence[str]) -> dict[str, list[float]]:
        """Return what the sends that the sample would get without budgets are worth, by channel.

        Under request ids of their own, and so by other draws than those that decide: a price that knew how a
        customer's draw came out would make the probability recorded for it wrong.
        """
        asks = [replace(ask, request_id=f"price:{ask.request_id}") for ask in map(self._ask, sample)]
        values: dict[str, list[float]] = {}
        for decision in self.kairos.decider.preview(asks, budgets=NO_BUDGETS, now=self.now):
            if decision.action == "send" and decision.expected_value:
                values.setdefault(str(decision.channel), []).append(decision.expected_value.total)
        return values


def _price(values: Sequence[float], places: float) -> float:
    """Return what the first send without a place is worth, or 0 where there is a place for all."""
    if len(values) <= places:
        return 0.0
    return max(0.0, sorted(values, reverse=True)[int(places)])
