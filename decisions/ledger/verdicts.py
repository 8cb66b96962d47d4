"""What the ledger answers besides decisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from decisions.records import CustomerState, Decision, DecisionState


class Refusal(NamedTuple):
    """Why a confirm is refused, and the state in which that leaves the decision (None: still reserved)."""

    code: str
    message: str
    ends: DecisionState | None


Guard = Callable[[Decision, CustomerState, datetime], Refusal | None]
"""Says whether a reserved decision may still go, given the customer's state now without its own reservation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer to one confirm or release. ``code`` and ``message`` say why; ``state`` is the decision's now.

    ``confirmed`` is the permission to send, given once. A release of what is released already is ``released``.
    """

    decision_id: str
    status: Literal["confirmed", "released", "refused"]
    code: str
    message: str
    state: DecisionState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventVerdict:
    """What became of one event: taken, known already, or of a customer who was erased.

    ``conflict``: the first arrival of this id says something else. The first one stands.
    """

    event_id: str
    status: Literal["accepted", "duplicate", "erased"]
    conflict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A decision to be recorded, with the hash of the request and the frozen inputs that replay it."""

    decision: Decision
    body_hash: str
    frozen: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """A decision that is due, lent to one sender until ``leased_until``; unless acknowledged it comes again."""

    decision: Decision
    leased_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """What one sender was lent, and, where it asked for permission too, the verdicts that refused it."""

    leased: tuple[Leased, ...] = ()
    refused: tuple[Verdict, ...] = ()

    def __add__(self, other: Lent) -> Lent:
        """Return both together."""
        return Lent(leased=self.leased + other.leased, refused=self.refused + other.refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """What became of one acknowledgement. ``not_waiting``: acknowledged before, never due, or over."""

    decision_id: str
    status: Literal["acknowledged", "not_waiting", "unknown_decision"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of a customer's timeline. ``kind`` is decision, change, message, consent or event."""

    at: datetime
    kind: str
    what: str
    decision_id: str | None = None
    channel: str | None = None
    offer_id: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a bulk load of history did: ``skipped`` rows bear on no decision, ``duplicates`` were known.

    ``erased`` ones are about customers who were erased, and were left out. Of ``conflicts`` the first arrival of
    the same id says something else; the first one stands.
    """

    taken: int
    duplicates: int
    skipped: int
    erased: int = 0
    conflicts: int = 0
