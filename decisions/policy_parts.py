"""The parts of a policy that have a shape of their own: quiet hours, days off, exploration, experiments."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from decisions.layers import PARTS, Parts, overlap, size
from features.contracts import Channel, Purpose
from features.contracts.words import LOOK_BACK_DAYS, Contract, Id, WallOrMoment

_ROUNDED = 10  # parts: shares are rounded one by one, and the last of a full layer takes what is left


class Scoped(Contract):
    """A rule for some messages."""

    channels: tuple[Channel, ...] = ()
    """Which channels it binds; empty: every channel."""
    purposes: tuple[Purpose, ...] = ("marketing", "service")
    """Which messages it binds."""

    def binds(self, channel: str, purpose: str) -> bool:
        """Return whether the rule is about messages of ``purpose`` on ``channel``."""
        return purpose in self.purposes and (not self.channels or channel in self.channels)


_TIME_OF_DAY = re.compile(r"([0-9]|[01][0-9]|2[0-3]):([0-5][0-9])|24:(00)")
_WHOLE_HOUR = re.compile(r"[0-9]|1[0-9]|2[0-4]")
_DAY_MINUTES = 24 * 60


def minute_of(hour: int | str) -> int:
    """Return the minute of the day of an :data:`Hour`: 1290 of ``21:30``."""
    hours, _, minutes = str(hour).partition(":")
    return int(hours) * 60 + int(minutes or 0)


def _hour(written: Any) -> int | str:
    """Keep a whole hour as its number and any other time of day as ``HH:MM``."""
    whole = isinstance(written, float) and written.is_integer()
    text = str(int(written) if whole else written)
    if isinstance(written, bool) or not (_TIME_OF_DAY.fullmatch(text) or _WHOLE_HOUR.fullmatch(text)):
        raise ValueError(
            f'{written!r} is no time of day: write a whole hour from 0 to 24, or hours and minutes as in "21:30"'
        )
    hours, minutes = divmod(minute_of(text), 60)
    return f"{hours:02}:{minutes:02}" if minutes else hours


Hour = Annotated[int | str, BeforeValidator(_hour)]
"""A time of day on local clocks: a whole hour from 0 to 24, or hours and minutes."""


class QuietHours(Scoped):
    """No messages while local clocks stand in [``from_hour``, ``until_hour``), over midnight where from > until.

    From 0 until 24 is the whole day. Two equal hours are refused: they could mean the whole day or nothing.
    """

    from_hour: Hour
    """When it begins: ``21``, or ``21:30``."""
    until_hour: Hour
    """The first time after it, the next day's where it is the smaller."""
    purposes: tuple[Purpose, ...] = ("marketing", "service", "transactional")
    """Which messages it binds."""

    @model_validator(mode="after")
    def _some_hours(self) -> QuietHours:
        if self.minutes != (0, _DAY_MINUTES) and len({minute % _DAY_MINUTES for minute in self.minutes}) == 1:
            raise ValueError(
                f"quiet hours from {self.from_hour} until {self.until_hour} could mean the whole day or nothing: "
                "write from_hour 0, until_hour 24 for the whole day, or leave the rule out"
            )
        return self

    @property
    def minutes(self) -> tuple[int, int]:
        """From and until as minutes of the day."""
        return minute_of(self.from_hour), minute_of(self.until_hour)


class DaysOff(Scoped):
    """Local days without messages: the weekend of the customer's country, and its public holidays.

    For a customer of unknown country the days off of all the policy's ``countries`` hold.
    """

    weekends: bool = False
    """Whether the weekend of the customer's country is off."""
    public_holidays: bool = False
    """Whether its nationwide public holidays are off."""
    purposes: tuple[Purpose, ...] = ("marketing",)
    """Which messages it binds."""


class Blackout(Scoped):
    """No messages in [``start``, ``end``): absolute where both carry an offset, else the customer's local time."""

    start: WallOrMoment
    """The first moment without messages."""
    end: WallOrMoment
    """The first moment after it."""
    name: str = ""
    """What reasons call it."""
    purposes: tuple[Purpose, ...] = ("marketing",)
    """Which messages it binds."""

    @model_validator(mode="after")
    def _starts_before_it_ends(self) -> Blackout:
        if (self.start.tzinfo is None) != (self.end.tzinfo is None):
            raise ValueError("start and end must both carry an offset (absolute), or neither (local time)")
        if self.start >= self.end:
            raise ValueError(f"blackout ends ({self.end}) before it begins ({self.start})")
        return self

    @property
    def local(self) -> bool:
        """Whether start and end are read on the customer's own clock."""
        return self.start.tzinfo is None


class SmartPause(Contract):
    """After ``after`` marketing messages in a row without an answer, none for ``days`` days from the last one.

    A message whose answer is unknown ends the row: hidden opens never trigger a pause.
    """

    after: int = Field(default=5, ge=1)
    """How many messages in a row must be without an answer."""
    days: float = Field(default=14.0, gt=0, le=LOOK_BACK_DAYS)
    """How long the pause is, from the last of them."""
    per_channel: bool = False
    """Whether each channel has a row and a pause of its own."""


