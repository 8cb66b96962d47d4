"""The long part of a study: the product, its twin with one axis swapped, and whole rivals at both volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.world.looping import looped
from benchmarks.world.player import Player
from benchmarks.world.rivals import SWAPS, WHOLE, Facts, Metered, Twin
from benchmarks.world.saying import said
from benchmarks.world.stage import Stage, volumes
from benchmarks.world.tuning import factories
from simulation.arena.playing import Played

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.world.units import Record, Unit
    from decisions.records import Scores

Rows = dict[str, dict[str, Any]]
Pages = Mapping[int, Sequence["Scores"]]


def swap(unit: Unit, scratch: Path, tuned: Mapping[str, Record]) -> Record:
    """Return the rows of one unit that take long; ``scratch`` is a folder for the product's home."""
    stage, kept = Stage.of(unit), _Kept()
    product = looped(stage, scratch / unit.name, kept)
    with stage.timed("rivals"):
        rows = {
            "product": stage.row(Played(product.world, product.days), "kairos"),
            **_twins(stage, kept.pages),
            **_whole(stage, tuned[unit.family]),
        }
    return {
        "family": unit.family,
        "seed": unit.seed,
        "policies": rows,
        "violations": dict(product.violations),
        "says": said(product.models),
        "seconds": stage.seconds,
    }


def joined(record: Record, swapped: Record) -> Record:
    """Return a study's ``record`` with what was ``swapped`` in the same world."""
    return {
        **record,
        "policies": {**record["policies"], **swapped["policies"]},
        "violations": swapped["violations"],
        "says": swapped["says"],
        "seconds": {**record["seconds"], **{f"swaps, {name}": each for name, each in swapped["seconds"].items()}},
    }


class _Kept:
    """Keeps what Kairos's models said, by the day they said it."""

    def __init__(self) -> None:
        self.pages: dict[int, list[Scores]] = {}

    def scored(self, day: int, scores: Mapping[str, Scores]) -> None:
        self.pages[day] = list(scores.values())


def _twins(stage: Stage, pages: Pages) -> Rows:
    """Play the twin, and the twin with one axis swapped, for every rival on every axis.

    All send as many messages as the twin, or the forced choice would show in their number; only who swaps the
    rule of how often sends as that rule says.
    """
    facts, seed = Facts.of(stage.world), stage.unit.seed
    twin = stage.play(Twin(pages, facts))
    schedule = volumes(twin.days)
    rows = {"kairos_twin": stage.row(twin, "kairos")}
    for axis, rules in SWAPS.items():
        free = axis == "frequency"
        for name, factory in rules.items():
            swapped = Twin(pages, facts, **{axis: factory(facts, seed)})
            played = stage.play(swapped if free else Metered(swapped, schedule))
            rows[f"{axis}:{name}"] = stage.row(played, "axis", axis=axis, volume="free" if free else "equal")
    return rows


def _whole(stage: Stage, tuned: Record) -> Rows:
    """Play whole policies with their tuned cap at free volume, and metered to as many sends as Kairos's values."""
    facts, seed, rows = Facts.of(stage.world), stage.unit.seed, Rows()
    schedule = volumes(stage.play(Player(facts, seed)).days)
    for name, factory in factories(tuned).items():
        cap = tuned["caps"][name]
        if name in WHOLE:
            rows[name] = stage.row(stage.play(factory(facts, seed, cap=cap)), "whole")
        metered = Metered(factory(facts, seed, cap=cap), schedule)
        rows[f"{name}@equal"] = stage.row(stage.play(metered), "whole", volume="equal")
    return rows
