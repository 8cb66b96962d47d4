"""A customer, their consents and their own wishes. No address and no name: the delivery layer owns those."""

from __future__ import annotations

from datetime import date

from pydantic import Field, model_validator

from features.contracts.words import (
    Channel,
    ConsentStatus,
    ContactState,
    Contract,
    Country,
    Id,
    Purpose,
    TimeZone,
    UtcDatetime,
)


class Customer(Contract):
    """One customer. A channel that ``contacts`` does not name is ``absent``.

    ``time_zone`` is null where it is not known; such a customer is never less protected than a known one (P3).
    """

    customer_id: Id
    household_id: Id | None = None
    time_zone: TimeZone | None = None
    country: Country | None = None
    locale: str | None = None
    registered_at: UtcDatetime | None = None
    birthday: date | None = None
    attributes: dict[str, str | int | float | bool | None] = Field(default_factory=dict)
    contacts: dict[Channel, ContactState] = Field(default_factory=dict)


class Consent(Contract):
    """One entry of the append-only consent journal. The current state is the latest entry by ``at``.

    Of two entries at the same moment the withdrawal counts.
    """

    customer_id: Id
    channel: Channel
    purpose: Purpose
    status: ConsentStatus
    at: UtcDatetime
    source: str
    evidence: str | None = None


class Preference(Contract):
    """The customer's own limits; they bind on top of every policy.

    ``channels_off`` are channels the customer does not want, ``quiet_from``/``quiet_until`` local hours
    (0–24, over midnight where from > until), ``max_per_week`` marketing messages in any rolling seven days
    (0 means none), ``pause_until`` a moment before which nothing but transactional messages comes.
    """

    customer_id: Id
    channels_off: tuple[Channel, ...] = ()
    quiet_from: int | None = Field(default=None, ge=0, le=24)
    quiet_until: int | None = Field(default=None, ge=0, le=24)
    max_per_week: int | None = Field(default=None, ge=0)
    pause_until: UtcDatetime | None = None

    @model_validator(mode="after")
    def _quiet_hours_come_in_pairs(self) -> Preference:
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValueError("quiet_from and quiet_until belong together: give both or neither")
        return self