class Cooldowns(Contract):
    """Rest before the same thing is said again, in days of 24 hours; 0 asks for none.

    An offer's own ``cooldown_days`` holds where it is longer.
    """

    after_sent_days: float = Field(default=0.0, ge=0, le=LOOK_BACK_DAYS)
    """Between two messages with the same offer."""
    after_conversion_days: float = Field(default=30.0, ge=0, le=LOOK_BACK_DAYS)
    """After a conversion: never offer what was just bought."""
    exclusivity_days: float = Field(default=7.0, ge=0, le=LOOK_BACK_DAYS)
    """Between messages with different offers of one exclusivity group."""


class Holdback(Contract):
    """A share of would-be sends withheld at random, so that their effect can be measured."""

    share: float = Field(default=0.05, ge=0, lt=1)
    """The probability of withholding a message that would go."""
    outcome_days: float = Field(default=7.0, gt=0)
    """How long it sticks, from the moment the message would have gone, while no clock says what is due next."""
    blocks: Literal["customer", "offer"] = "customer"
    """What gets nothing meanwhile: the customer (no substitute), or the offer and its exclusivity group."""


class Exploration(Contract):
    """How much is paid for learning; docs/policy.md has the formula."""

    loss_budget: float = Field(default=0.05, ge=0, le=1)
    """The expected loss of exploring, as a share of the best send's value: never exceeded; 0 takes the best."""
    floor: float = Field(default=0.01, ge=0, le=0.5)
    """The least probability of an option at each stage; where it conflicts with the budget, it gives way."""
    stake: float = Field(default=0.01, gt=0)
    """The value in the policy's currency that the loss is a share of, where the best send is worth less."""
    options: int = Field(default=8, ge=1, le=8)
    """How many offer × channel pairs are in the running."""


class Frequency(Contract):
    """How often to write follows from each customer's best interval, once that is learned; caps bind as ever."""

    enabled: bool = True
    """Whether a message that comes before its interval is over is refused as not due."""
    explore_share: float = Field(default=0.1, ge=0, le=1)
    """The share of customers and periods whose interval is longer or shorter, to learn what frequency does."""
    factor: float = Field(default=1.5, ge=1, le=4)
    """How many times longer or shorter: half of the share each."""
    period_days: int = Field(default=28, ge=1, le=LOOK_BACK_DAYS)
    """How long a customer keeps what was drawn."""


class Displacement(Contract):
    """Whether a much better message may take the place of an unconfirmed one; docs/policy.md has the rule."""

    enabled: bool = True
    """Whether it may at all."""
    ratio: float = Field(default=1.5, ge=1)
    """How many times what keeping the place is worth it must be worth (and at least exploration's ``stake``)."""


class Arm(Contract):
    """One arm: its weight among the arms, and the part of the policy it changes (nothing: the control)."""

    name: Id
    """What reports call it."""
    weight: float = Field(default=1.0, gt=0)
    """Its part of the experiment's customers, relative to the other arms."""
    policy: dict[str, Any] = Field(default_factory=dict)
    """Keys of the policy that are other in this arm; ``experiments`` and ``daily_budget`` are shared by all."""


class Experiment(Contract):
    """A comparison of arms on a ``share`` of the customers.

    Experiments of one ``layer`` never share a customer; those of different layers are independent.
    """

    experiment_id: Id
    """The experiment's name; another name draws other arms."""
    arms: tuple[Arm, ...] = Field(min_length=2)
    """What is compared."""
    share: float = Field(default=1.0, gt=0, le=1)
    """The share of the customers that takes part; what ``places`` hold together, where they are given."""
    layer: Id | None = None
    """Experiments of one layer share no customer; without a name it is a layer of its own."""
    places: tuple[tuple[float, float], ...] = ()
    """Which stretches of the layer, from 0 to 1, it takes; without them it takes what is free, and keeps it."""

    @property
    def in_layer(self) -> str:
        """The layer, which is the experiment's own where none is named."""
        return self.layer or self.experiment_id

    @property
    def wanted(self) -> int:
        """How many of a layer's parts the share is: one at least."""
        return max(1, round(self.share * PARTS))

    @property
    def parts(self) -> Parts:
        """The ``places`` in parts of the layer."""
        return tuple((round(start * PARTS), round(end * PARTS)) for start, end in self.places)

    @model_validator(mode="before")
    @classmethod
    def _places_say_the_share(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and raw.get("places") and "share" not in raw:
            try:
                return {**raw, "share": sum(end - start for start, end in raw["places"])}
            except (TypeError, ValueError):
                return raw  # what is wrong with them is said by their own type
        return raw

    @field_validator("places")
    @classmethod
    def _places_lie_in_the_layer(cls, places: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        if any(not 0 <= start < end <= 1 for start, end in places):
            raise ValueError(f"places {list(places)}: each is a start and a later end between 0 and 1")
        if overlap(places):
            raise ValueError(f"places {list(places)} overlap each other")
        return places

    @model_validator(mode="after")
    def _places_are_the_share(self) -> Experiment:
        if self.places and abs(size(self.parts) - self.wanted) > _ROUNDED:
            raise ValueError(
                f"places {list(self.places)} hold {size(self.parts) / PARTS:g} of the layer, share says "
                f"{self.share:g}: leave share out"
            )
        return self

    @model_validator(mode="after")
    def _arms_differ(self) -> Experiment:
        names = [arm.name for arm in self.arms]
        if len(names) != len(set(names)):
            raise ValueError(f"arms {names} must have different names")
        return self
