"""A shop of counts: who orders how often, who sees what, and what that adds; no row is ever written."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

import numpy as np

from decisions.worth.beliefs import Beliefs
from decisions.worth.life import Life
from decisions.worth.model import WorthModel
from decisions.worth.shrinking import rate
from decisions.worth.tally import Tally
from training.evidence.sample import Floats, Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from decisions.worth.model import Personal
    from training.evidence.sample import Integers

CHANNELS = ("email", "push")
"""The first shows opens, the second does not."""
OFFER = "tea"
PAIRS = tuple(f"{OFFER}|{channel}" for channel in CHANNELS)
WEEK = 7.0
HISTORY_WEEKS = 52
MARGIN, COST = 8.0, 0.06
"""Of an order and of a message: the mean message is worth about as much as it costs."""
BELIEFS = Beliefs(attention=(0.2, 0.2), loss=(0.0, 0.0), anyway=0.0)
_RATE, _LIFT = 0.05, 0.04
_ATTENTION = (0.3, 0.15)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shop:
    """The truth: orders a week without messages, P(seen) by channel, extra orders per message seen."""

    rate: Floats
    attention: Floats
    lift: Floats

    @classmethod
    def drawn(cls, customers: int, random: np.random.Generator) -> Shop:
        """Draw a shop; nobody's lift hangs on how often they order."""
        attention = np.array(_ATTENTION) * random.gamma(2.0, 0.5, (customers, len(CHANNELS)))
        return cls(
            rate=_RATE * random.gamma(1.0, 1.0, customers),
            attention=np.minimum(0.95, attention),
            lift=_LIFT * random.gamma(1.5, 1 / 1.5, customers),
        )

    def worth(self, channel: Integers) -> Floats:
        """Return what a message on each one's ``channel`` earns in truth."""
        rows = np.arange(len(self.rate))
        worth: Floats = self.attention[rows, channel] * self.lift * MARGIN - COST
        return worth


@dataclass(slots=True, kw_only=True, eq=False)
class Known:
    """What the product has counted so far: people's own orders, and what their messages did."""

    orders: Floats
    days: float
    counts: dict[str, Floats] = field(default_factory=dict)

    @classmethod
    def of(cls, shop: Shop, random: np.random.Generator) -> Known:
        """Return a year of orders, before any message."""
        shape = (len(shop.rate), len(CHANNELS), 1)
        return cls(
            orders=random.poisson(shop.rate * HISTORY_WEEKS).astype(np.float64),
            days=HISTORY_WEEKS * WEEK,
            counts={each.name: np.zeros(shape) for each in fields(Tally)},
        )

    def copied(self) -> Known:
        """Return what is known now, unchanged by what comes."""
        return Known(
            orders=self.orders.copy(), days=self.days, counts={name: c.copy() for name, c in self.counts.items()}
        )

    @property
    def tally(self) -> Tally:
        """The counts as the value model reads them."""
        return Tally(**self.counts)

    @property
    def life(self) -> Life:
        """How people live; they all visit often, and are customers still."""
        size = len(self.orders)
        days = np.full(size, self.days)
        return Life(orders=self.orders, revenue=self.orders, days=days, signs=days, silent_days=np.zeros(size))

    def learned(self) -> WorthModel:
        """Return the value model of these counts."""
        none = np.zeros(len(CHANNELS))
        return WorthModel.learn(self.tally, self.life, BELIEFS, lost=none, sent=none)

    def expected(self, model: WorthModel) -> Floats:
        """Return the orders a week that each one's own past lets expect."""
        return rate(self.orders, np.full(len(self.orders), self.days), model.peers.order_rate) * WEEK

    def count(self, channel: Integers, sent: NDArray[np.bool_], seen: NDArray[np.bool_], claimed: Floats) -> None:
        """Count a week's messages: whether they were sent and seen, and the orders claimed for them."""
        where = (np.flatnonzero(sent), channel[sent], np.zeros(int(sent.sum()), dtype=np.int64))
        opened = (seen & (channel == 0))[sent].astype(np.float64)
        ordered = (claimed > 0)[sent].astype(np.float64)
        self.counts["exposed"][where] += 1
        self.counts["opened"][where] += opened
        self.counts["seen"][where] += np.maximum(opened, ordered)
        self.counts["ordered"][where] += ordered


def predicted(personal: Personal, channel: Integers) -> Floats:
    """Return the extra orders of a message on each one's ``channel``, by the value model without a ratio."""
    seen = personal.attention[np.arange(len(channel)), channel] * personal.alive
    orders: Floats = seen * personal.lift[:, 0]
    return orders


def sampled(  # the columns of a sample
    *,
    channel: Integers,
    sent: NDArray[np.bool_],
    propensity: Floats,
    orders: Floats,
    expected: Floats,
    gain: Floats,
    window: int,
) -> Sample:
    """Return one week's draws as a sample; ``gain`` is what the model predicts."""
    size = len(sent)
    return Sample(
        sources=("ledger",),
        pairs=PAIRS,
        source=np.zeros(size, dtype=np.int64),
        pair=channel,
        window=np.full(size, window),
        unit=np.arange(size),
        sent=sent,
        propensity=propensity,
        predicted=gain,
        orders=orders,
        expected=expected,
        predicted_margin=gain * MARGIN,
        margin=orders * MARGIN,
        expected_margin=expected * MARGIN,
    )
