"""How often rivals write: whenever they may, up to a cap of their own, or where the score is high enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.world.rivals.scene import Scene

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]


class FirstCome:
    """Send whenever the rules allow it: whoever is asked about first uses up the cap (Braze, Iterable)."""

    def keen(self, scene: Scene, moment: Ints, score: Floats) -> Flags:  # noqa: ARG002 - sends whatever it is
        """Return that everybody is to get their message."""
        return np.ones(scene.size, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Capped:
    """At most ``most`` messages in any ``days`` days."""

    most: int
    days: int = 14

    def keen(self, scene: Scene, moment: Ints, score: Floats) -> Flags:  # noqa: ARG002 - the count decides
        """Return who has had fewer."""
        had = scene.messages(moment[:, None], self.days)[:, 0]
        fewer: Flags = had < self.most
        return fewer


@dataclass(frozen=True, slots=True)
class Above:
    """Send where the score is above ``least``."""

    least: float = 0.0

    def keen(self, scene: Scene, moment: Ints, score: Floats) -> Flags:  # noqa: ARG002 - the score decides
        """Return whose score is above it."""
        above: Flags = score > self.least
        return above
