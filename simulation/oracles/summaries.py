"""What the log says of everybody, as numbers: all that the attainable oracle knows of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from simulation.arena.playing import channels, moments_of, numbers
from simulation.calendar import DAY
from simulation.people.rhythm import CURVES, HABITS
from simulation.shop import CATEGORIES, CHANNELS, MARGIN_RATE, OFFERS, ORDER_MARGIN, ZONES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.calendar import Calendar

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_KINDS = (
    "sent",
    "bounced",
    "opened",
    "clicked",
    "unsubscribed",
    "complained",
    "converted",
    "session",
    "purchased",
)
_SESSION = _KINDS.index("session")
_OFFERED = ("sent", "clicked", "converted")
_ORDER = ORDER_MARGIN / MARGIN_RATE
"""Revenue of the mean order,"""
_PRIOR_ORDERS = 0.5
"""and how many such orders stand behind each one's own: what orders of one vary against what baskets do."""
_RECENT_DAYS = 20.0
"""In so many days, what counts as recent halves."""


class Summary:
    """Counts of the events heard so far; nothing here has seen a trait."""

    def __init__(self, customers: pa.Table, calendar: Calendar) -> None:
        self._calendar = calendar
        size = customers.num_rows
        zones = pc.fill_null(pc.index_in(customers["time_zone"], pa.array(ZONES)), -1)
        self.zone: Ints = zones.to_numpy().astype(np.int64)
        self.consent: Flags = np.array([_valid(row) for row in customers["contacts"].to_pylist()])
        self._counts = np.zeros((size, len(_KINDS), len(CHANNELS) + 1, 2))
        self._offers = np.zeros((size, len(OFFERS), len(_OFFERED)))
        self._categories = np.zeros((size, len(CATEGORIES)))
        self._spend = np.zeros(size)
        self._habits = np.zeros((size, HABITS))
        self._recent = np.zeros((size, len(_KINDS)))
        self._as_of = 0.0

    def hear(self, events: pa.Table, day: int) -> None:
        """Count ``events``, which have arrived by the end of ``day``."""
        who, channel = numbers(events), channels(events)
        kind = pc.fill_null(pc.index_in(events["type"], pa.array(_KINDS)), -1).to_numpy().astype(np.int64)
        known = kind >= 0
        machine = events["automated"].to_numpy().astype(np.int64)
        np.add.at(self._counts, (who[known], kind[known], channel[known], machine[known]), 1)
        age = day + 1 - (moments_of(events) - self._calendar.epoch) / DAY
        self._recent *= 0.5 ** ((day + 1 - self._as_of) / _RECENT_DAYS)
        self._as_of = day + 1.0
        human = known & (machine == 0)
        np.add.at(self._recent, (who[human], kind[human]), 0.5 ** (age[human] / _RECENT_DAYS))
        self._hear_offers(events, who, human)
        self._hear_orders(events, who)
        self._hear_hours(events, who, human & (kind >= _SESSION))

    def _hear_offers(self, events: pa.Table, who: Ints, human: Flags) -> None:
        offer = pc.index_in(events["offer_id"], pa.array([each.offer_id for each in OFFERS]))
        number = pc.fill_null(offer, -1).to_numpy()
        for column, kind in enumerate(_OFFERED):
            rows = human & (number >= 0) & pc.equal(events["type"], kind).to_numpy()
            np.add.at(self._offers, (who[rows], number[rows], column), 1)

    def _hear_orders(self, events: pa.Table, who: Ints) -> None:
        bought = pc.equal(events["type"], "purchased").to_numpy()
        np.add.at(self._spend, who[bought], events["value"].to_numpy()[bought])
        for column, category in enumerate(CATEGORIES):
            about = pc.match_substring(events["properties"], f'"{category}"')
            rows = bought & pc.fill_null(about, fill_value=False).to_numpy()
            np.add.at(self._categories, (who[rows], column), 1)

    def _hear_hours(self, events: pa.Table, who: Ints, rows: Flags) -> None:
        """Share every visit and order out among the habits, by how well its hour fits each."""
        rows = rows & (self.zone[who] >= 0)
        slot = self._calendar.slot(self.zone[who[rows]], moments_of(events)[rows])
        fit = CURVES[:, slot].T
        np.add.at(self._habits, who[rows], fit / fit.sum(axis=1, keepdims=True))

    def numbers(self) -> Floats:
        """Return (people, numbers): what is told of each."""
        sends = self._counts[:, 0].sum(axis=2)[:, : len(CHANNELS)]
        replies = self._counts[:, 2:4, : len(CHANNELS), 0]
        rates = (replies + 0.2) / (sends[:, None] + 2)
        bought = self._categories.sum(axis=1, keepdims=True)
        seen = self._habits.sum(axis=1, keepdims=True)
        size = len(self.zone)
        return np.column_stack(
            [
                self._counts.reshape(size, -1),
                self._offers.reshape(size, -1),
                rates.reshape(size, -1),
                self._categories,
                (self._categories + 0.5) / (bought + 0.5 * len(CATEGORIES)),
                (self._spend / _ORDER + _PRIOR_ORDERS) / (bought[:, 0] + _PRIOR_ORDERS),
                (self._habits + 1) / (seen + HABITS),
                seen,
                self._recent,
                self.consent,
                self.zone + 1,
            ]
        )


def _valid(contacts: str) -> list[bool]:
    states = orjson.loads(contacts)
    return [states[channel] == "valid" for channel in CHANNELS]
