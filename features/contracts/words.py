"""The small words every contract is made of: identifiers, channels, purposes, moments, zones."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

Purpose = Literal["marketing", "service", "transactional"]
ContactState = Literal["valid", "soft_bounced", "hard_bounced", "absent"]
ConsentStatus = Literal["granted", "withdrawn"]

LOOK_BACK_DAYS = 400
"""How far back decisions know a customer's messages: no rule may count further, or it would not hold."""

PURPOSES: tuple[str, ...] = get_args(Purpose)
CONTACT_STATES: tuple[str, ...] = get_args(ContactState)

# Opaque to Kairos. Printable and bounded, so that a key fits an index and a log line stays one line.
Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
# Free text that every store can keep: PostgreSQL takes no NUL.
Words = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
# Channels are data, not code: any short lower-case word.
Channel = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{moment.isoformat()} lies outside the years 1 to 9999 in UTC") from error


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment with a zone, kept in UTC. A naive one is refused: nobody can say when it was."""

_ZONE_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_+\-]*(/[A-Za-z0-9_+\-]+)*$")


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return the IANA zone called ``name``.

    Raises:
        ValueError: naming the value, for an unknown zone as for a path in disguise (``zoneinfo`` raises
            two different errors for those).
    """
    message = f"time zone {name!r} is not an IANA zone; write one like 'Europe/Berlin', or null for unknown"
    if not _ZONE_NAME.match(name):
        raise ValueError(message)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(message) from error


def _known_zone(name: str) -> str:
    zone(name)
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]


Plain = str | int | float | bool | None


_WHOLE_NUMBERS = range(-(2**63), 2**64)
"""What JSON readers keep as whole numbers."""


def _storable(named: dict[str, Plain]) -> dict[str, Plain]:
    for name, value in named.items():
        if isinstance(value, int) and value not in _WHOLE_NUMBERS:
            raise ValueError(f"{name!r} is a whole number of more than 64 bits; write it as text")
        if isinstance(value, str) and not _is_encodable(value):
            raise ValueError(f"{name!r} holds half a surrogate pair, which no file can keep")
    return named


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


Properties = Annotated[dict[str, Plain], AfterValidator(_storable)]
"""What a company adds under names of its own. Pydantic alone lets any text and any number through a union."""


class Contract(BaseModel):
    """Base of every contract: frozen, strict about unknown fields, finite numbers only."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
