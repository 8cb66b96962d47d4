"""What an event says, as one number: two arrivals of one id repeat each other, or contradict each other.

The order of fields and the spelling of numbers (``2`` or ``2.0``) say nothing; a property that is null says no
more than one that is not there.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson

from decisions.ledger.storage.codec import micros
from features.contracts.words import WHOLE_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from features.contracts import Event

_BYTES = 8
COLUMNS = (
    "customer_id",
    "type",
    "occurred_at",
    "channel",
    "decision_id",
    "message_id",
    "campaign_id",
    "offer_id",
    "value",
    "currency",
    "automated",
)
"""What is told besides the id and the properties."""


def digest(event: Event) -> int:
    """Return the number of what an event says."""
    told = [getattr(event, name) for name in COLUMNS]
    told[2] = micros(event.occurred_at)
    return digest_of(told, event.properties)


def digest_of(told: list[Any], properties: Mapping[str, Any]) -> int:
    """Return the number of what stands in :data:`COLUMNS`, the moment in microseconds, and the properties."""
    plain = {name: _plain(value) for name, value in properties.items() if value is not None}
    said = orjson.dumps([*told, plain], option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(hashlib.blake2b(said, digest_size=_BYTES).digest(), signed=True)


def _plain(value: Any) -> Any:
    whole = isinstance(value, float) and value.is_integer() and int(value) in WHOLE_NUMBERS
    return int(value) if whole else value
