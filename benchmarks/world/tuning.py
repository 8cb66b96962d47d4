"""What is tuned, once a family, in a world that no unit is: the static policy, everybody's cap, the composite.

All rivals have the same caps to try in the same world; the composite is also chosen axis by axis, which only
helps it. One static policy is chosen for all families, too, as who knows nothing of the family would.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypedDict, cast

import numpy as np

from benchmarks.world.rivals import AXES, WHOLE, Facts, composite, tune_cap
from benchmarks.world.stage import Stage
from simulation.facts import customers
from simulation.oracles import Static, best_static

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.world.rivals import Factory
    from benchmarks.world.units import Record, Unit

COMPOSITE = "composite"
AXES_OF_COMPOSITE = ("timing", "channel", "offer")


class Names(TypedDict):
    """Which rival the composite takes on each axis."""

    timing: str
    channel: str
    offer: str


_BEGIN = Names(timing="best_global_hour", channel="open_ratio", offer="best_single")


def tune(unit: Unit, *, everyone: bool) -> Record:
    """Return what is tuned in the world of ``unit``: the static policy, the composite's parts, its cap.

    ``everyone``: the caps of all other whole policies, too.
    """
    stage = Stage.of(unit)
    with stage.timed("tuning"):
        static = best_static(stage.world.family, stage.opportunity, [unit.seed], unit.customers)
        names = _composite(stage)
        made = _all(names) if everyone else {COMPOSITE: partial(composite, **names)}
        caps = {name: tune_cap(partial(_value, stage), factory) for name, factory in made.items()}
    return {
        "family": unit.family,
        "static": {name: getattr(static, name) for name in Static.__slots__},
        "composite": names,
        "caps": caps,
        "seconds": stage.seconds,
    }


def candidates(tuned: Iterable[Record]) -> list[Static]:
    """Return the static policies of ``tuned``, each once."""
    return list(dict.fromkeys(Static(**record["static"]) for record in tuned))


def survey(unit: Unit, rules: Sequence[Static]) -> Record:
    """Return what each of ``rules`` is worth in the world of ``unit``: to choose one for all families."""
    stage = Stage.of(unit)
    known, calendar = customers(stage.world), stage.world.calendar
    return {
        "family": unit.family,
        "values": [stage.score(stage.play(rule.strategy(known, calendar))).total for rule in rules],
    }


def best_for_all(rules: Sequence[Static], surveys: Sequence[Record]) -> Static:
    """Return the one of ``rules`` with the largest mean over the families of ``surveys``."""
    means = np.mean([record["values"] for record in surveys], axis=0)
    return rules[int(means.argmax())]


def factories(tuned: Record) -> Mapping[str, Factory]:
    """Return every whole policy by name, the composite as it was tuned among them."""
    return _all(tuned["composite"])


def _all(names: Names) -> dict[str, Factory]:
    return {**WHOLE, COMPOSITE: partial(composite, **names)}


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
