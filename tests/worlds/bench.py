"""Hand-made units of the scoreboard, with differences that are known."""

import os

import numpy as np

from benchmarks.world.scoreboard import Work
from benchmarks.world.units import Store
from tests.worlds.processes import work_for_long

ORACLES = {"hold": 0.0, "floor": 0.4, "myopic": 0.8, "attainable": 0.9, "planning": 1.4, "bound": 2.0}
POLICIES = {
    "kairos": ("kairos", None, "free", 0.9),
    "kairos_twin": ("kairos", None, "free", 0.9),
    "send_time:random": ("axis", "send_time", "free", 0.8),
    "best_offer": ("whole", None, "free", 0.7),
    "best_offer@equal": ("whole", None, "equal", 0.6),
}


def parts(total):
    return {"first": 0.4 * total, "later": 0.6 * total, "total": total}


def record(family="clusters", seed=1, *, shift=0.0, policies=None, oracles=None, noise=0.0, sent=1000):
    """One unit: all values lie ``shift`` higher, each policy's by its own noise more."""
    rng = np.random.default_rng(seed)
    played = {
        name: {
            "table": table,
            "axis": axis,
            "volume": volume,
            **{key: part for key, part in parts(value + shift + noise * rng.normal()).items() if key != "total"},
            "sent": sent,
            "unsubscribed": 5,
        }
        for name, (table, axis, volume, value) in (policies or POLICIES).items()
    }
    for each in played.values():
        each["value"] = each["first"] + each["later"]
    return {
        "family": family,
        "seed": seed,
        "customers": 200,
        "days": 30,
        "oracles": {name: parts(value + shift) for name, value in (oracles or ORACLES).items()},
        "policies": played,
        "violations": {"caps": 0, "gaps": 0},
        "slope": {"email": {"slope": 1.0 + 0.01 * seed}, "sms": {"slope": None}},
        "says": {"offer": {"promoted": seed == 1, "ever": seed == 1, "reason": "no detectable heterogeneity"}},
        "seconds": {"loop": 1.0},
    }


def play(unit):
    """Play a unit in an instant."""
    return record(unit.family, unit.seed)


def tune(unit, everyone):
    """Tune nothing: the test keeps what was tuned before."""
    raise AssertionError(f"{unit.name} was tuned before")


def survey(unit, rules):
    """Find every rule worth the same."""
    return {"family": unit.family, "values": [0.1 for _ in rules]}


def study(unit, tuned, rules, for_all):
    """Play a unit of a family that was tuned, beside one static rule that was chosen for all."""
    assert unit.family in tuned
    assert [for_all] == rules
    return record(unit.family, unit.seed)


def agree(unit, scratch):
    """Play the product in an instant; it breaks one cap."""
    about = {"family": unit.family, "seed": unit.seed, "violations": {"caps": 1}, "seconds": {"loop": 1.0}}
    return {**about, "value": 0.27, "arena_value": 0.3, "sent": 9.0, "arena_sent": 10.0}


def swap(unit, scratch, tuned):
    """Swap nothing: no test asks for it."""
    raise AssertionError(f"nobody asked to swap anything in {unit.name}")


WORK = Work(tune, survey, study, agree, swap)


def tuned_before(plan, code):
    """Keep what was tuned for ``plan`` by ``code``: the same everywhere."""
    rule = {"offer": 0, "channel": 0, "hour": 9, "every_days": 7}
    for unit in plan.tuned:
        Store(plan.folder / "tuned", code).write(unit, {"family": unit.family, "static": rule, "caps": {}})
        Store(plan.folder / "compared", code).write(unit, survey(unit, [rule]))


def play_or_fail(unit):
    """Fail in the second seed."""
    if unit.seed == 2:
        raise ValueError("the world ended")
    return play(unit)


def play_or_die(unit):
    """Die in the second seed, as a killed process does."""
    if unit.seed == 2:
        os._exit(137)
    return play(unit)


def play_for_long(unit):
    """Say which process plays, and play on."""
    work_for_long()
    return play(unit)
