"""A withdrawal counts whatever its date: one whose date cannot be is taken when it is received, and says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - pydantic reads it
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ValidationError, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator

from features.contracts.words import GRACE, PastDatetime

TAKEN = ": taken when received)"
"""How the source of an entry ends whose own date could not be."""

LEAVING = ("unsubscribed", "complained")
"""Events that withdraw."""

SHOWN = "[0-9A-Za-z:.,+/ -]{1,40}"
"""A pattern of the dates that the source repeats."""


@dataclass(frozen=True, slots=True)
class Undated:
    """What was stated as the date of a withdrawal and is none that can be."""

    stated: str


def _or_undated(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    try:
        return handler(value)
    except ValidationError:
        if info.data.get("status") != "withdrawn":
            raise
        return Undated(str(value))


if TYPE_CHECKING:
    SaidAt = datetime | Undated
else:
    SaidAt = Annotated[PastDatetime, WrapValidator(_or_undated)]
"""When an entry of the journal was said; of a withdrawal anything at all. ``status`` is read before it."""


def received(at: datetime | Undated, now: datetime) -> str | None:
    """Return what was stated of a withdrawal that must be taken at ``now``; None where its date can be."""
    if isinstance(at, Undated):
        return at.stated
    return at.isoformat() if at > now + GRACE else None


def source_taken(source: str, stated: str) -> str:
    """Return the source of a withdrawal that was taken when received; it keeps what was stated.

    >>> source_taken("crm", "0")
    'crm (dated 0: taken when received)'
    """
    return f"{source} (dated {stated if re.fullmatch(SHOWN, stated) else 'unreadably'}{TAKEN}"
