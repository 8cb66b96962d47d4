"""Caps, gaps, cooldowns and exclusivity: what the messages already sent or reserved forbid, before and after them.

A message at t is too much if *any* window that holds t holds ``limit`` others. Messages look both ways: one
reserved for Friday counts for a Thursday send. A reservation may still go anywhere between its ``at`` and its
``until``, so that it counts in every window it could fall into.

For a rolling window of W seconds [s, s + W): message i, going in [aᵢ, bᵢ], may fall into it for s in
(aᵢ − W, bᵢ]. Where ``limit`` of these stretches overlap, at s in (a − W, b], every t in (a − W, b + W) is
too much.
"""

from __future__ import annotations

from collections import Counter
from math import ceil, floor
from typing import TYPE_CHECKING

from decisions.eligibility.codes import Code
from decisions.eligibility.situation import Block
from decisions.timing.localtime import DAY, HOUR, Days, Period, Periods, periods
from decisions.timing.spans import ALWAYS, Span, Spans, stacked, union
from features.contracts import Cap, Offer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from decisions.eligibility.situation import Situation
    from decisions.policy import Policy
    from decisions.records import Pressure


class Messages:
    """One customer's messages, oldest first, with what was counted of them kept for the next candidate.

    What is counted holds for moments from ``start`` on (UTC seconds): a message that no window of the rule can
    hold together with such a moment is passed over.
    """

    def __init__(self, pressure: Iterable[Pressure], start: int) -> None:
        self.all: tuple[Pressure, ...] = tuple(sorted(pressure, key=lambda message: message.at))
        self._going: list[Span] = [going(message) for message in self.all]
        self._start = start
        self._blocked: dict[Cap, Spans] = {}
        self._near: dict[tuple[float, str | None], Spans] = {}

    def of_offer(self, offer_id: str) -> list[Span]:
        """Return when the messages with one offer went or go."""
        return [span for message, span in zip(self.all, self._going, strict=True) if message.offer_id == offer_id]

    def within(self, length: int) -> Iterator[tuple[Pressure, Span]]:
        """Yield the messages that a window of ``length`` seconds can hold with a moment from the start on."""
        since = self._start - length
        for message, span in zip(self.all, self._going, strict=True):
            if span[1] >= since:
                yield message, span

    def blocked(self, cap: Cap, situation: Situation) -> Spans:
        """Return when one more message would overrun ``cap``."""
        if cap not in self._blocked:
            self._blocked[cap] = cap_spans(cap, self, situation)
        return self._blocked[cap]

    def too_close(self, hours: float, where: str | None, policy: Policy) -> Spans:
        """Return when a message of those gaps bind would go less than ``hours`` from another (on ``where``)."""
        if (hours, where) not in self._near:
            length = ceil(hours * HOUR)
            near = [
                span
                for message, span in self.within(length)
                if message.purpose in policy.gap_purposes and where in {None, message.channel}
            ]
            self._near[hours, where] = rolling(near, limit=1, length=length)
        return self._near[hours, where]


def going(message: Pressure) -> Span:
    """Return the whole seconds that enclose the moments at which ``message`` went or may still go."""
    return floor(message.at.timestamp()), ceil((message.until or message.at).timestamp())


def shown(message: Pressure) -> Span:
    """Return the first and last second that a clock shows while ``message`` goes."""
    return floor(message.at.timestamp()), floor((message.until or message.at).timestamp())


def counts(cap: Cap, message: Pressure) -> bool:
    """Return whether ``cap`` counts ``message``: its purpose, and every scope that is given."""
    return (
        message.purpose in cap.purposes
        and cap.channel in {None, message.channel}
        and cap.category in {None, message.category}
        and cap.offer_id in {None, message.offer_id}
        and cap.campaign_id in {None, message.campaign_id}
    )


def rolling(times: Iterable[Span], *, limit: int, length: int) -> Spans:
    """Return when one more message is more than ``limit`` in some window of ``length`` seconds, half open."""
    if limit == 0:
        return ALWAYS
    starts = stacked(((first - length + 1, last + 1) for first, last in times), limit)
    return union((start, end - 1 + length) for start, end in starts)


def calendar(times: Iterable[Span], *, limit: int, zones: tuple[str, ...], days: Days, period: Period) -> Spans:
    """Return when one more message is more than ``limit`` in its local ``period``, in any of ``zones``."""
    if limit == 0:
        return ALWAYS
    known = list(times)
    return union(span for name in zones for span in _full(known, limit, periods(name, days, period)))


def _full(times: list[Span], limit: int, found: Periods) -> Iterator[Span]:
    """Yield the spans of the periods that hold ``limit`` of ``times``; one that may go in two counts in both."""
    tally = Counter(period for first, last in times for period in found.touched(first, last))
    for period, count in tally.items():
        if count >= limit:
            yield from found.spans[period]


