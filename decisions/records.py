"""The frozen records that travel through a decision: what is asked, what is known, what is answered.

``decide()`` is a function of these values alone. Nothing here reads a clock, a store or a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from features.contracts import Consent, Customer, Preference, Purpose

Action = Literal["send", "hold"]
StageName = Literal["keep_or_displace", "send_or_hold", "offer_channel", "slot_block", "holdback"]
DecisionState = Literal["reserved", "confirmed", "released", "expired", "displaced", "withdrawn", "held"]
"""A ``send`` begins as reserved; a ``hold`` is ``held`` for good. Everything after is outcome, not decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question: may, and should, this customer get something? ``request_id`` makes it idempotent.

    ``offers`` and ``channels`` narrow the catalogue (None: all of it). ``horizon_hours`` bounds how far ahead
    the send may lie (None: the policy's).
    """

    request_id: str
    customer_id: str
    purpose: Purpose = "marketing"
    campaign_id: str | None = None
    trigger: str | None = None
    offers: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    horizon_hours: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """One message already sent, confirmed or reserved: what caps, gaps and fatigue count."""

    at: datetime
    channel: str
    purpose: Purpose = "marketing"
    category: str | None = None
    offer_id: str | None = None
    campaign_id: str | None = None
    decision_id: str | None = None
    responded: bool | None = None
    """Whether the customer reacted; None while that is unknown (opens hidden by a proxy stay unknown)."""
    until: datetime | None = None
    """The last moment at which it may still go (``expires_at``), while it is reserved and not confirmed."""
    value: float | None = None
    """What a reserved message was expected to be worth: a much better one may displace it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """An offer's last message or conversion, for cooldowns; and holdbacks still running."""

    offer_id: str
    last_sent: datetime | None = None
    last_converted: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerState:
    """Everything the ledger knows of one customer that bears on a decision, read under the customer's lock.

    ``known`` is false for a customer Kairos never heard of. ``consents`` is the journal's current state: the
    latest entry per channel and purpose. ``attributes`` feed eligibility expressions. ``held_back`` maps an
    offer to the end of the outcome window in which it must not be asked for again.
    """

    customer: Customer
    known: bool = True
    consents: tuple[Consent, ...] = ()
    preference: Preference | None = None
    pressure: tuple[Pressure, ...] = ()
    exposures: tuple[Exposure, ...] = ()
    held_back: Mapping[str, datetime] = field(default_factory=dict)
    withheld: tuple[datetime, ...] = ()
    """When messages would have gone that were withheld at random, oldest first: those of the last 91 days before
    ``now``, and those to come. The interval's clock counts them as sent, caps do not. The last of all: written
    down only where there are any (:mod:`decisions.history`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What the models say of one customer, computed before the transaction (arrays as tuples: hashable, JSON).

    ``engage`` P(engage within the horizon) by channel; ``multiplier`` m over 168 local hours by channel,
    averaging 1 over the send times behind the training data; ``tau`` incremental gross margin of one send by
    ``"offer|channel"`` before all costs; ``redeem`` P(redeem | sent) by offer, and by ``"offer|channel"`` where
    that is known; ``hazard`` added probability of losing the channel by pressure level (messages in the last seven
    days, the last entry for all above); ``response_loss`` margin lost while fatigue recovers, by the same levels;
    ``reachable_value`` expected remaining margin of staying reachable, by channel; ``churn`` P(no activity in the
    next N days); ``hourly`` by offer the factor on tau at each of the 24 local hours, 1 where an offer is missing;
    ``cadence`` by channel the days between messages that earn most, and what they earn a day; ``evidence`` by
    ``"offer|channel"`` the customer's own messages, those seen, and orders that name them.

    ``incremental`` is false where no randomised send stands behind ``tau``. ``notes`` say which parts are
    priors and why (``prior:channel:email:no_labels``). ``attributes`` are feature values that eligibility
    expressions may name.
    """

    customer_id: str
    engage: Mapping[str, float]
    multiplier: Mapping[str, tuple[float, ...]]
    tau: Mapping[str, float]
    redeem: Mapping[str, float]
    hazard: Mapping[str, tuple[float, ...]]
    response_loss: Mapping[str, tuple[float, ...]]
    reachable_value: Mapping[str, float]
    churn: float | None = None
    incremental: bool = False
    notes: tuple[str, ...] = ()
    attributes: Mapping[str, str | float | bool | None] = field(default_factory=dict)
    model_versions: Mapping[str, str] = field(default_factory=dict)
    features_as_of: datetime | None = None
    hourly: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    cadence: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    evidence: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    """The last three: written down only where they say something (:mod:`decisions.history`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetState:
    """What shared budgets say before the draw: a frozen price per channel, and the channels with nothing left."""

    prices: Mapping[str, float] = field(default_factory=dict)
    exhausted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Separate secrets for separate draws, so that no draw can be read from another, and one for tokens."""

    assignment: bytes
    holdback: bytes
    exploration: bytes
    token: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueParts:
    """V(a) = tau · multiplier − send_cost − incentive − ltv_loss − price (docs/architecture.md)."""

    tau: float
    multiplier: float
    send_cost: float
    incentive: float
    ltv_loss: float
    price: float = 0.0

    @property
    def total(self) -> float:
        """The expected value of sending, against hold at 0."""
        gain = self.tau * self.multiplier
        return gain - self.send_cost - self.incentive - self.ltv_loss - self.price


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason code, with what it is about and, where it will pass, until when."""

    code: str
    offer_id: str | None = None
    channel: str | None = None
    detail: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of the choice: its options, their values, the probabilities drawn from, and what was drawn."""

    name: StageName
    options: tuple[str, ...]
    values: tuple[float, ...]
    probabilities: tuple[float, ...]
    chosen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """A candidate that was in the running: what the marketer reads beside the one chosen."""

    offer_id: str
    channel: str
    send_at: datetime
    value: ValueParts


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often to write to a customer: a message every ``days``, ``weekly`` a week, on ``channel``.

    That is the interval that earns most times ``multiplier``, which was drawn with ``probability`` for the
    customer and the ``period`` that begins on this day (UTC), whatever is asked: frequency, explored.
    """

    channel: str
    days: float
    weekly: float
    multiplier: float
    probability: float
    period: date


Grade = Literal["measured", "ratio", "counted", "declared"]
"""How a part of a value is known: by randomised sends, by counts that they corrected, by counts, or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What came of a customer's own messages: how many (each as ripe as it is), seen, and orders naming them."""

    messages: float
    seen: float
    orders: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a value stands on: the ``grades`` of its parts, and evidence on the offer and on the channel."""

    grades: Mapping[str, Grade]
    offer: Evidence
    channel: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The arm a customer is in."""

    experiment_id: str
    arm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A reserved answer. Times are UTC; ``send_at_local`` is ISO with the offset.

    ``propensity`` is P(recorded action | everything fixed before the draw). ``held_back`` says that this hold
    is a would-be send withheld at random.
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
    slot: int | None
    send_at: datetime | None
    send_at_local: str | None
    expires_at: datetime | None
    expected_value: ValueParts | None
    incremental: bool
    propensity: float
    propensity_exact: bool
    history_hash: str
    stages: tuple[Stage, ...]
    held_back: bool
    held_back_until: datetime | None
    reasons: tuple[Reason, ...]
    alternatives: tuple[Alternative, ...]
    policy_version: str
    model_versions: Mapping[str, str]
    features_as_of: datetime | None
    now: datetime
    experiments: tuple[Assignment, ...]
    variables: Mapping[str, str]
    unsubscribe_token: str | None
    displaces: str | None = None
    """The unconfirmed decision whose place this one takes."""
    pace: Pace | None = None
    """How often to write to the customer; None where that was not learned, or is not asked."""
    withheld_at: datetime | None = None
    """When the message would have gone that this hold withheld at random, or that it drew silence instead of."""
    grounds: Grounds | None = None
    """What the value of what goes, or would have gone, stands on; None where nothing was counted."""
