"""What the rules of eligibility look at, gathered once for a decision, and what they find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from decisions.catalogue import Catalogue
from decisions.eligibility.codes import Code
from decisions.policy import Policy
from decisions.records import Ask, BudgetState, CustomerState, Pace, Reason, Scores
from decisions.timing.localtime import Days, days_between
from decisions.timing.spans import Span, Spans, end_of
from features.contracts import Campaign, Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One decision's inputs, with what follows from them at once.

    ``policy`` is the one the customer's arms make of it, ``span`` the UTC seconds in which a message may wait
    and go (from now on), ``zones`` where the customer may live (several: unknown), ``countries`` whose days
    off hold, ``values`` what expressions and variables may name.
    """

    ask: Ask
    policy: Policy
    catalogue: Catalogue
    campaign: Campaign | None
    scores: Scores
    state: CustomerState
    budgets: BudgetState
    now: datetime
    span: Span
    zones: tuple[str, ...]
    zone_known: bool
    countries: tuple[str, ...]
    values: Mapping[str, str | float | bool | None]
    holdout: bool
    pace: Pace | None = None
    """How often to write to the customer, where that is known and asked."""

    @property
    def marketing(self) -> bool:
        """Whether this is the purpose that is explored, held back and capped by default."""
        return self.ask.purpose == "marketing"

    @property
    def days(self) -> Days:
        """The UTC days of ``span``, with one on either side."""
        first, last = days_between(*self.span)
        return first - 1, last + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Moments that one rule forbids, and what to say about it."""

    code: Code
    spans: Spans
    offer_id: str | None = None
    channel: str | None = None
    detail: str | None = None

    def reason(self, at: int) -> Reason:
        """Return the rule's reason, with the end of the block that holds ``at``."""
        end = end_of(self.spans, at)
        until = None if end is None else datetime.fromtimestamp(end, UTC)
        return Reason(
            code=self.code, offer_id=self.offer_id, channel=self.channel, detail=self.detail, until=until
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An offer on a channel that may be sent, and when it may lie with the sender."""

    offer: Offer
    channel: str
    permitted: Spans

    @property
    def name(self) -> str:
        """The pair as scores and stages call it."""
        return f"{self.offer.offer_id}|{self.channel}"
