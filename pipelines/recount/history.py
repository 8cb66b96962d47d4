"""One customer as the ledger holds them: every decision to send, every message, and what was known when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pipelines.recount.windows import Stay

ENDED = ("released", "expired", "withdrawn", "displaced")
GRANTED = "reserved"
CONFIRMED = "confirmed"
SENT_UNASKED = "sent_unconfirmed"
"""The words of the audit for a place given, a permission given, and a message that went without one."""


class Change(NamedTuple):
    """One entry of the audit: its number, and what the caller's clock said."""

    what: str
    seq: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What caps count: where it stands in the audit's order (``known`` … ``ended``), and when it goes.

    It was promised for ``at`` … ``until``; from ``settled`` on it is known to go at ``settled_at``.
    """

    channel: str
    purpose: str
    category: str | None
    offer_id: str | None
    campaign_id: str | None
    at: int
    until: int
    known: float
    ended: float = inf
    settled: float = inf
    settled_at: int = 0

    def standing(self, seq: float) -> bool:
        """Return whether it was known, and not yet ended, when entry ``seq`` was made (infinite: as of now)."""
        return (self.known < seq or seq == inf) and (seq < self.ended or self.ended == inf)

    def as_known(self, seq: float) -> Stay:
        """Return when it may go, as far as was known at entry ``seq``."""
        return (self.settled_at, self.settled_at) if self.settled < seq else (self.at, self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What was known of the customer besides messages and consents.

    ``wish`` is the customer's own preference, ``converted`` the last conversion by offer, in ticks.
    """

    zone: str | None = None
    country: str | None = None
    wish: Mapping[str, Any] = field(default_factory=dict)
    converted: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One decision to send, with every change the audit holds of it.

    ``person`` is the customer as the decision's own record knew them; None where the record cannot be read.
    """

    decision_id: str
    request_id: str
    customer_id: str
    state: str
    message: Message
    local: str | None
    expires_at: int
    decided_at: int
    confirmed_at: int | None
    place: str | None
    place_at: int | None
    recorded: bool
    displaces: str | None
    policy: str
    catalogue: str | None
    arms: str
    person: Person | None
    changes: tuple[Change, ...]

    def of(self, *whats: str) -> list[int]:
        """Return the audit's numbers of these changes, in order."""
        return [each.seq for each in self.changes if each.what in whats]


@dataclass(slots=True)
class History:
    """One customer, as the ledger holds them; ``person`` as the ledger knows them now."""

    person: Person = field(default_factory=Person)
    sends: list[Send] = field(default_factory=list)
    foreign: list[Message] = field(default_factory=list)
    consents: list[Any] = field(default_factory=list)
