"""Which worlds to play: seeds for development, and those that are judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.world.units import TUNED_IN, TUNING_CUSTOMERS, Unit
from simulation.families import CORE, FAMILIES
from simulation.horizon import FIRST, LATER

SCORED = (FIRST, LATER)
"""Days after which a play has a score."""
JUDGED = tuple(range(101, 111))
"""The seeds whose figures count. Ideas are tried on others: each look at these is logged."""
LOOP_CUSTOMERS = 800
"""Customers of the worlds that the whole product plays in, beside its value model by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which worlds to play. ``families``: None for all. The whole product plays on so many ``loop_seeds``, too."""

    families: tuple[str, ...] | None = None
    seeds: tuple[int, ...] = (1, 2, 3)
    customers: int = 2000
    days: int = FIRST
    folder: Path = Path(".kairos/bench/world")
    judged: bool = False
    loop_seeds: int = 0
    swaps: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be played, and judged seeds by the way.

        Raises:
            ValueError: for such a plan.
        """
        if unknown := set(self.families or ()) - FAMILIES.keys():
            raise ValueError(f"no family is called {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")
        if self.days not in SCORED:
            raise ValueError(f"a play of {self.days} days has no score: play 60 days, or 180")
        if not self.seeds or min(*self.seeds, self.customers) < 1:
            raise ValueError(
                f"{len(self.seeds)} seeds, {self.customers} customers: one of each, numbered from 1, is the least"
            )
        if not 0 <= self.loop_seeds <= len(self.seeds):
            raise ValueError(f"the product plays on 0 to {len(self.seeds)} of these seeds, not {self.loop_seeds}")
        if not self.judged and (looked := set(self.seeds) & set(JUDGED)):
            raise ValueError(
                f"seed {min(looked)} is one of those that are judged: give --judged, which logs the look, "
                "or develop on seeds 1 to 99"
            )

    @property
    def units(self) -> list[Unit]:
        """Return the worlds, one seed of every family before the next seed: a run cut short is balanced."""
        return [
            Unit(family=family, seed=seed, customers=self.customers, days=self.days)
            for seed in self.seeds
            for family in self.families or FAMILIES
        ]

    @property
    def loops(self) -> list[Unit]:
        """Return the worlds of the core that the whole product plays in, whatever the length of the others."""
        return [
            Unit(family=family, seed=seed, customers=min(self.customers, LOOP_CUSTOMERS), days=FIRST)
            for seed in self.seeds[: self.loop_seeds]
            for family in self.families or FAMILIES
            if family in CORE
        ]

    @property
    def tuned(self) -> list[Unit]:
        """Return the worlds that floors are tuned in: of the core, whatever is played, and of what is played."""
        return [
            Unit(family=family, seed=TUNED_IN, customers=min(self.customers, TUNING_CUSTOMERS), days=FIRST)
            for family in dict.fromkeys([*CORE, *(self.families or FAMILIES)])
        ]
