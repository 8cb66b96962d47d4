"""What a message is worth, at every hour at which it may go (design, section 6.3).

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

from decisions.localtime import DAY, HOUR
from decisions.records import ValueParts
from decisions.slots import Hours
from features.vocabulary import HOURS_OF_WEEK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from decisions.eligibility import Candidate
    from decisions.records import Scores

WEEK = 7 * DAY
_EVEN = (1.0,) * HOURS_OF_WEEK
_NOTHING = (0.0,)


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """The value of each candidate (rows) at each of its moments (columns), and the parts it is made of."""

    tau: NDArray[np.float64]
    multiplier: NDArray[np.float64]
    send_cost: NDArray[np.float64]
    incentive: NDArray[np.float64]
    ltv_loss: NDArray[np.float64]
    price: NDArray[np.float64]
    total: NDArray[np.float64]
    """−∞ where the candidate has no moment."""

    def parts(self, row: int, column: int) -> ValueParts:
        """Return the parts of one value."""
        return ValueParts(
            tau=float(self.tau[row]),
            multiplier=float(self.multiplier[row, column]),
            send_cost=float(self.send_cost[row]),
            incentive=float(self.incentive[row]),
            ltv_loss=float(self.ltv_loss[row, column]),
            price=float(self.price[row]),
        )


def surface(
    candidates: Sequence[Candidate],
    times: NDArray[np.int64],
    grid: Hours,
    *,
    scores: Scores,
    messages: NDArray[np.float64],
    prices: Mapping[str, float],
) -> Surface:
    """Return the value of ``candidates`` at ``times`` (candidates × hours of ``grid``; −1: none).

    ``messages`` are the moments of the customer's other messages, sorted. A score that is missing counts as
    nothing: marketing candidates without one were refused before.
    """
    channels = [candidate.channel for candidate in candidates]
    level = np.searchsorted(messages, times, "right") - np.searchsorted(messages, times - WEEK, "right")
    reachable = np.array([scores.reachable_value.get(channel, 0.0) for channel in channels])
    loss = reachable[:, None] * _at_level(scores.hazard, channels, level)
    loss += _at_level(scores.response_loss, channels, level)
    tau = np.array([scores.tau.get(candidate.name, 0.0) for candidate in candidates])
    multiplier = _multiplier(scores, channels, times, grid)
    send_cost = np.array([each.offer.send_cost.get(each.channel, 0.0) for each in candidates])
    incentive = np.array(
        [each.offer.incentive_cost * scores.redeem.get(each.offer.offer_id, 0.0) for each in candidates]
    )
    price = np.array([prices.get(channel, 0.0) for channel in channels])
    total = tau[:, None] * multiplier - (send_cost + incentive + price)[:, None] - loss
    total = np.where(times >= 0, total, -np.inf)
    return Surface(tau, multiplier, send_cost, incentive, loss, price, total)


def _at_level(
    table: Mapping[str, tuple[float, ...]], channels: Sequence[str], level: NDArray[np.int64]
) -> NDArray[np.float64]:
    rows = [np.asarray(table.get(channel) or _NOTHING) for channel in channels]
    return np.stack([row[np.minimum(at, row.size - 1)] for row, at in zip(rows, level, strict=True)])


def _multiplier(
    scores: Scores, channels: Sequence[str], times: NDArray[np.int64], grid: Hours
) -> NDArray[np.float64]:
    curves = {channel: np.asarray(scores.multiplier.get(channel, _EVEN)) for channel in dict.fromkeys(channels)}
    after = (times + grid.offset) % HOUR / HOUR - 0.5  # from the middle of the hour, in hours
    step = np.where(after < 0, -1, 0)
    here = (grid.slot + step) % HOURS_OF_WEEK
    share = after - step
    rows = (
        (1 - part) * curves[channel][at] + part * curves[channel][(at + 1) % HOURS_OF_WEEK]
        for channel, at, part in zip(channels, here, share, strict=True)
    )
    return np.stack(list(rows))
