"""What a message is worth, at every hour at which it may go.

    V = τ · m · h − send cost − incentive · P(redeem) − ΔLTV − price
    ΔLTV = reachable value · added hazard(level) + response loss(level)

τ is the incremental gross margin of one send and already contains engagement. m is the send-time effect, read
between the middles of the 168 local hours, Sunday's last beside Monday's first; h is what the offer does at that
hour of the day, read alike. The level is the number of
messages of any kind (sent, confirmed, reserved) in the seven days up to and including the candidate's moment, the
last level standing for all above. Hold is worth 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from decisions.records import ValueParts
from decisions.timing.localtime import DAY, HOUR
from features.vocabulary import HOURS_OF_WEEK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from decisions.records import BudgetState, Scores
    from decisions.timing.slots import Hours
    from features.contracts import Offer

WEEK = 7 * DAY
_EVEN = (1.0,) * HOURS_OF_WEEK
_NOTHING = (0.0,)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """A moment in each hour (−1: none), read once for every channel."""

    times: NDArray[np.int64]
    level: NDArray[np.int64]
    """Messages in the seven days before."""
    hour: NDArray[np.int64]
    """The slot whose middle was last passed; ``share`` of the way to the next one's is gone."""
    share: Floats

    def level_at_first(self) -> Moments:
        """Return the same moments at the pressure level of the first.

        Where a clock says when a message is due, it has weighed what wears off. A message that leaves the week
        while another waits would only push each one to a later hour than the one before.
        """
        able = np.flatnonzero(self.times >= 0)
        return replace(self, level=np.full_like(self.level, self.level[able[0]])) if len(able) else self

    def read(self, curve: Sequence[float]) -> Floats:
        """Return ``curve``, one value a local hour of the week or of the day, between the middles of its hours."""
        values = np.array(curve)
        before = values[self.hour % len(values)]
        between: Floats = before + self.share * (values[(self.hour + 1) % len(values)] - before)
        return between


@dataclass(frozen=True, slots=True, eq=False)
class Lane:
    """What candidates of one channel and one permitted time share, hour by hour."""

    moments: Moments
    multiplier: Floats
    ltv_loss: Floats
    """Infinite where there is no moment."""

    @property
    def times(self) -> NDArray[np.int64]:
        """The moments themselves."""
        return self.moments.times


@dataclass(frozen=True, slots=True, eq=False)
class Worth:
    """The value of one candidate in each hour of its lane; −∞ where it has no moment."""

    lane: Lane
    tau: float
    send_cost: float
    incentive: float
    price: float
    hourly: Floats | None
    """h in each hour of the lane; None where every hour of the day is alike."""
    total: Floats
    best: float
    """The value in the best hour."""

    def parts(self, hour: int) -> ValueParts:
        """Return what the value in one hour is made of."""
        return ValueParts(
            tau=self.tau,
            multiplier=float(self.lane.multiplier[hour] * (1.0 if self.hourly is None else self.hourly[hour])),
            send_cost=self.send_cost,
            incentive=self.incentive,
            ltv_loss=float(self.lane.ltv_loss[hour]),
            price=self.price,
        )


def read_moments(times: NDArray[np.int64], grid: Hours, messages: Floats) -> Moments:
    """Return ``times`` (one in each hour of ``grid``) with pressure level and place on the circle of hours.

    ``messages`` are the moments of the customer's other messages, sorted.
    """
    level = np.searchsorted(messages, times, "right") - np.searchsorted(messages, times - WEEK, "right")
    after = (times + grid.offset) % HOUR / HOUR - 0.5
    step = (after < 0).astype(np.int64)
    return Moments(times, level, (grid.slot - step) % HOURS_OF_WEEK, after + step)


def lane(moments: Moments, *, channel: str, scores: Scores) -> Lane:
    """Return the parts of the value that depend on the hour.

    A score that is missing counts as nothing: marketing candidates without one were refused before.
    """
    hazard = _at_level(scores.hazard.get(channel) or _NOTHING, moments.level)
    response = _at_level(scores.response_loss.get(channel) or _NOTHING, moments.level)
    loss = scores.reachable_value.get(channel, 0.0) * hazard + response
    multiplier = moments.read(scores.multiplier.get(channel, _EVEN))
    return Lane(moments, multiplier, np.where(moments.times >= 0, loss, np.inf))


class Terms(NamedTuple):
    """What goes into the value of one offer on one channel at whatever hour."""

    tau: float
    send_cost: float
    incentive: float
    price: float
    hourly: tuple[float, ...] | None = None

    @property
    def cost(self) -> float:
        """All that is paid."""
        return self.send_cost + self.incentive + self.price


def terms(offer: Offer, channel: str, *, scores: Scores, budgets: BudgetState) -> Terms:
    """Return what goes into the value of sending ``offer`` on ``channel``."""
    pair = f"{offer.offer_id}|{channel}"
    # By the channel that it would go on where that is known, else by offer: its likeliest channel.
    redeem = scores.redeem.get(pair, scores.redeem.get(offer.offer_id, 0.0))
    return Terms(
        tau=scores.tau.get(pair, 0.0),
        send_cost=offer.send_cost.get(channel, 0.0),
        incentive=offer.incentive_cost * redeem,
        price=budgets.prices.get(channel, 0.0),
        hourly=scores.hourly.get(offer.offer_id),
    )


def worths(shared: Lane, sent: Sequence[Terms]) -> list[Worth]:
    """Return the value of each of ``sent`` in each hour of the lane they share."""
    tau = np.array([[each.tau] for each in sent])
    cost = np.array([[each.cost] for each in sent])
    hourly = [None if each.hourly is None else shared.moments.read(each.hourly) for each in sent]
    totals = tau * shared.multiplier
    for row, factor in enumerate(hourly):
        if factor is not None:
            totals[row] *= factor
    totals -= shared.ltv_loss + cost
    best = totals.max(axis=1).tolist()
    return [
        Worth(shared, each.tau, each.send_cost, each.incentive, each.price, factor, total, top)
        for each, factor, total, top in zip(sent, hourly, totals, best, strict=True)
    ]


def ceiling(offers: Sequence[Offer], *, scores: Scores, budgets: BudgetState) -> float:
    """Return what no message with any of ``offers`` is worth more than, at whatever hour and pressure."""
    extremes = {channel: _extremes(channel, scores) for offer in offers for channel in offer.channels}
    return max(
        (
            _most(terms(offer, channel, scores=scores, budgets=budgets), *extremes[channel])
            for offer in offers
            for channel in offer.channels
        ),
        default=-inf,
    )


def _most(sent: Terms, lowest: float, highest: float, loss: float) -> float:
    hours = sent.hourly or (1.0,)
    most = highest * max(hours) if sent.tau > 0 else lowest * min(hours)
    return sent.tau * most - (loss + sent.cost)


def _extremes(channel: str, scores: Scores) -> tuple[float, float, float]:
    """Return the worst and the best multiplier of ``channel``, and the least loss."""
    curve = scores.multiplier.get(channel, _EVEN)
    hazards = scores.hazard.get(channel) or _NOTHING
    reach = scores.reachable_value.get(channel, 0.0)
    loss = min(reach * each for each in hazards) + min(scores.response_loss.get(channel) or _NOTHING)
    return min(curve), max(curve), loss


def _at_level(table: Sequence[float], level: NDArray[np.int64]) -> Floats:
    row = np.asarray(table, dtype=np.float64)
    return row[np.minimum(level, row.size - 1)]
