"""What Kairos has to show, each with what chance allows: the figures that a release is held to.

Overall figures are means over the core families, each counting alike. Differences are taken within worlds. Those
to the composite and to the best static rule are judged together (Holm 1979).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.world.comparing import KAIROS
from benchmarks.world.figures import euros, numbers
from measures import stratified
from measures.multiplicity import holm
from measures.outcome import NotComputable
from simulation.families import CORE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.world.panel import Panel
    from measures.arrays import Floats
    from measures.stratified import StratifiedMean

COMPOSITE, STATIC, AFTER_LOOKING = "composite", "best_static", "static_after_looking"
RIGHT = "kairos_right_priors"
LEAST = -0.05
"""Euros: in no family may Kairos be shown to be possibly further behind than that."""
Key = tuple[str, str]


def bars(panel: Panel) -> dict[str, Any]:
    """Return the figures; empty where Kairos or what it is held to did not play everywhere."""
    if not {KAIROS, COMPOSITE, STATIC} <= set(panel.policies):
        return {}
    core = panel.core
    return {
        "value": euros(core, core.column(KAIROS)),
        "own_hand": _own_hands(core),
        "ahead_of": _overall(core),
        "by_family": _by_family(panel),
        "above_silence": {name: euros(each, each.column(KAIROS)) for name, each in _low(panel).items()},
        "share_of_exact": _share(core),
        "slopes": _slopes(core),
        "unsubscribes": {name: _unsubscribes(core, name) for name in (KAIROS, COMPOSITE)},
        "wrong_priors": {family: _wrong(panel.of(family)) for family in panel.families if _told(panel.of(family))},
    }


def _against(panel: Panel, rival: str) -> Floats:
    return panel.column(KAIROS) - panel.column(rival)


def _overall(panel: Panel) -> dict[str, Any]:
    """Return Kairos less each, with two-sided intervals by Holm's steps; after looking is not judged but shown."""
    found = {name: stratified.mean(_against(panel, name), panel.strata) for name in (COMPOSITE, STATIC)}
    shown = (
        {AFTER_LOOKING: {**euros(panel, _against(panel, AFTER_LOOKING)), "p_adjusted": None}}
        if _looked(panel)
        else {}
    )
    known = {name: each for name, each in found.items() if not isinstance(each, NotComputable)}
    if len(known) < len(found):
        return {**{name: {**euros(panel, _against(panel, name)), "p_adjusted": None} for name in found}, **shown}
    tested = holm([each.p_value for each in known.values()])
    rows = {
        name: {**numbers(each.interval(level)), "p_adjusted": adjusted}
        for (name, each), adjusted, level in zip(
            known.items(), tested.adjusted.tolist(), tested.level.tolist(), strict=True
        )
    }
    return {**rows, **shown}


def _by_family(panel: Panel) -> dict[str, Any]:
    """Return by family and rival the mean difference and a lower bound.

    The bounds of the core are judged together, those of each other family by themselves: one-sided, by Holm's
    steps from the hypotheses that Kairos is further behind than :data:`LEAST`.
    """
    found = {
        (family, name): stratified.mean(_against(each, name), each.strata)
        for family, each in ((family, panel.of(family)) for family in panel.families)
        for name in (COMPOSITE, STATIC)
    }
    groups = [
        [key for key in found if key[0] in CORE],
        *([key for key in found if key[0] == family] for family in panel.families if family not in CORE),
    ]
    bounds: dict[Key, float | None] = {}
    for group in groups:
        bounds |= _bounds({key: found[key] for key in group})
    return {
        family: {
            name: {"value": panel.of(family).mean(_against(panel.of(family), name)), "bound": bounds[family, name]}
            for name in (COMPOSITE, STATIC)
        }
        for family in panel.families
    }


def _bounds(found: Mapping[Key, StratifiedMean | NotComputable]) -> dict[Key, float | None]:
    known = {key: each for key, each in found.items() if not isinstance(each, NotComputable)}
    if not known:
        return dict.fromkeys(found)
    levels = holm([each.p_above(LEAST) for each in known.values()]).level.tolist()
    told = {key: each.bound(level) for (key, each), level in zip(known.items(), levels, strict=True)}
    return {key: told.get(key) for key in found}


def _own_hands(panel: Panel) -> dict[str, Any]:
    """Return by policy what it is worth where what comes after is its own hand's: of those that played on."""
    names = [
        name for name in panel.policies if all("own_value" in record["policies"][name] for record in panel.records)
    ]
    return {name: euros(panel, panel.column(name, "own_value")) for name in names}


def _low(panel: Panel) -> dict[str, Panel]:
    return {family: panel.of(family) for family in panel.families if family == "low_effects"}


def _share(panel: Panel) -> dict[str, Any]:
    return numbers(stratified.ratio(panel.column(KAIROS), panel.oracle("attainable"), panel.strata))


def _slopes(panel: Panel) -> dict[str, Any]:
    """Return by channel the mean slope over the families in which people differ."""
    differ = [record for record in panel.records if not CORE[record["family"]].alike] if panel.is_core else []
    channels = dict.fromkeys(name for record in differ for name in record["slope"])
    return {channel: _slope(differ, channel) for channel in channels}


def _slope(records: Sequence[Mapping[str, Any]], channel: str) -> dict[str, Any]:
    known = [(record["slope"][channel]["slope"], record["family"]) for record in records]
    known = [(slope, family) for slope, family in known if slope is not None]
    if not known:
        return {"value": None, "interval": None, "why": "no world has one"}
    values, strata = zip(*known, strict=True)
    found = numbers(stratified.mean(values, strata))
    return found if found["interval"] else {**found, "value": float(np.mean(values))}


def _unsubscribes(panel: Panel, name: str) -> dict[str, float | None]:
    lost, sent = panel.column(name, "unsubscribed").sum(), panel.column(name, "sent").sum()
    customers = sum(record["customers"] for record in panel.records)
    return {"per_message": float(lost / sent) if sent else None, "per_customer": float(lost / customers)}


def _wrong(panel: Panel) -> dict[str, Any]:
    """Return what believing wrongly costs: right beliefs less those declared, in the same worlds."""
    return {
        "value": panel.mean(panel.column(KAIROS)),
        "right": panel.mean(panel.column(RIGHT)),
        "price": euros(panel, panel.column(RIGHT) - panel.column(KAIROS)),
    }


def _told(panel: Panel) -> bool:
    return RIGHT in panel.policies


def _looked(panel: Panel) -> bool:
    return AFTER_LOOKING in panel.policies
