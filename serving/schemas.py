"""What callers send. A list is read item by item, so that a good item beside a bad one gets through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

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
from features.contracts import Channel, Consent, Event, Id, Identity, Preference, Purpose
from features.contracts.customer import Limits
from features.contracts.withdrawing import LEAVING, SaidAt, received, source_taken
from features.contracts.words import GRACE, ConsentStatus, Contract
from serving.problems import errors_of

if TYPE_CHECKING:
    from datetime import datetime

MAX_ASKS = 1000
MAX_IDS = 1000
MAX_EVENTS = 5000
MAX_ENTRIES = 1000
_MAX_WORDS = 500
_MAX_EVIDENCE = 20_000
_MINUTES_OF_A_WEEK = 10_080
_HOURS_OF_A_YEAR = 8784

_Dated = TypeVar("_Dated", bound=Contract)


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

    request_id: Identity
    customer_id: Identity
    purpose: Purpose = "marketing"
    campaign_id: Id | None = None
    trigger: Id | None = None
    offers: Annotated[tuple[Id, ...], Field(min_length=1, max_length=_MAX_WORDS)] | None = None
    channels: Annotated[tuple[Channel, ...], Field(min_length=1, max_length=_MAX_WORDS)] | None = None
    horizon_hours: Annotated[int, Field(ge=1, le=_HOURS_OF_A_YEAR)] | None = None

    def ask(self) -> Ask:
        """Return the question as the record that travels through a decision."""
        return Ask(**self.model_dump())


class ConsentIn(Contract):
    """One word of a customer on a channel and purpose. `evidence` is sealed, and not given back here."""

    channel: Channel
    purpose: Purpose
    status: ConsentStatus
    at: SaidAt
    source: Id
    evidence: Annotated[str, Field(max_length=_MAX_EVIDENCE)] | None = None

    def entry(self, customer_id: str, now: datetime) -> Consent:
        """Return the entry as the journal takes it; a withdrawal whose date cannot be as said at ``now``."""
        stated = received(self.at, now) if self.status == "withdrawn" else None
        said = {} if stated is None else {"at": now, "source": source_taken(self.source, stated)}
        return Consent.model_construct(customer_id=customer_id, **{**dict(self), **said})


class PreferenceIn(Limits):
    """A customer's own limits, in place of those before; what is left out holds no longer."""

    channels_off: Annotated[tuple[Channel, ...], Field(max_length=_MAX_WORDS)] = ()
    max_per_week: Annotated[int, Field(ge=0, le=_MINUTES_OF_A_WEEK)] | None = None

    def preference(self, customer_id: str) -> Preference:
        """Return the limits as they are kept."""
        return Preference.model_construct(customer_id=customer_id, **self.model_dump())


if TYPE_CHECKING:
    AskOrRefused = AskIn | Refused
    IdOrRefused = str | Refused
    EventOrRefused = Event | Refused
    ConsentOrRefused = ConsentIn | Refused
else:  # documented as what is accepted
    AskOrRefused = Annotated[AskIn, _Lenient]
    IdOrRefused = Annotated[Id, _Lenient]
    EventOrRefused = Annotated[Event, _Lenient]
    ConsentOrRefused = Annotated[ConsentIn, _Lenient]


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


class ConsentsIn(Contract):
    """Entries of one customer's journal, each with its own verdict, in the same order."""

    entries: Annotated[list[ConsentOrRefused], Field(min_length=1, max_length=MAX_ENTRIES)]


def heard(item: Event | Refused, now: datetime) -> Event | Refused:
    """Return an event as it is taken: one that withdraws happened ``now`` where its own moment cannot be.

    Of any other event such a moment is a refusal.
    """
    item = plausible(item, "occurred_at", now)
    if not isinstance(item, Refused) or not isinstance(item.raw, dict) or item.raw.get("type") not in LEAVING:
        return item
    if {error["loc"] for error in item.errors} != {("occurred_at",)}:
        return item
    return Event.model_validate({**item.raw, "occurred_at": now})


def plausible(item: _Dated | Refused, field: str, now: datetime) -> _Dated | Refused:
    """Return ``item``, or its refusal where ``field`` lies more than a day from now, as the importer refuses it.

    A wrong clock, or a wrong year.
    """
    if isinstance(item, Refused) or getattr(item, field) <= now + GRACE:
        return item
    rule = f"{field} lies more than a day after now ({now.isoformat()}): send what has happened"
    error = ErrorDetails(type=f"{field}_plausible", loc=(field,), msg=rule, input=None)
    return Refused(item.model_dump(mode="json"), (error,))
