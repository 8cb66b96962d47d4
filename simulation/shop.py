"""The shop every world plays in: where its customers live, its channels, what it can offer and what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from features.contracts import Offer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ZONES = ("Europe/Berlin", "Europe/London", "America/New_York", "Asia/Kolkata")
COUNTRIES = ("DE", "GB", "US", "IN")
ZONE_SHARES = (0.45, 0.2, 0.25, 0.1)

CHANNELS = ("email", "push", "sms")
SEND_COST = {"email": 0.002, "push": 0.001, "sms": 0.06}

ORDER_MARGIN = 9.0
"""Gross margin of a customer's ordinary order, on average over customers, in euros."""
MARGIN_RATE = 0.3
"""The share of revenue that is margin."""


def _offer(offer_id: str, category: str, *, margin: float, incentive: float, cooldown: int) -> Offer:
    return Offer(
        offer_id=offer_id,
        category=category,
        channels=CHANNELS,
        margin=margin,
        incentive_cost=incentive,
        send_cost=SEND_COST,
        cooldown_days=cooldown,
    )


OFFERS = (
    _offer("new-arrivals", "fashion", margin=9.0, incentive=0.0, cooldown=0),
    _offer("ten-off", "home", margin=11.0, incentive=2.5, cooldown=0),
    _offer("refill", "beauty", margin=7.0, incentive=0.5, cooldown=0),
    _offer("free-shipping", "sport", margin=10.0, incentive=1.2, cooldown=0),
)
"""Amounts in euros; a world's families change how people react, never what is sold."""

CATEGORIES = tuple(offer.category for offer in OFFERS)


@dataclass(frozen=True, kw_only=True)
class Shop:
    """What a world sells, where, and for how much. Channels are always :data:`CHANNELS`, in this order.

    ``order_margin`` is the mean gross margin of an ordinary order, ``margin_rate`` the share of revenue that is
    margin, ``office`` the UTC hours from morning to late afternoon where the sender
    sits; what follows up comes six hours later at most, and on the same UTC day.
    """

    offers: tuple[Offer, ...]
    zones: tuple[str, ...]
    send_cost: Mapping[str, float]
    order_margin: float
    margin_rate: float
    currency: str
    office: tuple[int, int] = (8, 16)

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """By offer: what it is about."""
        return tuple(offer.category or "" for offer in self.offers)

    @cached_property
    def margins(self) -> Floats:
        """By offer: margin of an extra order."""
        return np.array([offer.margin for offer in self.offers], dtype=np.float64)

    @cached_property
    def incentives(self) -> Floats:
        """By offer: what redeeming it costs."""
        return np.array([offer.incentive_cost for offer in self.offers], dtype=np.float64)

    @cached_property
    def costs(self) -> Floats:
        """By channel: what a message costs."""
        return np.array([self.send_cost[channel] for channel in CHANNELS], dtype=np.float64)


SHOP = Shop(
    offers=OFFERS,
    zones=ZONES,
    send_cost=SEND_COST,
    order_margin=ORDER_MARGIN,
    margin_rate=MARGIN_RATE,
    currency="EUR",
)
"""The shop of every world that is simulated whole."""
