"""An event: one thing that happened to one customer at one moment."""

from __future__ import annotations

import re
from typing import Annotated, Any

import pyarrow as pa
from pydantic import AfterValidator, Field, model_validator

from features.contracts.words import Channel, Contract, Currency, Id, Identity, PastDatetime, Properties

MESSAGE_TYPES = ("sent", "delivered", "bounced", "opened", "clicked", "unsubscribed", "complained")
BEHAVIOUR_TYPES = (
    "registered",
    "session",
    "viewed",
    "cart_added",
    "cart_abandoned",
    "purchased",
    "converted",
    "support_contacted",
    "reviewed",
)
TRIAL_TYPES = ("assigned",)
EVENT_TYPES = MESSAGE_TYPES + BEHAVIOUR_TYPES + TRIAL_TYPES
"""The types Kairos knows. A company's own are called ``x_<name>`` (:data:`OWN_TYPE`)."""

OWN_TYPE = r"^x_[a-z][a-z0-9_]{0,47}$"


def _known_type(name: str) -> str:
    if name in EVENT_TYPES or re.fullmatch(OWN_TYPE, name):
        return name
    raise ValueError(
        f"event type {name!r} is unknown; use one of {', '.join(EVENT_TYPES)}, or x_<name> for your own"
    )


CONTROL = "control"
"""The treatment of those who were to get no message."""

EventType = Annotated[str, AfterValidator(_known_type)]


class Event(Contract):
    """One event. ``event_id`` is unique: a second arrival of the same id is ignored.

    ``properties`` holds what a company adds; Kairos itself reads some of them: ``category`` (what was bought
    or shown), ``order_id`` (several ``purchased`` events of one basket count as one order), ``bounce`` (``hard``:
    the address is dead; anything else is a soft bounce) and ``purpose`` (what a message is for, or leaving ends).
    An ``assigned`` event has two more: ``treatment``, the arm that was drawn (``control``: no message), and
    ``propensity``, the chance with which that arm was drawn, between 0 and 1.
    ``automated`` marks machine opens and bot clicks, which are missing data and never a reaction.
    """

    event_id: Identity
    customer_id: Identity
    type: EventType
    occurred_at: PastDatetime
    channel: Channel | None = None
    decision_id: Identity | None = None
    message_id: Identity | None = None
    campaign_id: Id | None = None
    offer_id: Id | None = None
    value: float | None = None
    currency: Currency | None = None
    automated: bool = False
    properties: Properties = Field(default_factory=dict)

    @model_validator(mode="after")
    def _an_assignment_was_drawn(self) -> Event:
        if self.type in TRIAL_TYPES and not _drawn(self.properties):
            raise ValueError(
                "an assigned event needs properties.treatment (text: the arm, or control) and "
                "properties.propensity (the chance of that arm, a number between 0 and 1, both excluded)"
            )
        return self


def _drawn(properties: dict[str, Any]) -> bool:
    arm, chance = properties.get("treatment"), properties.get("propensity")
    if not isinstance(chance, int | float) or isinstance(chance, bool):
        return False
    return isinstance(arm, str) and arm != "" and 0 < chance < 1


EVENT_SCHEMA = pa.schema(
    [
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        # Microseconds: DuckDB reads nanosecond UTC Parquet as a type Feast cannot materialize.
        pa.field("occurred_at", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("channel", pa.string()),
        pa.field("decision_id", pa.string()),
        pa.field("message_id", pa.string()),
        pa.field("campaign_id", pa.string()),
        pa.field("offer_id", pa.string()),
        pa.field("value", pa.float64()),
        pa.field("currency", pa.string()),
        pa.field("automated", pa.bool_(), nullable=False),
        pa.field("properties", pa.string(), nullable=False),  # a JSON object
    ]
)
"""The same event as columns, as the lake keeps it."""
