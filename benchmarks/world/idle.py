"""Families in which choosing by person gains nothing on an axis: what Kairos says there, and what choosing costs.

Its own word is its gate's: where no model was ever promoted, a prior answers that treats everybody alike; of the
hour it also says whether the sends so far show anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.world.comparing import KAIROS, TWIN
from benchmarks.world.figures import euros
from training.models.send_time.observed import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.world.panel import Panel

IDLE = {"no_send_time": ("timing",), "no_heterogeneity": ("timing", "offer")}
"""By family: the axes on which no person differs, or on which nothing matters."""
ALIKE = {"timing": "timing:best_global_hour", "offer": "offer:best_single"}
"""By axis: the swapped rule that treats everybody alike."""
_MODEL = {"timing": "send_time", "offer": "offer"}


def idle(panel: Panel) -> list[dict[str, Any]]:
    """Return a row for every axis that is idle in a family that was played.

    ``silent``: in how many worlds of ``of`` Kairos said that nothing is to be gained. ``gained``: the twin less
    the twin that treats everybody alike; ``explored``: the product less its twin, which never explores or holds
    back. Both in euros per customer, each with its own 95% interval: they are looked at one by one.
    """
    return [row for family in panel.families for row in _of_family(panel.of(family), family)]


def _of_family(panel: Panel, family: str) -> Iterator[dict[str, Any]]:
    for axis in IDLE.get(family, ()):
        rule = ALIKE[axis]
        if not {KAIROS, TWIN, rule} <= set(panel.policies):
            continue
        said = [record["says"][_MODEL[axis]] for record in panel.records]
        yield {
            "family": family,
            "axis": axis,
            "rule": rule,
            "silent": sum(map(_silent, said)),
            "of": len(said),
            "gained": euros(panel, panel.column(TWIN) - panel.column(rule)),
            "explored": euros(panel, panel.column(KAIROS) - panel.column(TWIN)),
        }


def _silent(said: Mapping[str, Any]) -> bool:
    """Return whether it says that nothing is to be gained: in words, or by never having promoted a model."""
    return NOTHING in said["reason"] or not said["ever"]
