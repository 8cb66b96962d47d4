"""What callers send. A list is read item by item, so that a good item beside a bad one gets through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import ErrorDetails

from decisions.records import Ask
from features.contracts import Channel, Event, Id, Purpose
from features.contracts.words import Contract
from serving.problems import errors_of

MAX_ASKS = 1000
MAX_IDS = 1000
MAX_EVENTS = 5000
_MAX_WORDS = 500
_HOURS_OF_A_YEAR = 8784


@dataclass(frozen=True, slots=True)
class Refused:
    """An item of a list that broke a rule; ``raw`` is what was sent, so that an id in it can be named."""

    raw: Any
    errors: tuple[ErrorDetails, ...]

    def named(self, key: str) -> str | None:
        """Return the id the caller gave under ``key``, where it is readable at all."""
        found = self.raw.get(key) if isinstance(self.raw, dict) else None
        return found if isinstance(found, str) and found.isprintable() else None


def _or_refused(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    try:
        return handler(value)
    except ValidationError as error:
        return Refused(value, tuple(errors_of(error)))


_Lenient = WrapValidator(_or_refused)


class AskIn(Contract):
    """One question: may, and should, this customer get something?

    ``request_id`` makes it idempotent: asked again with the same content it returns the same decision in its
    present state; with another content it is refused (409). ``offers`` and ``channels`` narrow the catalogue,
    ``horizon_hours`` bounds how far ahead the message may lie.
    """

    request_id: Id
    customer_id: Id
    purpose: Purpose = "marketing"
    campaign_id: Id | None = None
    trigger: Id | None = None
    offers: Annotated[tuple[Id, ...], Field(min_length=1, max_length=_MAX_WORDS)] | None = None
    channels: Annotated[tuple[Channel, ...], Field(min_length=1, max_length=_MAX_WORDS)] | None = None
    horizon_hours: Annotated[int, Field(ge=1, le=_HOURS_OF_A_YEAR)] | None = None

    def ask(self) -> Ask:
        """Return the question as the record that travels through a decision."""
        return Ask(**self.model_dump())


if TYPE_CHECKING:
    AskOrRefused = AskIn | Refused
    IdOrRefused = str | Refused
    EventOrRefused = Event | Refused
else:  # documented as what is accepted
    AskOrRefused = Annotated[AskIn, _Lenient]
    IdOrRefused = Annotated[Id, _Lenient]
    EventOrRefused = Annotated[Event, _Lenient]


class AsksIn(Contract):
    """Many questions in one request; each gets its own result, in the same order."""

    asks: Annotated[list[AskOrRefused], Field(min_length=1, max_length=MAX_ASKS)]


def _form(body: Any) -> str:
    return "many" if isinstance(body, AsksIn) or (isinstance(body, dict) and "asks" in body) else "one"


DecisionsIn = Annotated[
    Annotated[AskIn, Tag("one")] | Annotated[AsksIn, Tag("many")],
    Discriminator(_form),
]


class IdsIn(Contract):
    """The decisions to confirm or to release; each gets its own verdict, in the same order."""

    decision_ids: Annotated[list[IdOrRefused], Field(min_length=1, max_length=MAX_IDS)]


class EventsIn(Contract):
    """Events, each with its own verdict, in the same order; the second arrival of an ``event_id`` is ignored."""

    events: Annotated[list[EventOrRefused], Field(min_length=1, max_length=MAX_EVENTS)]
