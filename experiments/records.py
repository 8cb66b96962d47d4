"""What an analysis says: frozen, and plain enough for JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from measures.outcome import Outcome

Answer = Literal["better", "worse", "cannot tell"]
GuardrailAnswer = Literal["safe", "harmed", "cannot tell"]
SampleVerdict = Literal["broken", "suspicious", "as planned", "no customers"]
Verdict = Literal["broken, do not read", "nothing to read", "better", "worse", "mixed", "cannot tell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmCount:
    """How many customers came into an arm, how many were meant to, and how many of them the lake does not know."""

    arm: str
    customers: int
    expected: float
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """Whether the arms got the customers they were meant to get (χ² test); without customers no ``p_value``.

    Below ``threshold`` it is broken, below ``suspicious_below`` suspicious.
    """

    verdict: SampleVerdict
    p_value: float | None
    threshold: float
    suspicious_below: float

    @property
    def broken(self) -> bool:
        """Whether no effect can be read."""
        return self.verdict == "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One metric in one treatment arm against control.

    ``absolute`` and ``relative`` are the estimates to read: adjusted by the pre-period where ``adjusted``.
    ``unadjusted`` is the plain difference. ``p_adjusted`` controls the false-discovery rate over the metrics
    (null for guardrails, which are judged one by one).
    """

    metric: str
    kind: str
    arm: str
    guardrail: bool
    control_value: float | None
    arm_value: float | None
    n_control: int
    n_arm: int
    absolute: Outcome
    relative: Outcome
    unadjusted: Outcome
    adjusted: bool
    variance_ratio: float | None
    p_value: float | None
    p_adjusted: float | None
    answer: Answer | GuardrailAnswer
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisReport:
    """The analysis of one experiment. Where no effect can be read, ``effects`` are withheld.

    ``warnings`` are what a reader must know before any effect. ``repeated_rows`` counts exposures of customers who
    were in the same arm already: the first counts. ``last_event_at`` is how far the lake reaches,
    ``windows_end_at`` when the last outcome window is over.
    """

    experiment_id: str
    verdict: Verdict
    reasons: tuple[str, ...]
    control: str
    arms: tuple[ArmCount, ...]
    sample_ratio: SampleRatio
    effects: tuple[Effect, ...]
    excluded: dict[str, int]
    level: float
    fdr: float
    warnings: tuple[str, ...] = ()
    repeated_rows: int = 0
    last_event_at: datetime | None = None
    windows_end_at: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON's own types."""
        moments = {name: _text(getattr(self, name)) for name in ("last_event_at", "windows_end_at")}
        found = asdict(self) | moments
        found["sample_ratio"]["broken"] = self.sample_ratio.broken
        return found


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
