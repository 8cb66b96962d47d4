"""How a mapping writes one value: text with columns in braces, and the few things done to it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from features.contracts.words import TimeZone
from features.importing.formats import check_date, check_moment

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")

Scalar = str | int | float | bool
Kind = Literal["text", "number", "integer", "boolean"]
Decimal = Literal[".", ","]


class Part(BaseModel):
    """Base of every part of a mapping: frozen, and a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _kind(value: Scalar) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "number"


def pieces(text: str) -> list[tuple[str, str | None]]:
    """Split text into pairs of literal text and the column that follows it (None at the end).

    >>> pieces("{household}:{basket}")
    [('', 'household'), (':', 'basket'), ('', None)]
    """
    split = _PLACEHOLDER.split(text)
    columns: list[str | None] = [*split[1::2], None]
    return list(zip(split[::2], columns, strict=True))


def _as_mapping(raw: Any) -> Any:
    """Let a bare scalar stand for ``{value: scalar}``, and name the commonest slip of the pen."""
    if isinstance(raw, str | int | float):
        return {"value": raw}
    if isinstance(raw, dict) and len(raw) == 1 and next(iter(raw.values())) is None:
        name = next(iter(raw))
        raise ValueError(f'YAML reads {{{name}}} without quotes as a mapping: write "{{{name}}}"')
    return raw


class Plain(Part):
    """A constant, a column (``"{column}"`` keeps its type) or a template of both (always text).

    ``map`` translates values; one it does not name becomes ``otherwise`` where that is given, else the row is
    quarantined. ``default`` stands where the value is null. ``as`` converts. ``decimal`` parts the fraction from a
    number in text; a value has it from the file whose column it reads.
    """

    value: Scalar
    map: dict[Scalar, Scalar] | None = Field(default=None, min_length=1)
    otherwise: Scalar | None = None
    default: Scalar | None = None
    as_: Kind | None = Field(default=None, alias="as")
    decimal: Decimal | None = None

    @model_validator(mode="after")
    def _otherwise_needs_a_map(self) -> Plain:
        if "otherwise" in self.model_fields_set and self.map is None:
            raise ValueError("otherwise says what a value becomes that the map does not name: give a map too")
        return self

    @model_validator(mode="after")
    def _a_map_leads_to_one_kind(self) -> Plain:
        given = (*(self.map or {}).values(), self.otherwise)
        ends = [each for each in given if each is not None] if self.map else []
        for first, other in pairwise(ends):
            if _kind(other) != _kind(first):
                raise ValueError(
                    f"map leads to {first!r} and to {other!r}, which are of two kinds: quote both, or neither"
                )
        return self

    @property
    def constants(self) -> tuple[Scalar, ...]:
        """What of it stands in the mapping itself and can become the value."""
        given = (*(self.map or {}).values(), self.otherwise, self.default)
        return tuple(each for each in (*given, *(() if self.map else (self.value,))) if each is not None)


class Product(Part):
    """The product of numbers and columns: ``["{price}", "{quantity}", 0.01]``."""

    product: tuple[str | int | float, ...] = Field(min_length=2)
    decimal: Decimal | None = None


class Share(Part):
    """True for a stated share of values, always the same ones: a keyed hash of ``of`` below ``share``.

    For assumptions that need some of the customers and must not change from run to run.
    """

    share: float = Field(ge=0, le=1)
    of: str
    key: str = Field(min_length=1)


def _which(raw: Any) -> str:
    if isinstance(raw, Product) or (isinstance(raw, dict) and "product" in raw):
        return "Product"
    if isinstance(raw, Share) or (isinstance(raw, dict) and "share" in raw):
        return "Share"
    return "Plain"


Value = Annotated[
    Annotated[Plain, BeforeValidator(_as_mapping), Tag("Plain")]
    | Annotated[Product, Tag("Product")]
    | Annotated[Share, Tag("Share")],
    Discriminator(_which),
]

_TIME_OF_DAY = re.compile(r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$")


class Moment(Part):
    """A moment.

    ``time_zone`` says where naive values were read off the clock; ``at`` the local time of day of values that are
    dates only; ``unit`` counts from 1970 in UTC, or from ``since``; ``format`` reads other texts than ISO 8601.
    """

    value: Scalar
    time_zone: TimeZone | None = None
    at: str | None = None
    unit: Literal["seconds", "millis", "micros", "minutes", "hours", "days"] | None = None
    since: AwareDatetime | None = None
    format: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _time_of_day_is_text(cls, raw: Any) -> Any:
        at = raw.get("at") if isinstance(raw, dict) else None
        if at is not None and not (isinstance(at, str) and _TIME_OF_DAY.match(at)):
            raise ValueError(f'at is {at!r}, not a time of day: write it in quotes, like "09:00"')
        return raw

    @model_validator(mode="after")
    def _epochs_stand_alone(self) -> Moment:
        if self.unit and (self.time_zone or self.at or self.format):
            raise ValueError(f"unit {self.unit!r} counts in UTC: leave time_zone, at and format out")
        if self.since and not self.unit:
            raise ValueError(f"since {self.since.isoformat()} is the start of a count: say of what, with unit")
        if self.unit in ("minutes", "hours", "days") and not self.since:
            raise ValueError(f"unit {self.unit!r} counts from a start: say which, with since (with its offset)")
        if self.at and not self.time_zone:
            raise ValueError(f"at {self.at!r} is a local time of day: say where, with time_zone")
        if self.format and not self.time_zone:
            raise ValueError(f"format {self.format!r} reads a naive time: say where, with time_zone")
        if self.format and "%z" in self.format.lower():
            raise ValueError(f"format {self.format!r} has a zone in it: texts with an offset are read as ISO 8601")
        if self.format:
            check_moment(self.format, at=self.at, time_zone=self.time_zone)
        return self


class Day(Part):
    """A date without a time; ``format`` reads other texts than ISO 8601."""

    value: Scalar
    format: str | None = None

    @model_validator(mode="after")
    def _format_says_the_date(self) -> Day:
        if self.format:
            check_date(self.format)
        return self


MomentValue = Annotated[Moment, BeforeValidator(_as_mapping)]
DayValue = Annotated[Day, BeforeValidator(_as_mapping)]
