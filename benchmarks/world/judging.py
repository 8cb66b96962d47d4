"""What the records say: values, shares of the gap, differences in pairs, overall and by family.

Every number is a mean over families, each counting alike, of means over seeds; what differs between families is no
noise. All policies of a unit met the same draws, so differences are taken within units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.world.bars import bars
from benchmarks.world.comparing import KAIROS, differences
from benchmarks.world.figures import Answer, euros, numbers
from benchmarks.world.idle import idle
from benchmarks.world.panel import ORACLES, Panel
from benchmarks.world.saying import sayings
from benchmarks.world.verdicts import verdict
from measures import stratified

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.world.units import Record
    from measures.arrays import Floats
    from pipelines.recount.rules import Promise

CAPS: tuple[Promise, ...] = ("caps", "gaps")
"""What P1 promises: no more messages than a cap allows, and none too close."""


def judge(records: Sequence[Record], *, violations: Sequence[Mapping[str, int]] = ()) -> Answer:
    """Return everything that the records say, overall and ``by_family``.

    Overall is over the core families; the others stand by themselves. ``violations`` are those of other plays.

    Raises:
        ValueError: for no records.
    """
    panel = Panel(records)
    broken = counted([*(record["violations"] for record in records), *violations])
    by_family = {family: _of_family(panel.of(family)) for family in panel.families}
    return {
        "seeds": len(records),
        "families": list(panel.families),
        "cap_violations": sum(broken.get(name, 0) for name in CAPS),
        "promise_violations": sum(broken.values()),
        "violations": broken,
        **_judged(panel.core),
        "bars": bars(panel),
        "by_family": by_family,
        "idle": idle(panel),
        "verdict": {family: found.pop("verdict") for family, found in by_family.items()},
        "incomplete": list(panel.incomplete),
    }


def _of_family(panel: Panel) -> Answer:
    found = {"seeds": len(panel.records), **_judged(panel), "says": sayings(panel.records)}
    return {**found, "verdict": verdict(found)}


def _judged(panel: Panel) -> Answer:
    return {
        "oracles": {name: oracle(panel, name) for name in ORACLES},
        "room": euros(panel, panel.oracle("planning") - panel.oracle("floor")),
        "policies": {name: policy(panel, name) for name in panel.policies},
        "differences": differences(panel),
        "slope": slopes(panel),
        **_plainly(panel),
    }


def _plainly(panel: Panel) -> Answer:
    """Return Kairos less the floor and less its best rival, where it played: each looked at by itself."""
    if KAIROS not in panel.policies:
        return {}
    kairos, best = panel.column(KAIROS), best_rival(panel)
    beside = {} if best is None else {"best_rival": {"name": best, **euros(panel, kairos - panel.column(best))}}
    return {"above_floor": euros(panel, kairos - panel.oracle("floor")), **beside}


def best_rival(panel: Panel) -> str | None:
    """Return the whole policy at free volume with the largest mean: chosen by looking, so luck is in it."""
    wanted = {"table": "whole", "volume": "free"}
    names = [name for name in panel.policies if wanted.items() <= panel.about(name).items()]
    return max(names, key=lambda name: panel.mean(panel.column(name)), default=None)


def oracle(panel: Panel, name: str) -> Answer:
    """Return what an oracle is worth, in euros per customer, and its parts (a bound has none)."""
    first, later = (panel.mean(panel.oracle(name, part)) for part in ("first", "later"))
    whole = {"first": None, "later": None} if np.isnan(first) else {"first": first, "later": later}
    return {**whole, **euros(panel, panel.oracle(name))}


def policy(panel: Panel, name: str) -> Answer:
    """Return a policy's value, the shares of the gap it captures, what it sent and whom it lost."""
    sent, lost = panel.column(name, "sent"), panel.column(name, "unsubscribed")
    gained = panel.column(name) - panel.oracle("floor")
    gap = _share(panel, gained, "planning")
    attainable = _share(panel, gained, "attainable")
    value = euros(panel, panel.column(name))
    return {
        **panel.about(name),
        "value": value["value"],
        "value_interval": value["interval"],
        "own_value": _own(panel, name),
        "first": panel.mean(panel.column(name, "first")),
        "later": panel.mean(panel.column(name, "later")),
        "gap_captured": gap["value"],
        "interval": gap["interval"],
        "why": gap["why"],
        "attainable_captured": attainable["value"],
        "attainable_interval": attainable["interval"],
        "sent": panel.mean(sent),
        "unsubscribes_per_1000": 1000 * float(lost.sum() / sent.sum()) if sent.sum() else None,
    }


def slopes(panel: Panel) -> Answer:
    """Return by channel the slope of the true effect on Kairos's V: a mean over the units that have one."""
    channels = dict.fromkeys(name for record in panel.records for name in record.get("slope", {}))
    return {channel: _slope(panel, channel) for channel in channels}


def counted(violations: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Return by promise how often it was broken, over all plays of the product."""
    rules = dict.fromkeys(name for broken in violations for name in broken)
    return {rule: sum(broken.get(rule, 0) for broken in violations) for rule in rules}


def _own(panel: Panel, name: str) -> float | None:
    """Return what a policy is worth where what comes after is its own hand's; None where it did not play on."""
    known = all("own_value" in record["policies"][name] for record in panel.records)
    return panel.mean(panel.column(name, "own_value")) if known else None


def _share(panel: Panel, gained: Floats, oracle: str) -> Answer:
    room = panel.oracle(oracle) - panel.oracle("floor")
    return numbers(stratified.ratio(gained, room, panel.strata))


def _slope(panel: Panel, channel: str) -> Answer:
    found = [(r["slope"].get(channel, {}).get("slope"), r["family"]) for r in panel.records]
    known = [(slope, family) for slope, family in found if slope is not None]
    if not known:
        return {"value": None, "interval": None, "why": "no unit has one", "units": 0}
    values, strata = zip(*known, strict=True)
    whole = numbers(stratified.mean(values, strata))
    value = float(np.mean(values)) if whole["value"] is None else whole["value"]
    return {**whole, "value": value, "units": len(known)}
