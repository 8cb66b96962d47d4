"""What a message is worth, at every hour at which it may go.

    V = τ · m − send cost − incentive · P(redeem) − ΔLTV − price
    ΔLTV = reachable value · added hazard(level) + response loss(level)

τ is the incremental gross margin of one send and already contains engagement. m is the send-time effect, read
between the middles of the 168 local hours, Sunday's last beside Monday's first. The level is the number of
messages of any kind (sent, confirmed, reserved) in the seven days up to and including the candidate's moment, the
last level standing for all above. Hold is worth 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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


@dataclass(frozen=True, slots=True, eq=False)
class Lane:
    """What candidates of one channel and one permitted time share, hour by hour."""

    times: NDArray[np.int64]
    multiplier: Floats
    ltv_loss: Floats
    """Infinite where there is no moment."""


@dataclass(frozen=True, slots=True, eq=False)
class Worth:
    """The value of one candidate in each hour of its lane; −∞ where it has no moment."""

    lane: Lane
    tau: float
    send_cost: float
    incentive: float
    price: float
    total: Floats

    def parts(self, hour: int) -> ValueParts:
        """Return what the value in one hour is made of."""
        return ValueParts(
            tau=self.tau,
            multiplier=float(self.lane.multiplier[hour]),
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
    curve = np.array(scores.multiplier.get(channel, _EVEN))
    between = np.append(curve[1:], curve[0]) - curve
    multiplier = curve[moments.hour] + moments.share * between[moments.hour]
    return Lane(moments.times, multiplier, np.where(moments.times >= 0, loss, np.inf))


def worth(shared: Lane, offer: Offer, channel: str, *, scores: Scores, budgets: BudgetState) -> Worth:
    """Return the value of sending ``offer`` on ``channel`` in each hour of its lane."""
    tau = scores.tau.get(f"{offer.offer_id}|{channel}", 0.0)
    send_cost = offer.send_cost.get(channel, 0.0)
    incentive = offer.incentive_cost * scores.redeem.get(offer.offer_id, 0.0)
    price = budgets.prices.get(channel, 0.0)
    total = tau * shared.multiplier - (shared.ltv_loss + (send_cost + incentive + price))
    return Worth(shared, tau, send_cost, incentive, price, total)


def ceiling(offers: Sequence[Offer], *, scores: Scores, budgets: BudgetState) -> float:
    """Return what no message with any of ``offers`` is worth more than, at whatever hour and pressure."""
    lanes = {channel: _extremes(channel, scores) for offer in offers for channel in offer.channels}
    pairs = ((offer, channel) for offer in offers for channel in offer.channels)
    found = (worth(lanes[channel], offer, channel, scores=scores, budgets=budgets) for offer, channel in pairs)
    return max((float(each.total.max()) for each in found), default=-np.inf)


def _extremes(channel: str, scores: Scores) -> Lane:
    """Return a lane of two hours, the worst and the best by the multiplier, both at the least loss."""
    curve = scores.multiplier.get(channel, _EVEN)
    hazards = scores.hazard.get(channel) or _NOTHING
    reach = scores.reachable_value.get(channel, 0.0)
    loss = min(reach * each for each in hazards) + min(scores.response_loss.get(channel) or _NOTHING)
    return Lane(np.zeros(2, dtype=np.int64), np.array([min(curve), max(curve)]), np.full(2, loss))


def _at_level(table: Sequence[float], level: NDArray[np.int64]) -> Floats:
    row = np.asarray(table, dtype=np.float64)
    return row[np.minimum(level, row.size - 1)]
