"""Answers about decisions: what was decided and why, permission to send, what is due."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from decisions.because import because
from decisions.eligibility.codes import TEXTS
from decisions.records import Action, Decision, DecisionState, Grade, Reason, ValueParts
from features.contracts import Purpose
from serving.answers.base import Answer
from serving.problems import Problem

if TYPE_CHECKING:
    from decisions.records import Alternative


class ReasonOut(Answer):
    """A reason: its code for programs, its text for people, what it is about and until when it holds."""

    code: str
    text: str
    offer_id: str | None
    channel: str | None
    detail: str | None
    until: datetime | None


class ValueOut(Answer):
    """`total = tau · multiplier − send_cost − incentive − ltv_loss − price`, in the policy's currency."""

    total: float
    tau: float
    multiplier: float
    send_cost: float
    incentive: float
    ltv_loss: float
    price: float


class AlternativeOut(Answer):
    """A candidate that was in the running."""

    offer_id: str
    channel: str
    send_at: datetime
    value: ValueOut


class StageOut(Answer):
    """One stage of the choice: its options, their values, the probabilities drawn from, and what was drawn."""

    name: str
    options: list[str]
    values: list[float]
    probabilities: list[float]
    chosen: str


class AssignmentOut(Answer):
    """The arm of an experiment the customer is in."""

    experiment_id: str
    arm: str


class PaceOut(Answer):
    """How often to write to the customer: a message every `days`, `weekly` a week, under all caps.

    That is the interval that earns most on `channel`, times a `multiplier` that was drawn with `probability` for
    the customer and the period that begins on this day (UTC).
    """

    channel: str
    days: float
    weekly: float
    multiplier: float
    probability: float
    period: date


class EvidenceOut(Answer):
    """What came of the customer's own messages: how many (each as ripe as it is), seen, and orders naming them."""

    messages: float
    seen: float
    orders: float


class GroundsOut(Answer):
    """How each part of the value is known, and the evidence on its offer and on its channel."""

    grades: dict[str, Grade]
    offer: EvidenceOut
    channel: EvidenceOut


class DecisionOut(Answer):
    """A decision. Times are UTC; `send_at_local` is the customer's own clock.

    `propensity` is the probability of this very action, given all that was fixed before the draw; `incremental`
    is false where no randomised send stands behind the value.
    """

    decision_id: str
    request_id: str
    state: DecisionState
    action: Action
    customer_id: str
    campaign_id: str | None
    purpose: Purpose
    offer_id: str | None
    category: str | None
    channel: str | None
    slot: int | None = Field(description="Local hour of the week, 0 = Monday 00:00")
    send_at: datetime | None
    send_at_local: str | None
    expires_at: datetime | None
    expected_value: ValueOut | None
    incremental: bool
    propensity: float
    propensity_exact: bool
    history_hash: str
    stages: list[StageOut]
    held_back: bool
    held_back_until: datetime | None
    reasons: list[ReasonOut]
    alternatives: list[AlternativeOut]
    policy_version: str
    model_versions: dict[str, str]
    features_as_of: datetime | None
    now: datetime
    experiments: list[AssignmentOut]
    variables: dict[str, str]
    unsubscribe_token: str | None
    displaces: str | None = Field(description="The unconfirmed decision whose place this one takes")
    pace: PaceOut | None = Field(description="How often to write to the customer, where that was learned")
    withheld_at: datetime | None = Field(
        description="When the message would have gone that this hold withheld at random or drew silence instead of"
    )
    grounds: GroundsOut | None = Field(description="What the value stands on, where it was learned from counts")
    because: list[str] = Field(description="The same in sentences, for people")


class ResultOut(Answer):
    """What one of many asks came to: a `decision` with status 200, or a `problem` with its own status."""

    status: int
    request_id: str | None
    decision: DecisionOut | None = None
    problem: Problem | None = None


class DecisionsOut(Answer):
    """One result per ask, in the same order."""

    results: list[ResultOut]


class VerdictOut(Answer):
    """The answer to a confirm or release. `confirmed` is the permission to send, given once."""

    decision_id: str
    status: Literal["confirmed", "released", "refused"]
    code: str
    message: str
    state: DecisionState | None


class VerdictsOut(Answer):
    """One verdict per decision, in the same order."""

    verdicts: list[VerdictOut]


class LeasedOut(Answer):
    """A message that is due, lent until `leased_until`. `headers` go into the mail as they are (RFC 8058)."""

    decision: DecisionOut
    leased_until: datetime
    headers: dict[str, str]


class OutboxOut(Answer):
    """What was lent, by due time; with `confirm=true` also the verdicts of what was refused permission."""

    leased: list[LeasedOut]
    refused: list[VerdictOut]


class AcknowledgedOut(Answer):
    """What became of one acknowledgement; `not_waiting`: acknowledged before, or over."""

    decision_id: str | None
    status: Literal["acknowledged", "not_waiting", "unknown_decision", "invalid"]


class AcknowledgedManyOut(Answer):
    """One verdict per decision, in the same order."""

    verdicts: list[AcknowledgedOut]


def shown(decision: Decision) -> dict[str, Any]:
    """Return the decision as :class:`DecisionOut` describes it."""
    plain = _plain(decision)
    plain["expected_value"] = _value(decision.expected_value) if decision.expected_value else None
    plain["reasons"] = [_reason(each) for each in decision.reasons]
    plain["because"] = because(decision)
    plain["alternatives"] = [_alternative(each) for each in decision.alternatives]
    return plain


def _plain(record: Any) -> dict[str, Any]:
    """Return the record's own fields; unlike ``asdict`` it copies nothing below them."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _value(parts: ValueParts) -> dict[str, float]:
    return {"total": parts.total, **_plain(parts)}


def _reason(reason: Reason) -> dict[str, Any]:
    return {**_plain(reason), "text": text_of(reason.code)}


def text_of(code: str) -> str:
    """Return the line a person reads for a reason's code."""
    return TEXTS.get(code, code)


def _alternative(alternative: Alternative) -> dict[str, Any]:
    return {**_plain(alternative), "value": _value(alternative.value)}
