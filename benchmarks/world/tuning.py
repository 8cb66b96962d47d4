"""What is tuned, once a family, in a world that no unit is: the static policy, everybody's cap, the composite.

All rivals have the same caps to try in the same world; the composite is also chosen axis by axis, which only
helps it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypedDict, cast

from benchmarks.world.rivals import AXES, WHOLE, Facts, composite, tune_cap
from benchmarks.world.stage import Stage
from simulation.oracles import Amortised, Static, best_static

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.world.rivals import Factory
    from benchmarks.world.units import Record, Unit

FITTED = tuple(range(9101, 9109))
"""The worlds that the attainable oracle learns from what logs tell."""
AXES_OF_COMPOSITE = ("timing", "channel", "offer")


class Names(TypedDict):
    """Which rival the composite takes on each axis."""

    timing: str
    channel: str
    offer: str


_BEGIN = Names(timing="best_global_hour", channel="open_ratio", offer="best_single")


def tune(unit: Unit, fitted: Path) -> Record:
    """Return what is tuned for the family of ``unit``; what the attainable oracle learns is kept in ``fitted``."""
    stage = Stage.of(unit)
    tuned = rivals_tuned(stage, unit)
    with stage.timed("attainable"):
        amortised(stage, unit.customers, fitted)
    return {**tuned, "customers": unit.customers, "seconds": stage.seconds}


def rivals_tuned(stage: Stage, unit: Unit) -> Record:
    """Return the static policy, the composite's parts and everybody's cap, tuned in the world of ``stage``."""
    with stage.timed("tuning"):
        static = best_static(stage.world.family, stage.opportunity, [unit.seed], unit.customers)
        names = _composite(stage)
        caps = {name: tune_cap(partial(_value, stage), factory) for name, factory in _all(names).items()}
    return {
        "static": {name: getattr(static, name) for name in Static.__slots__},
        "composite": names,
        "caps": caps,
    }


def factories(tuned: Record) -> Mapping[str, Factory]:
    """Return every whole policy by name, the composite as it was tuned among them."""
    return _all(tuned["composite"])


def _all(names: Names) -> dict[str, Factory]:
    return {**WHOLE, "composite": partial(composite, **names)}


def amortised(stage: Stage, customers: int, fitted: Path) -> Amortised:
    """Return what logs of this family tell in worlds of so many ``customers``: learned at first, then read."""
    return Amortised.fit(stage.world.family, stage.opportunity, FITTED, customers, fitted)


def _composite(stage: Stage) -> Names:
    """Return the best rival on each axis, one axis after the other, the others being the best so far.

    They are tried at the cap that was best before, or once in two weeks where that is silence.
    """
    names = _BEGIN
    cap = tune_cap(partial(_value, stage), partial(composite, **names)) or 1
    for axis in AXES_OF_COMPOSITE:
        tried = [cast("Names", {**names, axis: name}) for name in AXES[axis]]
        names = max(tried, key=lambda each: _value(stage, partial(composite, **each), cap))
    return names


def _value(stage: Stage, factory: Factory, cap: int) -> float:
    """Return what a policy is worth at ``cap``; silence is worth nothing, unplayed."""
    if not cap:
        return 0.0
    rival = factory(Facts.of(stage.world), stage.unit.seed, cap=cap)
    return stage.score(stage.play(rival)).total
