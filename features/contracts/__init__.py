"""The shapes that cross every boundary of Kairos."""

from features.contracts.customer import (
    CONSENT_SCHEMA,
    CUSTOMER_SCHEMA,
    PREFERENCE_SCHEMA,
    Consent,
    Customer,
    Preference,
)
from features.contracts.event import EVENT_SCHEMA, EVENT_TYPES, Event
from features.contracts.offer import Campaign, Cap, Offer
from features.contracts.words import (
    CONTACT_STATES,
    PURPOSES,
    Channel,
    ConsentStatus,
    ContactState,
    Id,
    Identity,
    Purpose,
    UtcDatetime,
)

__all__ = [
    "CONSENT_SCHEMA",
    "CONTACT_STATES",
    "CUSTOMER_SCHEMA",
    "EVENT_SCHEMA",
    "EVENT_TYPES",
    "PREFERENCE_SCHEMA",
    "PURPOSES",
    "Campaign",
    "Cap",
    "Channel",
    "Consent",
    "ConsentStatus",
    "ContactState",
    "Customer",
    "Event",
    "Id",
    "Identity",
    "Offer",
    "Preference",
    "Purpose",
    "UtcDatetime",
]
