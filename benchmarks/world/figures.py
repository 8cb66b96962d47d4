"""Outcomes as plain numbers: a value with its interval, or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from measures import stratified
from measures.outcome import NotComputable

if TYPE_CHECKING:
    from benchmarks.world.panel import Panel
    from measures.arrays import Floats
    from measures.outcome import Outcome

Answer = dict[str, Any]


def numbers(outcome: stratified.StratifiedMean | Outcome) -> Answer:
    """Return an outcome as plain numbers: value and interval, or why there is none."""
    if isinstance(outcome, NotComputable):
        return {"value": None, "interval": None, "why": outcome.reason}
    found = outcome.interval() if isinstance(outcome, stratified.StratifiedMean) else outcome
    return {"value": found.estimate, "interval": [found.low, found.high], "why": None}


def euros(panel: Panel, values: Floats) -> Answer:
    """Return a mean over families; ``interval`` is null, and ``why`` says so, where a family has one seed only."""
    found = numbers(stratified.mean(values, panel.strata))
    return found if found["interval"] else {**found, "value": panel.mean(values)}
