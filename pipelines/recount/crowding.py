"""Too many, too close, too soon again: caps, gaps, rests, and the customer's own weekly limit."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from pipelines.recount.windows import SECOND, collide, overrun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipelines.recount.history import Message
    from pipelines.recount.rules import Promise
    from pipelines.recount.views import View

_SCOPES = ("channel", "category", "offer_id", "campaign_id")
_DAY = 86_400
_HOUR = 3_600


def crowding(view: View) -> Iterator[tuple[Promise, str]]:
    """Yield each promise about other messages that this one breaks, with the rule."""
    yield from (("caps", rule) for rule in _caps(view))
    yield from (("gaps", rule) for rule in _gaps(view))
    yield from (("rests", rule) for rule in _rests(view))
    own = view.person.wish.get("max_per_week")
    if own is not None and _overruns(view, {"limit": own, "window": "7d"}):
        yield "wishes", f"{own} per week, the customer's own limit"


def _caps(view: View) -> Iterator[str]:
    for cap in view.rules.caps:
        if _overruns(view, cap):
            scopes = [cap[name] for name in _SCOPES if cap.get(name)]
            yield "/".join([f"{cap['limit']} per {cap['window']}", *scopes])


def _overruns(view: View, cap: Mapping[str, Any]) -> bool:
    if not _counted(cap, [view.message]):
        return False
    stays = [each.as_known(view.seq) for each in _counted(cap, view.others)]
    return overrun(cap, view.stay, stays, view.zones)


def _counted(cap: Mapping[str, Any], messages: Sequence[Message]) -> list[Message]:
    """Return those of ``messages`` that count towards ``cap``."""
    counted = [each for each in messages if each.purpose in cap.get("purposes", ("marketing",))]
    for name in _SCOPES:
        if cap.get(name) is not None:
            counted = [each for each in counted if getattr(each, name) == cap[name]]
    return counted


def _gaps(view: View) -> Iterator[str]:
    message, purposes = view.message, view.rules.gap_purposes
    if message.purpose not in purposes:
        return
    near = [each for each in view.others if each.purpose in purposes]
    for hours, channel in view.rules.gaps:
        on_channel = [each for each in near if channel in (None, each.channel)]
        if channel in (None, message.channel) and _meets(view, on_channel, ceil(hours * _HOUR)):
            yield f"{hours:g} h between messages" + (f" on {channel}" if channel else "")


def _rests(view: View) -> Iterator[str]:
    rests, offer = view.rules.rests, view.message.offer_id
    if offer is None:
        return
    own = rests.own.get(offer, 0)
    if _meets(view, _with_offers(view, {offer}), ceil(max(rests.after_sent, own) * _DAY)):
        yield f"{max(rests.after_sent, own):g} d between messages with one offer"
    taken_up = view.person.converted.get(offer)
    days = max(rests.after_conversion, own)
    if taken_up is not None and taken_up <= view.stay[1] and view.stay[0] < taken_up + ceil(days * _DAY) * SECOND:
        yield f"{days:g} d after a conversion"
    group = rests.groups.get(offer)
    rivals = {other for other, theirs in rests.groups.items() if group and theirs == group and other != offer}
    if _meets(view, _with_offers(view, rivals), ceil(rests.exclusive * _DAY)):
        yield f"{rests.exclusive:g} d between offers of group {group}"


def _with_offers(view: View, offers: set[str]) -> list[Message]:
    return [each for each in view.others if each.offer_id in offers]


def _meets(view: View, others: Iterable[Message], seconds: int) -> bool:
    stays = [each.as_known(view.seq) for each in others]
    return seconds > 0 and collide(view.stay, stays, limit=1, seconds=seconds)
