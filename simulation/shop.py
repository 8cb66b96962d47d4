"""The shop every world plays in: where its customers live, its channels, what it can offer and what that costs."""

from __future__ import annotations

from features.contracts import Offer

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
MARGINS = tuple(offer.margin for offer in OFFERS)
INCENTIVES = tuple(offer.incentive_cost for offer in OFFERS)
COSTS = tuple(SEND_COST[channel] for channel in CHANNELS)
