"""Who may get what, where and when, and the reason for every refusal.

Rules come in two kinds. *Standing* rules refuse a candidate whatever the hour. Rules of *time* name moments they
forbid; what is left of the horizon is permitted, and a message must be able to wait there for a while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from decisions.eligibility.codes import RANK, Code, code_table
from decisions.eligibility.counting import caps, cooldowns, exclusivity, gaps, smart_pause
from decisions.eligibility.quiet import quiet_times, validity
from decisions.eligibility.situation import Block, Candidate, Situation
from decisions.eligibility.standing import about_channel, about_customer, about_offer, about_score
from decisions.records import Reason
from decisions.slots import usable
from decisions.spans import clip, union, without

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from decisions.spans import Spans
    from features.contracts import Offer

__all__ = ["RANK", "Candidate", "Code", "Situation", "code_table", "eligible", "in_order"]


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


def in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return each reason once, the broadest first."""
    return tuple(sorted(dict.fromkeys(reasons), key=lambda reason: RANK[Code(reason.code)]))


class _Rules:
    """The rules of one situation, with what does not depend on the offer worked out once per channel."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation
        self._messages = tuple(sorted(situation.state.pressure, key=lambda message: message.at))
        self._channel_reasons: dict[str, tuple[Reason, ...]] = {}
        self._channel_blocks: dict[str, tuple[Block, ...]] = {}

    def judge(self, offer: Offer, channel: str) -> Candidate | Sequence[Reason]:
        """Return the candidate, or why it may not be sent."""
        standing = (
            *self._about_channel(channel),
            *about_offer(self._situation, offer),
            *about_score(self._situation, offer, channel),
        )
        if standing:
            return standing
        blocks = [*self._of_channel(channel), *self._of_offer(offer, channel)]
        permitted = self._permitted(union(span for block in blocks for span in block.spans))
        if permitted:
            return Candidate(offer=offer, channel=channel, permitted=permitted)
        return self._why_never(blocks, offer, channel)

    def _about_channel(self, channel: str) -> tuple[Reason, ...]:
        if channel not in self._channel_reasons:
            self._channel_reasons[channel] = tuple(about_channel(self._situation, channel))
        return self._channel_reasons[channel]

    def _of_channel(self, channel: str) -> tuple[Block, ...]:
        if channel not in self._channel_blocks:
            self._channel_blocks[channel] = (
                *quiet_times(self._situation, channel),
                *gaps(self._situation, self._messages, channel),
                *smart_pause(self._situation, self._messages, channel),
            )
        return self._channel_blocks[channel]

    def _of_offer(self, offer: Offer, channel: str) -> Iterable[Block]:
        yield from validity(self._situation, offer)
        yield from caps(self._situation, self._messages, offer, channel)
        yield from cooldowns(self._situation, self._messages, offer)
        yield from exclusivity(self._situation, self._messages, offer)

    def _permitted(self, blocked: Spans) -> Spans:
        least = self._situation.policy.least_window_minutes * 60
        free = without(self._situation.span, blocked)
        return tuple(span for span in free if usable(span, least))

    def _why_never(self, blocks: Sequence[Block], offer: Offer, channel: str) -> Sequence[Reason]:
        """Return the rules that forbid all the time alone; else all that forbid a part of it."""
        start = self._situation.span[0]
        alone = [block for block in blocks if not self._permitted(block.spans)]
        if alone:
            return [block.reason(start) for block in alone]
        parts = [block.reason(start) for block in blocks if clip(block.spans, *self._situation.span)]
        return [Reason(code=Code.NO_ROOM, offer_id=offer.offer_id, channel=channel), *parts]
