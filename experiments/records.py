"""What an analysis says: frozen, and plain enough for JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from measures.outcome import Outcome

Answer = Literal["better", "worse", "cannot tell"]
GuardrailAnswer = Literal["safe", "harmed", "cannot tell"]
Verdict = Literal["broken, do not read", "nothing to read", "better", "worse", "mixed", "cannot tell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmCount:
    """How many customers came into an arm, and how many were meant to."""

    arm: str
    customers: int
    expected: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """Whether the arms got the customers they were meant to get (χ² test); without customers no ``p_value``."""

    p_value: float | None
    threshold: float
    broken: bool


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
    """The analysis of one experiment. Where the sample ratio is broken, ``effects`` are withheld."""

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

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON's own types."""
        return asdict(self)
