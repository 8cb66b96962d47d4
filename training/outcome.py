"""What training one model came to: measured and judged, or the plain word that the data cannot answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from decisions.scorers.base import Kind

Status = Literal["measured", "no_labels", "failed"]
Direction = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of training one model, as ``kairos train`` and ``kairos demo`` print it.

    ``value`` and ``baseline_value`` are ``metric`` of the model and of the baseline named ``baseline_name`` on the
    same later data; ``direction`` says which is better. ``interval`` is the 95% paired bootstrap interval, drawn
    by customer, of how much *better* the model is than the baseline: ``value - baseline_value`` where higher is
    better, the other way round where lower is, so above zero always means the model wins. ``n`` counts the units
    it was measured on. ``promoted`` says that this artefact is now ``@champion``; ``reason`` says why or why not.
    ``decides`` is what does now, by name and version (*base_rate (version 1)*); None: what is declared.
    ``others`` are the same metric of what else was compared. What the data cannot answer is None, never zero.
    ``no_labels`` is an answer: the data cannot tell. ``failed`` is none; ``culprits`` then names customers whose
    data it failed on, where that is known: for the operator's eye, in no log, registry or JSON.
    """

    model: Kind
    status: Status
    reason: str
    metric: str | None = None
    direction: Direction | None = None
    value: float | None = None
    baseline_name: str | None = None
    baseline_value: float | None = None
    interval: tuple[float, float] | None = None
    n: int | None = None
    promoted: bool = False
    decides: str | None = None
    version: str | None = None
    run_id: str | None = None
    others: Mapping[str, float] = field(default_factory=dict)
    culprits: str | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as a JSON object, which names no customer."""
        return {name: value for name, value in asdict(self).items() if name != "culprits"}
