"""What comes in from outside: a batch of events over the API, people as tables or one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from decisions.ledger.events import effects
from decisions.ledger.events.arrivals import Arrivals
from decisions.ledger.people import erasure
from decisions.ledger.verdicts import EventVerdict
from features.contracts import Consent, Customer, Event
from features.contracts.words import STORED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from decisions.ledger.storage.session import Session

_Owned = TypeVar("_Owned", Consent, Customer, Event)
_ROWS = 2_000


def take(session: Session, batch: Sequence[Event], tick: int, *, key: bytes | None) -> list[EventVerdict]:
    """Take events, of one id the first that is given; answer in the order given.

    They take effect in the order they happened, a send before what it led to. Only what becomes of a reservation
    hangs on that: who leaves right after a message went has not stopped it.
    """
    erased = erasure.buried(session, key, {each.customer_id for each in batch})
    arrivals = Arrivals(session, batch, key)
    verdicts = [_receive(session, each, tick, arrivals, erased) for each in batch]
    new = [each for each, verdict in zip(batch, verdicts, strict=True) if verdict.status == "accepted"]
    for each in sorted(new, key=lambda each: (each.occurred_at, each.type != "sent")):
        effects.apply(session, each, tick)
    effects.follow(session, new, tick)
    return verdicts


def _receive(session: Session, event: Event, tick: int, arrivals: Arrivals, erased: set[str]) -> EventVerdict:
    name = event.event_id
    if event.customer_id in erased:
        return EventVerdict(event_id=name, status="erased")
    if event not in arrivals and session.run(effects.RECEIVE, **effects.inbox_row(event, tick)):
        arrivals.add(event)
        return EventVerdict(event_id=name, status="accepted")
    return EventVerdict(event_id=name, status="duplicate", conflict=arrivals.contradict(event))


def without_erased(session: Session, block: Sequence[_Owned], *, key: bytes | None) -> list[_Owned]:
    """Return what of a block is about customers who were not erased."""
    erased = erasure.buried(session, key, {each.customer_id for each in block})
    return [each for each in block if each.customer_id not in erased]


def customers_of(source: pa.Table | Iterable[Customer]) -> Iterator[Customer]:
    """Return customers of a table with the contract's fields as columns, or the customers themselves."""
    for row in _rows(source):
        yield row if isinstance(row, Customer) else _judged(Customer, _opened(row, "attributes", "contacts"))


def consents_of(source: pa.Table | Iterable[Consent]) -> Iterator[Consent]:
    """Return journal entries of a table with the contract's fields as columns, or the entries themselves."""
    for row in _rows(source):
        yield row if isinstance(row, Consent) else _judged(Consent, row)


def _judged(contract: type[_Owned], row: dict[str, Any]) -> _Owned:
    """Return a row of a table as its contract: the importer has judged it, and may have let an odd id in."""
    return contract.model_validate(row, context=STORED)


def _rows(source: Any) -> Iterator[Any]:
    """A table comes apart by the slice, so that memory stays bounded."""
    if not hasattr(source, "to_batches"):
        yield from source
        return
    for batch in source.to_batches(max_chunksize=_ROWS):
        yield from batch.to_pylist()


def _opened(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """JSON objects, Arrow maps (lists of pairs) and structs all become plain objects; null becomes empty."""
    return {**row, **{name: _object(row.get(name)) for name in names}}


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        value = orjson.loads(value)
    return {key: inner for key, inner in dict(value or {}).items() if inner is not None}