def cap_spans(cap: Cap, messages: Messages, situation: Situation) -> Spans:
    """Return when one more message would overrun ``cap``."""
    if cap.rolling:
        length = int(cap.rolling.total_seconds())
        near = [span for message, span in messages.within(length) if counts(cap, message)]
        return rolling(near, limit=cap.limit, length=length) if len(near) >= cap.limit else ()
    period: Period = cap.window  # type: ignore[assignment]  # Cap has checked: not rolling is calendar
    times = [shown(message) for message in messages.all if counts(cap, message)]
    if len(times) < cap.limit:
        return ()
    return calendar(times, limit=cap.limit, zones=situation.zones, days=situation.days, period=period)


def channel_caps(situation: Situation, messages: Messages, channel: str) -> Iterator[Block]:
    """Yield what the caps forbid that bind every offer on ``channel``, the customer's weekly limit among them."""
    for cap in situation.policy.caps:
        if not (cap.offer_id or cap.category) and _binds(cap, situation, channel):
            yield Block(code=Code.CAP, spans=messages.blocked(cap, situation), detail=cap.name)
    preference = situation.state.preference
    if preference and preference.max_per_week is not None and situation.marketing:
        cap = Cap(limit=preference.max_per_week, window="7d")
        yield Block(code=Code.PREFERENCE_CAP, spans=messages.blocked(cap, situation), detail=cap.name)


def offer_caps(situation: Situation, messages: Messages, offer: Offer, channel: str) -> Iterator[Block]:
    """Yield what the policy's caps on this offer or its category forbid, and the offer's own."""
    for cap in situation.policy.caps:
        scoped = cap.offer_id or cap.category
        fits = cap.offer_id in {None, offer.offer_id} and cap.category in {None, offer.category}
        if scoped and fits and _binds(cap, situation, channel):
            yield Block(code=Code.CAP, spans=messages.blocked(cap, situation), detail=cap.name)
    for cap in situation.catalogue.own_caps[offer.offer_id]:
        if _binds(cap, situation, channel):
            spans = messages.blocked(cap, situation)
            yield Block(code=Code.CAP, spans=spans, offer_id=offer.offer_id, detail=cap.name)


def _binds(cap: Cap, situation: Situation, channel: str) -> bool:
    ask = situation.ask
    return (
        ask.purpose in cap.purposes
        and cap.channel in {None, channel}
        and cap.campaign_id in {None, ask.campaign_id}
    )


def gaps(situation: Situation, messages: Messages, channel: str) -> Iterator[Block]:
    """Yield what is too close to another message, over all channels and on this one."""
    policy = situation.policy
    if situation.ask.purpose not in policy.gap_purposes:
        return
    for hours, where in ((policy.min_gap_hours, None), (policy.channel_gap_hours.get(channel, 0.0), channel)):
        if hours > 0:
            spans = messages.too_close(hours, where, policy)
            yield Block(code=Code.MIN_GAP, spans=spans, channel=where, detail=f"{hours:g}h")


def cooldowns(situation: Situation, messages: Messages, offer: Offer) -> Iterator[Block]:
    """Yield the rest after the same offer was sent (before it too, where it is reserved) or taken up."""
    rest = situation.policy.cooldowns
    sent = ceil(max(rest.after_sent_days, offer.cooldown_days) * DAY)
    converted = ceil(max(rest.after_conversion_days, offer.cooldown_days) * DAY)
    times = messages.of_offer(offer.offer_id) if sent else []
    taken = []
    for exposure in situation.state.exposures:
        if exposure.offer_id == offer.offer_id:
            times += [(floor(at), ceil(at)) for at in _seconds(exposure.last_sent)]
            taken += [(floor(at), ceil(at) + converted) for at in _seconds(exposure.last_converted)]
    spans = union([*taken, *(rolling(times, limit=1, length=sent) if sent else ())])
    if spans:
        yield Block(code=Code.COOLDOWN, spans=spans, offer_id=offer.offer_id)


def exclusivity(situation: Situation, messages: Messages, offer: Offer) -> Iterator[Block]:
    """Yield the moments near a message with another offer of the same exclusivity group."""
    length = ceil(situation.policy.cooldowns.exclusivity_days * DAY)
    if offer.exclusivity_group is None or not length:
        return
    times = [time for other in situation.catalogue.rivals[offer.offer_id] for time in messages.of_offer(other)]
    if times:
        spans = rolling(times, limit=1, length=length)
        yield Block(code=Code.EXCLUSIVITY, spans=spans, offer_id=offer.offer_id, detail=offer.exclusivity_group)


def smart_pause(situation: Situation, messages: Messages, channel: str) -> Iterator[Block]:
    """Yield the pause after too many marketing messages in a row without an answer."""
    rule = situation.policy.smart_pause
    if rule is None or not situation.marketing:
        return
    past = [
        message
        for message in messages.all
        if message.purpose == "marketing"
        and message.at <= situation.now
        and (not rule.per_channel or message.channel == channel)
    ]
    row = past[-rule.after :]
    if len(row) == rule.after and all(message.responded is False for message in row):
        last = floor(row[-1].at.timestamp())
        spans = ((last, ceil(row[-1].at.timestamp()) + ceil(rule.days * DAY)),)
        yield Block(code=Code.SMART_PAUSE, spans=spans, channel=channel if rule.per_channel else None)


def _seconds(moment: datetime | None) -> list[float]:
    return [moment.timestamp()] if moment else []
