"""Caps, gaps, cooldowns and exclusivity: what the messages already sent or reserved forbid, before and after them.

A message at t is too much if *any* window that holds t holds ``limit`` others. Messages look both ways: one
reserved for Friday counts for a Thursday send. A reservation may still go anywhere between its ``at`` and its
``until``, so that it counts in every window it could fall into.

For a rolling window of W seconds [s, s + W): message i, going in [aᵢ, bᵢ], may fall into it for s in
(aᵢ − W, bᵢ]. Where ``limit`` of these stretches overlap, at s in (a − W, b], every t in (a − W, b + W) is too much.
"""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

from decisions.eligibility.codes import Code
from decisions.eligibility.situation import Block
from decisions.localtime import DAY, HOUR, Days, Period, periods
from decisions.records import Pressure
from decisions.spans import ALWAYS, Span, Spans, stacked, union
from features.contracts import Cap, Offer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from decisions.eligibility.situation import Situation


Messages = tuple[Pressure, ...]
"""One customer's messages, oldest first."""


def going(message: Pressure) -> Span:
    """Return the whole seconds that enclose the moments at which ``message`` went or may still go."""
    return floor(message.at.timestamp()), ceil((message.until or message.at).timestamp())


def shown(message: Pressure) -> Span:
    """Return the first and last second that a clock shows while ``message`` goes."""
    return floor(message.at.timestamp()), floor((message.until or message.at).timestamp())


def counts(cap: Cap, message: Pressure) -> bool:
    """Return whether ``cap`` counts ``message``: its purpose, and every scope that is given."""
    scopes = (
        (cap.channel, message.channel),
        (cap.category, message.category),
        (cap.offer_id, message.offer_id),
        (cap.campaign_id, message.campaign_id),
    )
    return message.purpose in cap.purposes and all(want in (None, has) for want, has in scopes)


def binds(cap: Cap, situation: Situation, offer: Offer, channel: str) -> bool:
    """Return whether ``cap`` is about sending ``offer`` on ``channel`` for this purpose and campaign."""
    scopes = (
        (cap.channel, channel),
        (cap.category, offer.category),
        (cap.offer_id, offer.offer_id),
        (cap.campaign_id, situation.ask.campaign_id),
    )
    return situation.ask.purpose in cap.purposes and all(want in (None, has) for want, has in scopes)


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
    full = (
        span
        for name in zones
        for spans in periods(name, days, period)
        if sum(_touches(time, spans) for time in known) >= limit
        for span in spans
    )
    return union(full)


def _touches(time: Span, spans: Spans) -> bool:
    first, last = time
    return any(start <= last and first < end for start, end in spans)


def cap_block(cap: Cap, messages: Messages, situation: Situation) -> Spans:
    """Return when one more message would overrun ``cap``."""
    counted = [message for message in messages if counts(cap, message)]
    if len(counted) < cap.limit:
        return ()
    if cap.rolling:
        return rolling(map(going, counted), limit=cap.limit, length=int(cap.rolling.total_seconds()))
    period: Period = cap.window  # type: ignore[assignment]  # Cap has checked: not rolling is calendar
    times = map(shown, counted)
    return calendar(times, limit=cap.limit, zones=situation.zones, days=situation.days, period=period)


def caps(situation: Situation, messages: Messages, offer: Offer, channel: str) -> Iterator[Block]:
    """Yield what the policy's caps, the offer's own and the customer's weekly limit forbid."""
    for cap in situation.policy.caps:
        if binds(cap, situation, offer, channel):
            yield Block(code=Code.CAP, spans=cap_block(cap, messages, situation), detail=cap.name)
    for own in offer.caps:
        cap = own.model_copy(update={"offer_id": offer.offer_id})
        if binds(cap, situation, offer, channel):
            spans = cap_block(cap, messages, situation)
            yield Block(code=Code.CAP, spans=spans, offer_id=offer.offer_id, detail=own.name)
    preference = situation.state.preference
    if preference and preference.max_per_week is not None and situation.marketing:
        cap = Cap(limit=preference.max_per_week, window="7d")
        yield Block(code=Code.PREFERENCE_CAP, spans=cap_block(cap, messages, situation), detail=cap.name)


def gaps(situation: Situation, messages: Messages, channel: str) -> Iterator[Block]:
    """Yield what is too close to another message, over all channels and on this one."""
    policy = situation.policy
    if situation.ask.purpose not in policy.gap_purposes:
        return
    limits = ((policy.min_gap_hours, None), (policy.channel_gap_hours.get(channel, 0.0), channel))
    for hours, where in limits:
        if hours > 0:
            counted = Cap(limit=1, window="1h", channel=where, purposes=policy.gap_purposes)
            near = (going(message) for message in messages if counts(counted, message))
            spans = rolling(near, limit=1, length=ceil(hours * HOUR))
            yield Block(code=Code.MIN_GAP, spans=spans, channel=where, detail=f"{hours:g}h")


def cooldowns(situation: Situation, messages: Messages, offer: Offer) -> Iterator[Block]:
    """Yield the rest after the same offer was sent (before it too, where it is reserved) or taken up."""
    rest = situation.policy.cooldowns
    sent = ceil(max(rest.after_sent_days, offer.cooldown_days) * DAY)
    converted = ceil(max(rest.after_conversion_days, offer.cooldown_days) * DAY)
    times = [going(message) for message in messages if message.offer_id == offer.offer_id]
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
    others = {
        each.offer_id
        for each in situation.catalogue.offers
        if each.exclusivity_group == offer.exclusivity_group and each.offer_id != offer.offer_id
    }
    times = [going(message) for message in messages if message.offer_id in others]
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
        for message in messages
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
