"""How much of the gap between floor and planning oracle the log alone lets one attain, in pairs over seeds.

    python -m benchmarks.world.attained --families clusters,no_heterogeneity --seeds 3

Exit code 1 where the attainable oracle is not above the floor, or above the planning oracle by more than noise.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from benchmarks.world.stage import Stage
from benchmarks.world.tuning import amortised
from benchmarks.world.units import TUNED_IN, Unit
from simulation.facts import customers
from simulation.families import FAMILIES
from simulation.oracles import Attainable, Planning, Static, best_static

NOISE = 0.02
"""Euros per customer: what luck with unsubscribes is worth between two plays of 2,000 customers."""


def main() -> int:
    """Play and print a line a family: the means over seeds and the share of the gap."""
    given = _parser().parse_args()
    sound = [_family(name, given) for name in given.families.split(",")]
    return 0 if all(sound) else 1


def _family(name: str, given: argparse.Namespace) -> bool:
    stages = [
        Stage.of(Unit(family=name, seed=seed, customers=given.customers)) for seed in range(1, given.seeds + 1)
    ]
    first = stages[0]
    static = best_static(first.world.family, first.opportunity, [TUNED_IN], given.customers)
    worths = np.array([_worths(stage, static, given.folder) for stage in stages])
    floor, attained, planned = worths.mean(axis=0)
    share = (attained - floor) / (planned - floor)
    means = f"floor {floor:.3f}, attainable {attained:.3f}, planning {planned:.3f}"
    sys.stdout.write(f"{name}: {means}: {share:.0%} of the gap\n")
    return bool(attained > floor and attained <= planned + NOISE)


def _worths(stage: Stage, static: Static, folder: Path) -> tuple[float, float, float]:
    known = customers(stage.world)
    attainable = Attainable(amortised(stage, stage.unit.customers, folder), known, stage.opportunity)
    floor = stage.play(static.strategy(known, stage.world.calendar))
    played = (floor, stage.play(attainable), stage.told(Planning))
    worth = [stage.score(each).total for each in played]
    return worth[0], worth[1], worth[2]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", default=",".join(FAMILIES), help="names, separated by commas")
    parser.add_argument("--seeds", type=int, default=3, help="worlds of each family")
    parser.add_argument("--customers", type=int, default=2000)
    parser.add_argument(
        "--folder", type=Path, default=Path(".kairos/bench/attained"), help="keeps what is learned"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
