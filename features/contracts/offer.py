"""What can be said: offers, the campaigns that carry them, and the caps that limit both."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from features.contracts.words import Channel, Contract, Id, Purpose, UtcDatetime

_ROLLING = re.compile(r"^([1-9][0-9]{0,3})([hdw])$")
_UNIT = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}

CALENDAR_WINDOWS = ("day", "week", "month")


def _known_window(text: str) -> str:
    if text in CALENDAR_WINDOWS or _ROLLING.match(text):
        return text
    raise ValueError(
        f"window {text!r} is neither rolling (like '24h', '7d', '2w') nor calendar (day, week, month)"
    )


Window = Annotated[str, AfterValidator(_known_window)]


class Cap(Contract):
    """At most ``limit`` messages per ``window``, counting what matches every scope that is given.

    A rolling window (``7d``) is half open and measured to the second; a calendar window (``day``, ``week``
    from Monday, ``month``) follows the customer's own zone. A ``limit`` of 0 means none; to switch a cap off,
    leave it out. ``purposes`` names what the cap counts and binds (default: marketing only).
    """

    limit: int = Field(ge=0)
    window: Window
    channel: Channel | None = None
    category: Id | None = None
    offer_id: Id | None = None
    campaign_id: Id | None = None
    purposes: tuple[Purpose, ...] = ("marketing",)

    @property
    def rolling(self) -> timedelta | None:
        """The length of a rolling window, or None for a calendar one."""
        match = _ROLLING.match(self.window)
        return int(match[1]) * _UNIT[match[2]] if match else None

    @property
    def name(self) -> str:
        """What the cap is called in reasons: its limit, window and scopes."""
        scopes = (self.channel, self.category, self.offer_id, self.campaign_id)
        return "/".join([f"{self.limit} per {self.window}", *(s for s in scopes if s)])


class Offer(Contract):
    """One thing to offer.

    ``margin`` is the gross margin of one conversion, ``incentive_cost`` what one redemption costs (paid to all
    who redeem, whether the message moved them or not), ``send_cost`` the cost of one message per channel, all
    in the policy's currency. ``eligibility`` is an expression of the kept language (docs/expressions.md).
    ``variables`` are the message's placeholders with the fallback used where nothing better is known.
    """

    offer_id: Id
    category: Id
    channels: tuple[Channel, ...] = Field(min_length=1)
    margin: float = Field(ge=0)
    incentive_cost: float = Field(default=0.0, ge=0)
    send_cost: dict[Channel, float] = Field(default_factory=dict)
    valid_from: UtcDatetime | None = None
    valid_until: UtcDatetime | None = None
    eligibility: str | None = None
    caps: tuple[Cap, ...] = ()
    cooldown_days: int = Field(default=0, ge=0)
    exclusivity_group: Id | None = None
    variables: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _valid_for_some_time(self) -> Offer:
        if self.valid_from and self.valid_until and self.valid_from >= self.valid_until:
            raise ValueError(f"offer {self.offer_id!r} ends (valid_until) before it begins (valid_from)")
        return self


class Campaign(Contract):
    """A reason to talk: which offers, to whom, how urgently. ``ttl_hours`` is how long an answer stays valid."""

    campaign_id: Id
    purpose: Purpose = "marketing"
    schedule: Literal["always"] | None = "always"
    trigger: str | None = None
    audience: str | None = None
    offers: tuple[Id, ...] = ()
    priority: int = 0
    ttl_hours: int = Field(default=168, ge=1)
