"""Who may get what, where and when, and the reason for every refusal.

Rules come in two kinds. *Standing* rules refuse a candidate whatever the hour. Rules of *time* name moments they
forbid; what is left of the horizon is permitted, and a message must be able to wait there for a while.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from decisions.eligibility.codes import RANK, Code, code_table
from decisions.eligibility.counting import (
    Messages,
    channel_caps,
    cooldowns,
    exclusivity,
    gaps,
    offer_caps,
    smart_pause,
)
from decisions.eligibility.due import not_due
from decisions.eligibility.quiet import quiet_times, validity
from decisions.eligibility.situation import Block, Candidate, Situation
from decisions.eligibility.standing import about_channel, about_customer, about_offer, about_score
from decisions.records import Reason
from decisions.timing.slots import usable
from decisions.timing.spans import clip, union, without

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from decisions.timing.spans import Spans
    from features.contracts import Offer

__all__ = ["RANK", "Block", "Candidate", "Code", "Situation", "code_table", "eligible", "forbidding", "in_order"]


def eligible(situation: Situation, offers: Sequence[Offer]) -> tuple[tuple[Candidate, ...], tuple[Reason, ...]]:
    """Return the candidates that may be sent, with their permitted time, and why the others may not.

    In every permitted span a message can wait at least the policy's ``least_window_minutes``.
    """
    if forbidden := in_order(about_customer(situation)):
        return (), forbidden
    rules = _Rules(situation)
    found: list[Candidate] = []
    refused: list[Reason] = []
    for offer in offers:
        for channel in offer.channels:
            verdict = rules.judge(offer, channel)
            if isinstance(verdict, Candidate):
                found.append(verdict)
            else:
                refused.extend(verdict)
    return tuple(found), in_order(refused)


def forbidding(situation: Situation, offer: Offer, channel: str) -> tuple[tuple[Reason, ...], tuple[Block, ...]]:
    """Return what stands against ``offer`` on ``channel`` whatever it is worth: always, and at which moments.

    These are the rules that protect the customer. Audience, condition, score, holdback and what is due choose whom
    to write to and when; that was the decision's.
    """
    rules = _Rules(situation)
    return rules.about_channel(channel), rules.blocks(offer, channel)


def in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return each reason once, the broadest first."""
    once = dict.fromkeys(reasons)
    return tuple(sorted(once, key=lambda reason: RANK[reason.code]) if len(once) > 1 else once)


class _Rules:
    """The rules of one situation, with what does not depend on the offer or not on the channel worked out once."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation
        self._messages = Messages(situation.state.pressure, situation.span[0])
        self._not_due = tuple(not_due(situation))
        self._channel_reasons: dict[str, tuple[Reason, ...]] = {}
        self._channel_blocks: dict[str, tuple[Block, ...]] = {}
        self._offer_reasons: dict[str, tuple[Reason, ...]] = {}
        self._offer_blocks: dict[str, tuple[Block, ...]] = {}
        self._left: dict[tuple[Spans, ...], Spans] = {}

    def judge(self, offer: Offer, channel: str) -> Candidate | Sequence[Reason]:
        """Return the candidate, or why it may not be sent."""
        standing = (
            *self.about_channel(channel),
            *self._about_offer(offer),
            *about_score(self._situation, offer, channel),
        )
        if standing:
            return standing
        scoped = offer_caps(self._situation, self._messages, offer, channel)
        own = (*self._of_offer(offer), *scoped)
        blocks = (*self._not_due, *self._of_channel(channel), *own)
        if permitted := self._outside(blocks):
            return Candidate(offer=offer, channel=channel, permitted=permitted)
        return self._why_never(blocks, offer, channel)

    def blocks(self, offer: Offer, channel: str) -> tuple[Block, ...]:
        """Return the moments that are forbidden, rule by rule."""
        scoped = offer_caps(self._situation, self._messages, offer, channel)
        return (*self._of_channel(channel), *self._of_offer(offer), *scoped)

    def about_channel(self, channel: str) -> tuple[Reason, ...]:
        """Return what forbids ``channel`` whatever the hour."""
        if channel not in self._channel_reasons:
            self._channel_reasons[channel] = tuple(about_channel(self._situation, channel))
        return self._channel_reasons[channel]

    def _of_channel(self, channel: str) -> tuple[Block, ...]:
        if channel not in self._channel_blocks:
            self._channel_blocks[channel] = (
                *quiet_times(self._situation, channel),
                *channel_caps(self._situation, self._messages, channel),
                *gaps(self._situation, self._messages, channel),
                *smart_pause(self._situation, self._messages, channel),
            )
        return self._channel_blocks[channel]

    def _about_offer(self, offer: Offer) -> tuple[Reason, ...]:
        if offer.offer_id not in self._offer_reasons:
            self._offer_reasons[offer.offer_id] = tuple(about_offer(self._situation, offer))
        return self._offer_reasons[offer.offer_id]

    def _of_offer(self, offer: Offer) -> tuple[Block, ...]:
        if offer.offer_id not in self._offer_blocks:
            self._offer_blocks[offer.offer_id] = (
                *validity(self._situation, offer),
                *cooldowns(self._situation, self._messages, offer),
                *exclusivity(self._situation, self._messages, offer),
            )
        return self._offer_blocks[offer.offer_id]

    def _outside(self, blocks: Sequence[Block]) -> Spans:
        """Return what ``blocks`` leave: the same for most offers and channels, so kept."""
        spans = tuple(block.spans for block in blocks if block.spans)
        if spans not in self._left:
            self._left[spans] = self._free(union(chain.from_iterable(spans)))
        return self._left[spans]

    def _free(self, blocked: Spans) -> Spans:
        """Return the spans of the horizon outside ``blocked`` in which a message can wait."""
        least = self._situation.policy.least_window_minutes * 60
        free = without(self._situation.span, blocked)
        return tuple(span for span in free if usable(span, least))

    def _why_never(self, blocks: Sequence[Block], offer: Offer, channel: str) -> Sequence[Reason]:
        """Return the rules that forbid all the time alone; else all that forbid a part of it."""
        start = self._situation.span[0]
        alone = [block for block in blocks if not self._free(block.spans)]
        if alone:
            return [block.reason(start) for block in alone]
        parts = [block.reason(start) for block in blocks if clip(block.spans, *self._situation.span)]
        return [Reason(code=Code.NO_ROOM, offer_id=offer.offer_id, channel=channel), *parts]
