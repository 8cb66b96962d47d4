"""What a log says of customers at a moment, for rivals that learn; and the past messages as lessons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulation.calendar import DAY
from simulation.shop import CATEGORIES, CHANNELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.world.rivals.facts import Facts
    from benchmarks.world.rivals.journal import Events, Journal

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_WINDOWS = (("sent", 30), ("clicked", 60), ("opened", 60), ("session", 30), ("purchased", 90), ("converted", 90))
_LONG = 150
WIDTH = 1 + len(_WINDOWS) + 1 + len(CATEGORIES)
OUTCOME_DAYS = 7
"""How many days after a period of lessons conversions of its messages still count."""


def features(journal: Journal, facts: Facts, at: int) -> Floats:
    """Return (customers, ``WIDTH``) from events before ``at``.

    1; log(1 + count) of recent messages, human clicks and opens, visits, orders and conversions; log of days
    since the last order; and the shares of orders by category, pulled to equal ones.
    """
    counts = [_recent(journal, kind, at, days).count(facts.size) for kind, days in _WINDOWS]
    orders = _recent(journal, "purchased", at, _LONG)
    last = np.full(facts.size, at - _LONG * DAY)
    np.maximum.at(last, orders.who, orders.at)
    wide = len(CATEGORIES)
    bought = np.bincount(orders.who * wide + np.maximum(orders.category, 0), minlength=facts.size * wide)
    taste = bought.reshape(facts.size, wide) + 1.0
    columns = [np.ones(facts.size), *(np.log1p(each) for each in counts), np.log1p((at - last) / DAY) / 2]
    return np.column_stack([*columns, taste / taste.sum(axis=1, keepdims=True)])


def _recent(journal: Journal, kind: str, at: int, days: int) -> Events:
    return journal.human(kind).within(at - days * DAY, at)


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """Messages whose outcome is known: who got what when, what was known then, and what followed."""

    who: Ints
    arm: Ints
    """Offer · channels + channel."""
    at: Ints
    known: Floats
    bought: NDArray[np.bool_]
    reward: Floats
    """Euros: the margin of the order that followed, less its incentive, less the cost of sending."""

    def __len__(self) -> int:
        return len(self.who)


def lessons(journal: Journal, facts: Facts, since: int, until: int) -> Lessons:
    """Return the messages sent in [``since``, ``until``) with what was known at ``since``."""
    sent = journal.of("sent").within(since, until)
    orders = journal.of("converted")
    orders = orders.take(orders.at < until + OUTCOME_DAYS * DAY)
    bought = sent.followed_by(orders)
    return Lessons(
        sent.who,
        sent.offer * len(CHANNELS) + sent.channel,
        sent.at,
        features(journal, facts, since)[sent.who],
        bought,
        _margins(sent, orders) * facts.margin_rate
        - bought * facts.incentive[sent.offer]
        - facts.cost[sent.channel],
    )


def weekly(journal: Journal, facts: Facts, since: int, until: int) -> Iterator[Lessons]:
    """Yield the lessons of [``since``, ``until``) in weeks, the oldest first."""
    for start in range(since, until, OUTCOME_DAYS * DAY):
        yield lessons(journal, facts, start, min(start + OUTCOME_DAYS * DAY, until))


def _margins(sent: Events, orders: Events) -> Floats:
    """Return the revenue that followed each message."""
    place = pc.fill_null(pc.index_in(sent.message, value_set=orders.message), -1).to_numpy()
    revenue: Floats = np.append(orders.value, 0.0)[place]
    return revenue
