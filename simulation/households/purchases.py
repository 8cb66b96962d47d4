"""What real purchases say of people: how often they order, for how much, of what, and at which hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa

from simulation.calendar import DAY, WEEK_HOURS
from simulation.people.rhythm import CURVES, HABITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.calendar import Calendar

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_LINES = """
CREATE TABLE lines AS
SELECT p.who, value, epoch(occurred_at)::BIGINT AS second, properties ->> 'category' AS category,
       coalesce(properties ->> 'order_id', event_id) AS order_id
FROM purchases JOIN people p USING (customer_id)
WHERE epoch(occurred_at) >= $since AND epoch(occurred_at) < $until
"""
_ORDERS = """
SELECT who, sum(value) AS revenue, min(second) AS second FROM lines
GROUP BY who, order_id ORDER BY who, second, order_id
"""
_SPENT = """
SELECT who, number AS offer, sum(value) AS revenue FROM lines JOIN offers USING (category)
GROUP BY ALL ORDER BY ALL
"""
YEAR = 365
"""Days of purchases that are looked at; habits of longer ago say little."""
_MOST = 0.5
"""Orders a day that nobody exceeds, as in every family."""
_RARE = 0.001
"""Orders a day of who bought nothing."""
_PRIOR_ORDERS = 20.0
"""How many orders' hours of everybody stand behind each one's own,"""
_PRIOR_SPENT = 20.0
"""how much money spent like everybody's behind each one's taste,"""
_PRIOR_BASKETS = 3.0
"""and how many mean orders behind each one's basket."""
_STEPS = 25
"""Of expectation and maximisation: by then the mixtures have settled to a percent or so."""


@dataclass(frozen=True, slots=True)
class Bought:
    """What customers bought, in the order in which they were named."""

    orders: Floats
    """Orders a day over the year, or over the days since anybody's first."""
    basket: Floats
    """One's mean order in everybody's."""
    taste: Floats
    """(customers, offers): share of the money that went into each offer's category."""
    mix: Floats
    """(customers, habits): the mixture of habits that explains the hours of their orders best."""
    mean_order: float
    """Revenue of everybody's mean order."""

    @classmethod
    def of(
        cls,
        purchases: pa.Table,
        ids: pa.ChunkedArray,
        zone: Ints,
        *,
        categories: tuple[str, ...],
        calendar: Calendar,
    ) -> Bought:
        """Read ``purchases`` (events) of the year before ``calendar``'s day 0.

        ``ids`` and ``zone`` name the customers and their zone's number in ``calendar``.

        Raises:
            ValueError: nobody bought anything in that year.
        """
        orders, spent = _read(purchases, ids, categories, calendar.midnight(-YEAR), calendar.epoch)
        who, second = orders["who"].to_numpy(), orders["second"].to_numpy()
        if not len(who):
            raise ValueError(f"nobody bought in the {YEAR} days before {calendar.start}: import purchases first")
        count = np.bincount(who, minlength=len(ids)).astype(np.float64)
        revenue = np.bincount(who, orders["revenue"].to_numpy(), minlength=len(ids))
        mean_order = float(revenue.sum() / count.sum())
        week = np.zeros((len(ids), WEEK_HOURS))
        np.add.at(week, (who, calendar.slot(zone[who], second)), 1.0)
        return cls(
            orders=np.clip(count * DAY / (calendar.epoch - second.min()), _RARE, _MOST),
            basket=(revenue / mean_order + _PRIOR_BASKETS) / (count + _PRIOR_BASKETS),
            taste=_taste(spent, len(ids), len(categories)),
            mix=mixtures(week),
            mean_order=mean_order,
        )


def mixtures(week: Floats) -> Floats:
    """Return (people, habits) weights that explain counts by hour of the week, drawn towards everybody's.

    Maximum a posteriori of a mixture by expectation and maximisation (Dempster, Laird, Rubin 1977), under a
    Dirichlet prior around the mixture of all people together.
    """
    flat = np.full((1, HABITS), 1 / HABITS)
    everybody = _settled(week.sum(axis=0, keepdims=True), flat, 1.0)
    return _settled(week, everybody, _PRIOR_ORDERS)


def _settled(week: Floats, prior: Floats, strength: float) -> Floats:
    weights: Floats = np.repeat(prior, len(week), axis=0)
    for _ in range(_STEPS):
        explained = weights * ((week / (weights @ CURVES)) @ CURVES.T)
        weights = (explained + strength * prior) / (week.sum(axis=1, keepdims=True) + strength)
    return weights


def _taste(spent: pa.Table, size: int, offers: int) -> Floats:
    money = np.zeros((size, offers))
    money[spent["who"].to_numpy(), spent["offer"].to_numpy()] = np.maximum(0.0, spent["revenue"].to_numpy())
    everybody = (money.sum(axis=0) + 1) / (money.sum() + offers)
    taste: Floats = (money + _PRIOR_SPENT * everybody) / (money.sum(axis=1, keepdims=True) + _PRIOR_SPENT)
    return taste


def _read(
    purchases: pa.Table, ids: pa.ChunkedArray, categories: tuple[str, ...], since: int, until: int
) -> tuple[pa.Table, pa.Table]:
    """Return orders (who, revenue, second) and money spent (who, offer, revenue), in an order of their own."""
    with duckdb.connect() as connection:
        connection.register("purchases", purchases)
        connection.register("people", pa.table({"customer_id": ids, "who": np.arange(len(ids))}))
        connection.register("offers", pa.table({"category": categories, "number": np.arange(len(categories))}))
        connection.execute(_LINES, {"since": since, "until": until})
        return connection.execute(_ORDERS).to_arrow_table(), connection.execute(_SPENT).to_arrow_table()
