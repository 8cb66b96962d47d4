"""The small words every contract is made of: identifiers, channels, purposes, moments, zones."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationInfo,
)

from features.contracts.ids import is_placeholder
from features.contracts.places import OTHER_CODES, known_countries, known_zones

Purpose = Literal["marketing", "service", "transactional"]
ContactState = Literal["valid", "soft_bounced", "hard_bounced", "absent"]
ConsentStatus = Literal["granted", "withdrawn"]

LOOK_BACK_DAYS = 400
"""How far back decisions know a customer's messages: no rule may count further, or it would not hold."""

PURPOSES: tuple[str, ...] = get_args(Purpose)
CONTACT_STATES: tuple[str, ...] = get_args(ContactState)

STORED = {"stored": True}
"""The context (of pydantic) in which what is stored, or was judged before, is read.

What entered when rules were laxer, or was let in on purpose, must not break who reads it: an odd id or country
stays, a zone that is none becomes unknown, a moment of any year stands.
"""


def is_stored(info: ValidationInfo) -> bool:
    """Return whether a value is read back (:data:`STORED`) and not told from outside."""
    return bool(info.context and info.context.get("stored"))


# Opaque to Kairos. Printable and bounded, so that a key fits an index and a log line stays one line.
Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


def _names_somebody(name: str, info: ValidationInfo) -> str:
    if is_placeholder(name) and not is_stored(info):
        raise ValueError("the id stands for a missing one (like null or undefined), or has blanks around it")
    return name


Identity = Annotated[Id, AfterValidator(_names_somebody)]
"""An id that tells people, events and messages apart: what stands for a missing one would make one of many."""

# Free text that every store can keep: PostgreSQL takes no NUL.
Words = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
# Channels are data, not code: any short lower-case word.
Channel = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


def _known_country(code: str, info: ValidationInfo) -> str:
    if code in known_countries():
        return code
    other = OTHER_CODES.get(code)
    if is_stored(info):
        return other or code
    hint = f"did you mean {other!r}? " if other else ""
    raise ValueError(f"country {code!r} is not in ISO 3166: {hint}Write a code like 'DE', or null for unknown")


Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), AfterValidator(_known_country)]


_FARTHEST = timedelta(hours=14)


def _in_utc(moment: datetime) -> datetime:
    if abs(moment.utcoffset() or timedelta()) > _FARTHEST:
        raise ValueError(f"{moment.isoformat()}: no place is further than 14 hours from UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{moment.isoformat()} lies outside the years 1 to 9999 in UTC") from error


_NUMBER = re.compile(r"^\s*[+-]?([0-9][0-9_]*\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$")


def _no_number(value: Any) -> Any:
    """Refuse what pydantic would count from 1970, in seconds or milliseconds by its size."""
    if isinstance(value, int | float | Decimal) or (isinstance(value, str) and _NUMBER.match(value)):
        raise ValueError(f"{value!r} is a number, not a moment: write one like '2025-06-01T10:00:00Z'")
    return value


WallOrMoment = Annotated[datetime, BeforeValidator(_no_number)]
"""A moment, or a time on somebody's own clock. A number is neither."""
UtcDatetime = Annotated[AwareDatetime, BeforeValidator(_no_number), AfterValidator(_in_utc)]
"""A moment with a zone, kept in UTC. A naive one is refused: nobody can say when it was. A number is none."""

FIRST_PLAUSIBLE = datetime(1990, 1, 1, tzinfo=UTC)
"""What is dated before it was not dated by whoever kept the record: 0, a wrong unit, an empty field."""
GRACE = timedelta(days=1)
"""How far ahead of now a thing that has happened may lie: clocks differ."""


def _since_1990(moment: datetime, info: ValidationInfo) -> datetime:
    if moment < FIRST_PLAUSIBLE and not is_stored(info):
        stated = moment.isoformat()
        raise ValueError(f"{stated} lies before 1990: send when it happened (seconds read as milliseconds?)")
    return moment


PastDatetime = Annotated[UtcDatetime, AfterValidator(_since_1990)]
"""When something happened: not before 1990. That it is not to come the clock tells, where there is one."""


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return the IANA zone called ``name``.

    Raises:
        ValueError: naming the value, for an unknown zone as for a path in disguise or a name for "this machine".
    """
    if name not in known_zones():
        raise ValueError(
            f"time zone {name!r} is not an IANA zone that every engine knows; write one like 'Europe/Berlin', "
            "or null for unknown"
        )
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # the tz database of this machine is broken
        raise ValueError(f"time zone {name!r} cannot be read on this machine: install tzdata") from error


def _known_zone(name: str, info: ValidationInfo) -> str | None:
    if is_stored(info):
        return name if name in known_zones() else None
    zone(name)
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]


Plain = str | int | float | bool | None


WHOLE_NUMBERS = range(-(2**63), 2**64)
"""What JSON readers keep as whole numbers."""


def _storable(named: dict[str, Plain]) -> dict[str, Plain]:
    for name, value in named.items():
        if isinstance(value, int) and value not in WHOLE_NUMBERS:
            raise ValueError(f"{name!r} is a whole number of more than 64 bits; write it as text")
        if isinstance(value, str) and not is_encodable(value):
            raise ValueError(f"{name!r} holds half a surrogate pair, which no file can keep")
    return named


def is_encodable(text: str) -> bool:
    """Return whether ``text`` can be written at all: half a surrogate pair cannot."""
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
