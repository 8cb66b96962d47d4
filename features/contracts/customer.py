"""A customer, their consents and their own wishes. No address and no name: the delivery layer owns those."""

from __future__ import annotations

from datetime import date
from typing import Self

import pyarrow as pa
from pydantic import Field, model_validator

from features.contracts.words import (
    Channel,
    ConsentStatus,
    ContactState,
    Contract,
    Country,
    Identity,
    PastDatetime,
    Properties,
    Purpose,
    TimeZone,
    UtcDatetime,
    Words,
)


class Customer(Contract):
    """One customer. A channel that ``contacts`` does not name is ``absent``.

    ``time_zone`` is null where it is not known; such a customer is never less protected than a known one (P3).
    """

    customer_id: Identity
    household_id: Identity | None = None
    time_zone: TimeZone | None = None
    country: Country | None = None
    locale: str | None = None
    registered_at: UtcDatetime | None = None
    birthday: date | None = None
    attributes: Properties = Field(default_factory=dict)
    contacts: dict[Channel, ContactState] = Field(default_factory=dict)


class Consent(Contract):
    """One entry of the append-only consent journal. The current state is the latest entry by ``at``.

    Of two entries at the same moment the withdrawal counts.
    """

    customer_id: Identity
    channel: Channel
    purpose: Purpose
    status: ConsentStatus
    at: PastDatetime
    source: Words
    evidence: Words | None = None


class Limits(Contract):
    """What a customer asks of whoever writes to them; it binds on top of every policy.

    ``channels_off`` are channels the customer does not want, ``quiet_from``/``quiet_until`` local hours
    (0–24, over midnight where from > until), ``max_per_week`` marketing messages in any rolling seven days
    (0 means none), ``pause_until`` a moment before which nothing but transactional messages comes.
    """

    channels_off: tuple[Channel, ...] = ()
    quiet_from: int | None = Field(default=None, ge=0, le=24)
    quiet_until: int | None = Field(default=None, ge=0, le=24)
    max_per_week: int | None = Field(default=None, ge=0)
    pause_until: UtcDatetime | None = None

    @model_validator(mode="after")
    def _quiet_hours_come_in_pairs(self) -> Self:
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValueError("quiet_from and quiet_until belong together: give both or neither")
        return self


class Preference(Limits):
    """The limits of one customer."""

    customer_id: Identity


_MOMENT = pa.timestamp("us", "UTC")

CUSTOMER_SCHEMA = pa.schema(
    [
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("household_id", pa.string()),
        pa.field("time_zone", pa.string()),
        pa.field("country", pa.string()),
        pa.field("locale", pa.string()),
        pa.field("registered_at", _MOMENT),
        pa.field("birthday", pa.date32()),
        pa.field("attributes", pa.string(), nullable=False),  # a JSON object
        pa.field("contacts", pa.string(), nullable=False),  # a JSON object: channel to contact state
    ]
)
"""Customers as columns, as the lake keeps them."""

CONSENT_SCHEMA = pa.schema(
    [
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("channel", pa.string(), nullable=False),
        pa.field("purpose", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("at", _MOMENT, nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("evidence", pa.string()),
    ]
)
"""Consent entries as columns."""

PREFERENCE_SCHEMA = pa.schema(
    [
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("channels_off", pa.list_(pa.string()), nullable=False),
        pa.field("quiet_from", pa.int64()),
        pa.field("quiet_until", pa.int64()),
        pa.field("max_per_week", pa.int64()),
        pa.field("pause_until", _MOMENT),
    ]
)
"""Preferences as columns."""
