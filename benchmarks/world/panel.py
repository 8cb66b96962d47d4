"""Records as columns: one entry a unit, families as strata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from benchmarks.world.units import Record
from simulation.families import CORE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from measures.arrays import Floats

Part = Literal["first", "later", "total"]
ORACLES = ("hold", "floor", "myopic", "attainable", "planning", "bound")
"""From below to above, as far as their tests order them."""


@dataclass(frozen=True)
class Panel:
    """All units that were played; euros are per customer.

    Raises:
        ValueError: for no units at all.
    """

    records: Sequence[Record]

    def __post_init__(self) -> None:
        if not self.records:
            raise ValueError("not one unit was played: nothing can be said")

    @cached_property
    def families(self) -> tuple[str, ...]:
        """Return the families in the order they were played."""
        return tuple(dict.fromkeys(self.strata))

    @cached_property
    def strata(self) -> list[str]:
        """Return each unit's family."""
        return [record["family"] for record in self.records]

    @cached_property
    def policies(self) -> tuple[str, ...]:
        """Return the policies that played in every unit."""
        return tuple(
            name for name in self._all_names if all(name in record["policies"] for record in self.records)
        )

    @property
    def incomplete(self) -> tuple[str, ...]:
        """Return the policies that played in some units only: they cannot be compared in pairs."""
        return tuple(name for name in self._all_names if name not in self.policies)

    @property
    def _all_names(self) -> dict[str, None]:
        return dict.fromkeys(name for record in self.records for name in record["policies"])

    @property
    def core(self) -> Panel:
        """Return the units of the core families, which means are taken over; where there are none, all."""
        found = [record for record in self.records if record["family"] in CORE]
        return Panel(found) if found else self

    @property
    def is_core(self) -> bool:
        """Whether all units are of core families."""
        return all(family in CORE for family in self.families)

    def of(self, family: str) -> Panel:
        """Return the units of one family."""
        return Panel([record for record in self.records if record["family"] == family])

    def oracle(self, name: str, part: Part = "total") -> Floats:
        """Return what an oracle was worth."""
        return np.array([record["oracles"][name][part] for record in self.records], dtype=np.float64)

    def column(self, policy: str, name: str = "value") -> Floats:
        """Return one number of a policy."""
        return np.array([record["policies"][policy][name] for record in self.records], dtype=np.float64)

    def mean(self, values: Floats) -> float:
        """Return the mean over families, each counting alike, of the means over their units."""
        strata = np.array(self.strata)
        return float(np.mean([values[strata == family].mean() for family in self.families]))

    def about(self, policy: str) -> Mapping[str, Any]:
        """Return what does not vary between units: the policy's table, axis and volume."""
        first = self.records[0]["policies"][policy]
        return {name: first.get(name) for name in ("table", "axis", "volume")}
