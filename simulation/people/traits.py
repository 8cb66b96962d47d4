"""How traits are drawn: factors around one, shares, mixtures of habits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulation.people.rhythm import HABITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.shop import Shop

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


class Traits:
    """Draws of traits; where people are ``alike``, what concerns reactions does not vary."""

    def __init__(self, generator: np.random.Generator, size: int, shop: Shop, *, alike: bool) -> None:
        self.generator = generator
        self.size = size
        self.shop = shop
        self._vary = not alike

    def chance(self, share: float) -> Flags:
        """Return whom a draw of probability ``share`` hits."""
        return self.generator.random(self.size) < share

    def around_one(self, spread: float, *width: int) -> Floats:
        """Return log-normal factors with mean 1."""
        return np.exp(spread * self.generator.standard_normal((self.size, *width)) - spread**2 / 2)

    def reacting(self, spread: float, *width: int) -> Floats:
        """Return the same, but 1 for all where people are alike."""
        factors = self.around_one(spread, *width)
        return factors if self._vary else np.ones_like(factors)

    def mixtures(self, clusters: int, own: float) -> Floats:
        """Return (people, HABITS) weights that sum to 1, all habits in the same shares where people are alike."""
        free = self.generator.dirichlet(np.full(HABITS, 0.6), self.size)
        member = self.generator.integers(max(1, clusters), size=self.size)
        centres = self.generator.dirichlet(np.full(HABITS, 0.25), max(1, clusters))
        mixed = free if clusters == 0 else (1 - own) * centres[member] + own * free
        return mixed if self._vary else np.full_like(mixed, 1 / HABITS)
