"""Caps, gaps and quiet hours once more, one moment at a time: slow, plain, and sharing no code with the rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

SCOPES = ("channel", "category", "offer_id", "campaign_id")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message that went at ``at``, or may still go until ``until``."""

    at: datetime
    until: datetime
    channel: str = "email"
    purpose: str = "marketing"
    category: str | None = "drinks"
    offer_id: str | None = "tea"
    campaign_id: str | None = None


def too_many(cap: dict[str, Any], t: datetime, mine: Message, others: list[Message], zones: list[str]) -> bool:
    """Whether ``mine``, going at ``t``, may be one more than the cap allows, wherever the others go."""
    if not _scoped(cap, mine):
        return False
    counted = [each for each in others if _scoped(cap, each)]
    if cap["limit"] == 0:
        return True
    if cap["window"] in ("day", "week", "month"):
        return any(_in_period(cap["window"], t, counted, zone) >= cap["limit"] for zone in zones)
    window = int(cap["window"][:-1]) * _UNITS[cap["window"][-1]]
    starts = [s for s in [t, *(each.until for each in counted)] if s <= t < s + window]
    return any(sum(each.at < s + window and each.until >= s for each in counted) >= cap["limit"] for s in starts)


def _scoped(cap: dict[str, Any], message: Message) -> bool:
    if message.purpose not in cap.get("purposes", ("marketing",)):
        return False
    return all(cap.get(name) in (None, getattr(message, name)) for name in SCOPES)


def _in_period(period: str, t: datetime, others: list[Message], zone: str) -> int:
    here = period_of(t, period, zone)
    return sum(period_of(each.at, period, zone) <= here <= period_of(each.until, period, zone) for each in others)


@lru_cache(maxsize=100_000)
def period_of(moment: datetime, period: str, zone: str) -> tuple[int, ...]:
    day = moment.astimezone(ZoneInfo(zone)).date()
    return {"day": (day.toordinal(),), "week": day.isocalendar()[:2], "month": (day.year, day.month)}[period]


def too_close(hours: float, t: datetime, others: list[Message]) -> bool:
    """Whether ``t`` is less than ``hours`` (0: no gap is asked for) from a moment at which another may go."""
    gap = timedelta(hours=hours)
    return hours > 0 and any(each.at - gap < t < each.until + gap for each in others)


def is_quiet(t: datetime, start: str, end: str, zones: list[str]) -> bool:
    """Whether a clock in any of ``zones`` stands in the quiet hours, from and until ``HH:MM``."""
    shown = [t.astimezone(ZoneInfo(zone)).strftime("%H:%M") for zone in zones]
    return any(start <= now < end if start <= end else now >= start or now < end for now in shown)
