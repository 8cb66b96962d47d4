"""What a company has without Kairos: silence, one static rule, the best of rivals' rules put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.world.rivals import Facts
from benchmarks.world.tuning import factories
from simulation.facts import customers
from simulation.oracles import Hold, Static

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.world.stage import Stage
    from benchmarks.world.units import Record
    from simulation.arena.playing import Played

COMPOSITE = "composite"


def floors(stage: Stage, tuned: Record) -> Mapping[str, Played]:
    """Play them in the world of ``stage``; ``tuned`` is what they are tuned to in another world of its family."""
    made = factories(tuned)[COMPOSITE](Facts.of(stage.world), stage.unit.seed, cap=tuned["caps"][COMPOSITE])
    return {
        "silence": stage.play(Hold()),
        "static": static(stage, tuned),
        COMPOSITE: stage.play(made),
    }


def static(stage: Stage, tuned: Record) -> Played:
    """Play the static rule in the world of ``stage``."""
    rule = Static(**tuned["static"])
    return stage.play(rule.strategy(customers(stage.world), stage.world.calendar))
