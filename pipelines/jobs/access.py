"""Keys, and the trail of changes, at the terminal. Only the ledger is opened: no policy is needed.

The machine's own clock dates keys, as it judges them: a clock that stands still must not make or keep one.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from decisions.ledger import Ledger
from runtime.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from decisions.ledger import ApiKey, Change, NewKey, Role
    from runtime.settings import Settings

_SPAN = re.compile(r"([0-9]{1,6})(h|d)")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}


def add_key(settings: Settings, role: Role, *, label: str, expires: str | None) -> NewKey:
    """Make a key; ``expires`` is a time from now (``90d``) or a moment, None for never."""
    now = SystemClock().now()
    until = moment_of(expires, now=now) if expires else None
    with _ledger(settings) as ledger:
        return ledger.keys.add(role, label=label, now=now, expires=until)


def rotate_key(settings: Settings, key_id: str, *, overlap: str) -> NewKey:
    """Make a key's successor; the old one goes on for ``overlap`` (``24h``, ``7d``)."""
    for_so_long = span_of(overlap)
    with _ledger(settings) as ledger:
        return ledger.keys.rotate(key_id, SystemClock().now(), overlap=for_so_long)


def revoke_key(settings: Settings, key_id: str) -> ApiKey:
    """End a key for good."""
    with _ledger(settings) as ledger:
        return ledger.keys.revoke(key_id, SystemClock().now())


def list_keys(settings: Settings) -> list[ApiKey]:
    """Return every key ever made."""
    with _ledger(settings) as ledger:
        return ledger.keys.all()


def list_changes(settings: Settings, *, last: int, customer: str) -> list[Change]:
    """Return the last changes of the installation, or of one customer."""
    with _ledger(settings) as ledger:
        return ledger.trail.entries(customer, last=last)


@contextmanager
def _ledger(settings: Settings) -> Iterator[Ledger]:
    with Ledger.open(settings.ledger) as ledger:
        yield ledger


def moment_of(text: str, *, now: datetime) -> datetime:
    """Return the moment that ``text`` names: a span from ``now``, or itself a moment with a zone.

    Raises:
        ValueError: where it is neither.
    """
    if _SPAN.fullmatch(text):
        return now + span_of(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(
            f"{text!r} is no end; write a time from now, as 90d or 12h, or a moment, as 2027-01-31T00:00Z"
        )
    return moment.astimezone(UTC)


def span_of(text: str) -> timedelta:
    """Return the span of so many hours or days.

    Raises:
        ValueError: where it is neither.
    """
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no span; write hours or days, as 24h or 7d")
    return int(found[1]) * _UNITS[found[2]]
