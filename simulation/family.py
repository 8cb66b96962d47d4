"""What tells one kind of world from another: every number that people's traits and reactions are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Log = Literal["messages", "emails"]
"""The public log a family is matched to: 708 million messages of a shop, or 14.9 million e-mails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """When people look.

    ``clusters``: 0 draws everybody's mixture of habits at random; otherwise people gather around so many. ``own``
    is how far a person strays from their cluster. ``drift_days`` is how long habits take to turn and come back.
    ``pull`` is how much the hour of a message matters for whether it is seen: 0 not at all, 1 as much as
    attention.
    """

    clusters: int = 5
    own: float = 0.25
    drift_days: float = 240.0
    pull: float = 0.3

    def __post_init__(self) -> None:
        """Refuse what no habits are drawn from.

        Raises:
            ValueError: for such a number.
        """
        if not (0 <= self.pull <= 1 and 0 <= self.own <= 1 and self.clusters >= 0 and self.drift_days > 0):
            raise ValueError(
                f"{self}: pull and own are shares (0 to 1), clusters is 0 or more, drift_days is above 0"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Who sees, clicks and leaves, by channel in the order of :data:`simulation.shop.CHANNELS`.

    ``seen`` and ``click`` (of those who saw) are means over people, ``spread`` the log-normal spread between them.
    ``left`` and ``complained`` are chances per message, ``growth`` the factor on them per unit of pressure.
    ``ordered`` is the chance of a click where an order follows: the other orders find their own way to the shop.
    """

    seen: tuple[float, float, float]
    click: tuple[float, float, float]
    spread: float
    left: tuple[float, float, float]
    complained: float
    hard_bounce: float
    soft_bounce: float
    growth: float = 1.25
    ordered: float = 0.25
    delays: tuple[tuple[float, float, float], ...] = ((0.295, 0.4, 1.0), (0.463, 9.0, 1.1), (0.242, 103.0, 1.0))
    """A mixture of (share, median hours, log-spread) in which a message stays worth looking at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a message that is seen truly adds.

    ``lift`` is the mean of extra orders per message seen; ``spread`` its log-normal spread between people and
    offers.
    ``sure`` are people who buy and redeem anyway, ``averse`` people whom messages put off: shares of all.
    ``daypart`` is the interaction of offer and slot: the factor, up or down, of an offer in and out of its part
    of the day. ``carried`` is how far what people buy of their own accord tells what moves them: the exponent of
    each one's relative taste for an offer's category in their lift.
    """

    lift: float = 0.05
    spread: float = 0.7
    taste: float = 1.0
    sure: float = 0.2
    averse: float = 0.1
    redeem_anyway: float = 0.015
    daypart: float = 0.0
    carried: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wear:
    """What pressure does. A message weighs 1 and halves every ``half_life_days``; all effects are never positive.

    ``response`` is the relative loss of being seen per unit of pressure, ``spread`` its spread between people;
    ``churn`` the chance that a message under one unit of pressure ends the customer's life with the shop.
    """

    response: float = 0.12
    spread: float = 0.4
    half_life_days: float = 5.0
    churn: float = 0.00006


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """Ordinary life without messages: orders and sessions a day, how people differ, how they leave."""

    orders: float = 0.035
    orders_spread: float = 0.8
    sessions: float = 0.3
    sessions_spread: float = 0.6
    basket_spread: float = 0.4
    yearly_churn: float = 0.25
    value_days: int = 365
    """How far ahead a lost customer's margin counts as lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What stands between the truth and the log. Shares of people (``proxies``, ``bots``), then of events.

    ``unclaimed`` is the share of orders a message brought (or that redeem it) which the log does not name it for,
    ``claimed`` the share of ordinary orders within ``claim_days`` of a message that the log names it for.
    """

    proxies: float = 0.15
    bots: float = 0.02
    late: float = 0.03
    lost: float = 0.01
    zone_unknown: float = 0.05
    unclaimed: float = 0.0
    claimed: float = 0.0
    claim_days: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of regime on ``day``: habits turn by ``hours``, channels swap attention, ``lift`` is multiplied."""

    day: int
    hours: int
    channels: tuple[int, int, int]
    lift: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse a change that loses a channel.

        Raises:
            ValueError: for such a change.
        """
        if sorted(self.channels) != [0, 1, 2]:
            raise ValueError(f"channels swap as {self.channels}: name each of 0, 1 and 2 once")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """A season from ``day`` on, for so many ``days``: ``orders`` times as many ordinary orders.

    As many more redeem what a message offers; what messages add stays as it is.
    """

    day: int
    days: int
    orders: float

    def __contains__(self, day: int) -> bool:
        """Return whether ``day`` is in season."""
        return self.day <= day < self.day + self.days


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A kind of world.

    ``tolerances`` bound, by figure, the relative distance of its history from the log it is matched to.
    """

    name: str
    says: str
    matched_to: Log
    attention: Attention
    rhythm: Rhythm = Rhythm()
    effect: Effect = Effect()
    wear: Wear = Wear()
    life: Life = Life()
    noise: Noise = Noise()
    change: Change | None = None
    peak: Peak | None = None
    alike: bool = False
    """Nobody differs from anybody in how they react."""
    aim: float = 1.0
    """How closely the sender before follows people's attention; below 0, who looks less gets more."""
    tolerances: Mapping[str, float] = field(default_factory=dict)
