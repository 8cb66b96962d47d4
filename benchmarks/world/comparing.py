"""Kairos less each rival, in pairs, judged together by Holm's test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from measures import stratified
from measures.multiplicity import holm
from measures.outcome import NotComputable

if TYPE_CHECKING:
    from benchmarks.world.panel import Panel
    from measures.stratified import StratifiedMean

KAIROS, TWIN = "kairos", "kairos_twin"
"""The real product in its loop; and its brain without the body, which every swapped axis is compared with."""


def differences(panel: Panel) -> dict[str, Any]:
    """Return by rival: Kairos less it, in euros per customer, ``interval`` and ``p_adjusted`` by Holm over all.

    A rival that swaps one axis is compared with the twin that it was made of, a whole policy with Kairos.
    """
    found = {name: stratified.mean(_difference(panel, name), panel.strata) for name in rivals(panel)}
    none = {name: mean.reason for name, mean in found.items() if isinstance(mean, NotComputable)}
    known = {name: mean for name, mean in found.items() if not isinstance(mean, NotComputable)}
    return {**_adjusted(known, panel), **{name: _untested(panel, name, why) for name, why in none.items()}}


def rivals(panel: Panel) -> list[str]:
    """Return who Kairos is compared with, where it played itself."""
    tables = {name: panel.about(name)["table"] for name in panel.policies}
    return [name for name, table in tables.items() if table in {"axis", "whole"} and _of(panel, name) in tables]


def _adjusted(found: dict[str, StratifiedMean], panel: Panel) -> dict[str, Any]:
    if not found:
        return {}
    tested = holm([mean.p_value for mean in found.values()])
    rows = zip(found.items(), tested.adjusted.tolist(), tested.level.tolist(), strict=True)
    return {name: _row(mean, adjusted, level, _of(panel, name)) for (name, mean), adjusted, level in rows}


def _untested(panel: Panel, rival: str, why: str) -> dict[str, Any]:
    """Return a difference of which chance cannot be told: the mean alone."""
    value = panel.mean(_difference(panel, rival))
    return {"of": _of(panel, rival), "value": value, "interval": None, "p": None, "p_adjusted": None, "why": why}


def _row(mean: StratifiedMean, adjusted: float, level: float, of: str) -> dict[str, Any]:
    around = mean.interval(level)
    return {
        "of": of,
        "value": mean.estimate,
        "interval": [around.low, around.high],
        "p": mean.p_value,
        "p_adjusted": adjusted,
        "why": None,
    }


def _difference(panel: Panel, rival: str) -> Any:
    return panel.column(_of(panel, rival)) - panel.column(rival)


def _of(panel: Panel, rival: str) -> str:
    return TWIN if panel.about(rival)["table"] == "axis" else KAIROS
