"""Play everything in one world: Kairos's values, what a company has without them, and the oracles.

One record comes of it: euros per customer by part, what was sent, who was lost, and how true Kairos's expectations
were. Kairos is its value model in the arena (:mod:`benchmarks.world.player`), which plays a world in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.world import floors
from benchmarks.world.player import BELIEFS, Candidates, Player, declared
from benchmarks.world.posterior import Posterior
from benchmarks.world.rivals import Facts
from benchmarks.world.stage import Stage, parts
from benchmarks.world.tuning import COMPOSITE
from simulation.horizon import FIRST, LATER
from simulation.oracles import Hold, Myopic, Planning, Static

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.world.units import Record, Unit
    from simulation.arena.playing import Played

KAIROS = "kairos"
Rows = dict[str, dict[str, Any]]


def glance(unit: Unit, tuned: Mapping[str, Record]) -> Record:
    """Return what is known of one unit within seconds: Kairos and two floors."""
    stage, of_family = Stage.of(unit), tuned[unit.family]
    rows, slope = _kairos(stage)
    rows[floors.STATIC] = stage.row(floors.static(stage, Static(**of_family["static"])), "whole")
    rows[COMPOSITE] = stage.row(floors.composite(stage, of_family), "whole")
    return _record(stage, rows, slope=slope)


def study(unit: Unit, tuned: Mapping[str, Record], rules: Sequence[Static], for_all: Static) -> Record:
    """Return the record of one unit.

    ``tuned`` holds by family what was tuned in other worlds; ``rules`` are the static policies of all families,
    ``for_all`` the best of them over all families.
    """
    stage, of_family = Stage.of(unit), tuned[unit.family]
    rows, slope = _kairos(stage)
    with stage.timed("floors"):
        static = floors.statics(stage, of_family, rules, for_all)
        rows |= {name: stage.row(each, _table(name)) for name, each in static.items()}
        rows[COMPOSITE] = stage.row(floors.composite(stage, of_family), "whole")
    for name, play in _hands(stage, of_family).items() if unit.days == FIRST else ():
        with stage.timed("own hand"):
            rows[name] |= stage.own_hand(play())
    return _record(stage, rows, slope=slope, oracles=_oracles(stage, static[floors.STATIC]))


def _record(stage: Stage, rows: Rows, **more: Any) -> Record:
    unit = stage.unit
    return {
        "family": unit.family,
        "seed": unit.seed,
        "customers": unit.customers,
        "days": unit.days,
        "policies": rows,
        **more,
        "violations": {},
        "seconds": stage.seconds,
    }


def _table(name: str) -> str:
    """Return where a static policy stands: one that was chosen by looking is nobody's rival."""
    return "looked" if name == floors.AFTER_LOOKING else "whole"


def _player(stage: Stage) -> Player:
    return Player(Facts.of(stage.world), stage.unit.seed, beliefs=declared(stage.unit.family))


def _kairos(stage: Stage) -> tuple[Rows, dict[str, Any]]:
    """Play Kairos, and again with right beliefs where the family has it believe wrongly."""
    asked = list[Candidates]()

    def told(world: Any, _: Any) -> Candidates:
        asked.append(Candidates(_player(stage), world, stage.unit.seed))
        return asked[0]

    with stage.timed("play"):
        rows = {KAIROS: stage.row(stage.told(told), KAIROS)}
    if declared(stage.unit.family) != BELIEFS:
        right = Player(Facts.of(stage.world), stage.unit.seed)
        rows["kairos_right_priors"] = stage.row(stage.play(right), "told")
    return rows, asked[0].slopes()


def _hands(stage: Stage, tuned: Record) -> dict[str, Callable[[], Played]]:
    """Return by policy what plays on in its own hand until the later part ends."""
    return {
        KAIROS: lambda: stage.play(_player(stage), days=LATER),
        floors.STATIC: lambda: floors.static(stage, Static(**tuned["static"]), days=LATER),
        COMPOSITE: lambda: floors.composite(stage, tuned, days=LATER),
    }


def _oracles(stage: Stage, static: Played) -> dict[str, dict[str, float | None]]:
    """Return every oracle's worth; the floor is the better of silence and the static policy."""
    with stage.timed("oracles"):
        played = {
            "hold": stage.play(Hold()),
            "myopic": stage.told(Myopic),
            "attainable": stage.play(Posterior.of(stage.world, stage.unit.seed, until=stage.unit.days)),
            "planning": stage.told(Planning),
        }
    worth = {name: stage.score(each) for name, each in played.items()}
    floor = max(worth["hold"], stage.score(static), key=lambda each: each.total)
    bound = {"first": None, "later": None, "total": stage.bound()}
    return {**{name: parts(each) for name, each in worth.items()}, "floor": parts(floor), "bound": bound}
