"""What every shop knows without a model: its offers' money, and the zones its customers have declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.calendar import Calendar
from simulation.facts import customers
from simulation.shop import MARGIN_RATE, SHOP, ZONES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.world import World

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

HOME = 0
"""The zone of the company, whose clock stands in for an unknown one."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Facts:
    """Public facts of one world; nothing here is a trait that only the world knows.

    ``zone`` is a number of :data:`simulation.shop.ZONES` by customer (the company's own where none is declared).
    ``margin`` and ``incentive`` are euros by offer, ``cost`` euros by channel.
    """

    calendar: Calendar
    zone: Ints
    margin: Floats
    incentive: Floats
    cost: Floats
    margin_rate: float = MARGIN_RATE

    @classmethod
    def of(cls, world: World) -> Self:
        """Read the customer table and the catalogue of ``world``."""
        declared = pc.index_in(customers(world)["time_zone"], pa.array(ZONES))
        return cls(
            calendar=world.calendar,
            zone=pc.fill_null(declared, HOME).to_numpy().astype(np.int64),
            margin=SHOP.margins,
            incentive=SHOP.incentives,
            cost=SHOP.costs,
        )

    @property
    def size(self) -> int:
        """How many customers."""
        return len(self.zone)

    @property
    def gain(self) -> Floats:
        """Margin less incentive of one conversion, in euros by offer."""
        return self.margin - self.incentive

    def slot(self, who: Ints, at: Ints) -> Ints:
        """Return the hour of the local week of each moment, on the clock of each of ``who``."""
        return self.calendar.slot(self.zone[who], at)


def chance(seed: int, purpose: str, day: int) -> np.random.Generator:
    """Return the stream of draws of one purpose on one day: the same whoever else draws, and however often."""
    return np.random.default_rng((seed, crc32(purpose.encode()), day))
