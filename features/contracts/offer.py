"""What can be said: offers, the campaigns that carry them, and the caps that limit both."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from features.contracts.words import LOOK_BACK_DAYS, Channel, Contract, Id, Purpose, UtcDatetime

_ROLLING = re.compile(r"^([1-9][0-9]{0,3})([hdw])$")
_UNIT = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}

CALENDAR_WINDOWS = ("day", "week", "month")


@lru_cache(maxsize=256)
def _length(window: str) -> timedelta | None:
    match = _ROLLING.match(window)
    return int(match[1]) * _UNIT[match[2]] if match else None


def _known_window(text: str) -> str:
    length = _length(text)
    if length and length > timedelta(days=LOOK_BACK_DAYS):
        raise ValueError(f"window {text!r} is longer than the {LOOK_BACK_DAYS} days that decisions look back")
    if length or text in CALENDAR_WINDOWS:
        return text
    raise ValueError(
        f"window {text!r} is neither rolling (like '24h', '7d', '2w') nor calendar (day, week, month)"
    )


Window = Annotated[str, AfterValidator(_known_window)]


class Cap(Contract):
    """At most ``limit`` messages per ``window``, counting what matches every scope that is given.

    A rolling window (``7d``) is half open and measured to the second; a calendar window (``day``, ``week``
    from Monday, ``month``) follows the customer's own zone. To switch a cap off, leave it out.
    """

    limit: int = Field(ge=0)
    """How many messages; 0 means none."""
    window: Window
    """A rolling window (``24h``, ``7d``, ``2w``; 400 days at most), or ``day``, ``week``, ``month``."""
    channel: Channel | None = None
    """Count messages on this channel only."""
    category: Id | None = None
    """Count messages with offers of this category only."""
    offer_id: Id | None = None
    """Count messages with this offer only."""
    campaign_id: Id | None = None
    """Count messages of this campaign only."""
    purposes: tuple[Purpose, ...] = ("marketing",)
    """Which messages it counts and binds."""

    @property
    def rolling(self) -> timedelta | None:
        """The length of a rolling window, or None for a calendar one."""
        return _length(self.window)

    @property
    def name(self) -> str:
        """What the cap is called in reasons: its limit, window and scopes."""
        scopes = (self.channel, self.category, self.offer_id, self.campaign_id)
        return "/".join([f"{self.limit} per {self.window}", *(s for s in scopes if s)])


class Offer(Contract):
    """One thing to offer. Amounts are in the policy's currency."""

    offer_id: Id
    """The offer's name in decisions, events and reports."""
    category: Id
    """What it is about: caps and models know it."""
    channels: tuple[Channel, ...] = Field(min_length=1)
    """Where it can be said."""
    margin: float = Field(ge=0)
    """The gross margin of one conversion."""
    incentive_cost: float = Field(default=0.0, ge=0)
    """What one redemption costs, paid to all who redeem, whether the message moved them or not."""
    send_cost: dict[Channel, float] = Field(default_factory=dict)
    """What one message costs, by channel."""
    valid_from: UtcDatetime | None = None
    """The first moment at which it may be sent."""
    valid_until: UtcDatetime | None = None
    """The first moment at which it may no longer be sent."""
    eligibility: str | None = None
    """An expression that must hold for the customer (docs/expressions.md)."""
    caps: tuple[Cap, ...] = ()
    """Caps on this offer alone."""
    cooldown_days: int = Field(default=0, ge=0, le=LOOK_BACK_DAYS)
    """Rest between two messages with it, where that is longer than the policy's."""
    exclusivity_group: Id | None = None
    """Offers of one group exclude each other for a time (``cooldowns``)."""
    variables: dict[str, str] = Field(default_factory=dict)
    """The message's placeholders, with the fallback used where nothing better is known."""

    @model_validator(mode="after")
    def _valid_for_some_time(self) -> Offer:
        if self.valid_from and self.valid_until and self.valid_from >= self.valid_until:
            raise ValueError(f"offer {self.offer_id!r} ends (valid_until) before it begins (valid_from)")
        return self


class Campaign(Contract):
    """A reason to talk: which offers, to whom, how urgently."""

    campaign_id: Id
    """The campaign's name in questions, decisions and reports."""
    purpose: Purpose = "marketing"
    """What its messages are for."""
    schedule: Literal["always"] | None = "always"
    """When it runs. Kept for the record; deciding does not read it."""
    trigger: str | None = None
    """The event that starts it. Kept for the record; deciding does not read it."""
    audience: str | None = None
    """An expression that must hold for the customer (docs/expressions.md)."""
    offers: tuple[Id, ...] = ()
    """The offers it carries; empty: all of the catalogue."""
    priority: int = 0
    """How urgent it is beside others. Kept for the record; deciding does not read it."""
    ttl_hours: int = Field(default=168, ge=1)
    """How long an answer stays valid."""
