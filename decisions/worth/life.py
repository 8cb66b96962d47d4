"""How people live without messages, as far as it bears on what a message is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from decisions.worth.shrinking import PSEUDO_EVENTS, rate

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Life:
    """Arrays of (people,): what was counted over ``days`` each."""

    orders: Floats
    """Orders that follow no message,"""
    revenue: Floats
    """and their sum."""
    days: Floats
    """Days of which anything is known."""
    signs: Floats
    """Visits and orders: what only somebody who is still a customer does."""
    silent_days: Floats
    """Days since the last of those, or since anything is known."""

    def of(self, who: NDArray[np.int64]) -> Life:
        """Return the rows of ``who``."""
        return Life(
            orders=self.orders[who],
            revenue=self.revenue[who],
            days=self.days[who],
            signs=self.signs[who],
            silent_days=self.silent_days[who],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """What is usual: orders and signs of life a day, revenue an order (0: not known)."""

    order_rate: float
    sign_rate: float
    order_revenue: float

    @classmethod
    def of(cls, life: Life) -> Peers:
        """Return the means over everybody."""
        days, orders = max(float(life.days.sum()), 1.0), float(life.orders.sum())
        revenue = float(life.revenue.sum()) / orders if orders else 0.0
        return cls(order_rate=orders / days, sign_rate=float(life.signs.sum()) / days, order_revenue=revenue)

    def pace(self, life: Life) -> Floats:
        """Return each one's rate of orders, relative to the mean."""
        if self.order_rate <= 0:
            return np.ones_like(life.orders)
        return rate(life.orders, life.days, self.order_rate) / self.order_rate

    def basket(self, life: Life) -> Floats:
        """Return each one's revenue an order, relative to the mean."""
        if self.order_revenue <= 0:
            return np.ones_like(life.orders)
        basket: Floats = (life.revenue / self.order_revenue + PSEUDO_EVENTS) / (life.orders + PSEUDO_EVENTS)
        return basket

    def alive(self, life: Life, yearly_churn: float) -> Floats:
        """Return P(still a customer) given how long each was silent.

        Signs of life come at the person's own rate λ and stop at a constant hazard h: the Pareto/NBD formula with
        the rate known, P = 1 / (1 + h / (λ + h) · (exp((λ + h) t) − 1)), Schmittlein, Morrison & Colombo 1987.
        """
        if self.sign_rate <= 0:
            return np.ones_like(life.signs)
        hazard = -np.log1p(-yearly_churn) / 365.0
        pace = rate(life.signs, life.days, self.sign_rate, strength=1.0) + hazard
        gone = hazard / pace * np.expm1(np.minimum(pace * life.silent_days, 500.0))
        alive: Floats = 1.0 / (1.0 + gone)
        return alive
