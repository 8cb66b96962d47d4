"""Load imported history in bulk: what bears on no decision is passed over in columns, sends go in by the block.

The lake has these events already, so each only leaves its id in the inbox: loading twice changes nothing, and the
same event arriving over the API is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, literal_column, select, update

from decisions.ledger.events import early, effects, sends
from decisions.ledger.events.incoming import without_erased
from decisions.ledger.people import contacts
from decisions.ledger.places.transaction import last_audit
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import text
from decisions.ledger.storage.session import Among, listed
from decisions.ledger.verdicts import Loaded
from features.contracts import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from decisions.ledger.storage.session import Session

BLOCK = 5_000
"""Events in one transaction: the write lock is held for some tenths of a second."""

_inbox, _pressure = schema.inbox.c, schema.pressure.c
_KNOWN = select(_inbox.event_id).where(Among(_inbox.event_id, "ids"))
# A row that has its message id was sent: no place is left to be spent.
_OF_MESSAGE = (_pressure.customer_id == bindparam("who"), _pressure.message_id == bindparam("name"))
_ARRIVED = (
    update(schema.pressure)
    .where(*_OF_MESSAGE, _pressure.responded.is_(None))
    .values(responded=literal_column("0"))
)
_RESPONDED = update(schema.pressure).where(*_OF_MESSAGE).values(responded=literal_column("1"))
_CONTACTS = select(schema.customer.c.customer_id, schema.customer.c.contacts).where(
    Among(schema.customer.c.customer_id, "ids")
)

_FAST_REACTIONS = frozenset({"opened", "clicked"})
_NAMES = ("decision_id", "message_id", "campaign_id", "offer_id")


def load(
    writing: Callable[[Collection[str]], AbstractContextManager[Session]],
    table: pa.Table,
    tick: int,
    *,
    key: bytes | None = None,
) -> Loaded:
    """Let every event of the table that bears on decisions take effect, oldest first, once.

    What is about customers who were erased (tombstones under ``key``) is left out.
    """
    bearing = _bearing(table)
    taken = erased = 0
    for block in _blocks(bearing):
        with writing({each.customer_id for each in block}) as session:
            standing = without_erased(session, block, key=key)
            taken += _take(session, standing, tick)
        erased += len(block) - len(standing)
    duplicates = len(bearing) - taken - erased
    return Loaded(taken=taken, duplicates=duplicates, skipped=len(table) - len(bearing), erased=erased)


def _bearing(table: pa.Table) -> pa.Table:
    """Keep message events, and purchases that name a message, campaign or offer; by time, sends first."""
    import pyarrow as pa  # noqa: PLC0415  # only the bulk road needs columns
    import pyarrow.compute as pc  # noqa: PLC0415

    bearing = pc.is_in(table["type"], pa.array(effects.EFFECTIVE))
    bought = pc.is_in(table["type"], pa.array(["purchased", "converted"]))
    named = pc.is_valid(table[_NAMES[0]])
    for column in _NAMES[1:]:
        named = pc.or_(named, pc.is_valid(table[column]))
    kept = table.filter(pc.and_(bearing, pc.or_(pc.invert(bought), named)))
    later = pc.not_equal(kept["type"], "sent")
    return kept.append_column("later", later).sort_by([("occurred_at", "ascending"), ("later", "ascending")])


def _blocks(table: pa.Table) -> Iterator[list[Event]]:
    for start in range(0, len(table), BLOCK):
        yield [_event(row) for row in table.slice(start, BLOCK).drop_columns(["later"]).to_pylist()]


def _event(row: dict[str, Any]) -> Event:
    """The lake's rows were validated on their way in; doing it again would cost more than the load."""
    return Event.model_construct(**{**row, "properties": orjson.loads(row["properties"])})


def _take(session: Session, block: Sequence[Event], tick: int) -> int:
    """Sends come first, however they go in: what they led to must find its message."""
    new = _unknown(session, block)
    session.many(effects.RECEIVE, [effects.inbox_row(each, tick, drained=True) for each in new])
    plain = _plainly_deliverable(session, new)
    fast = [each for each in new if _is_fast(each, plain)]
    slow = [each for each in new if not _is_fast(each, plain)]
    session.many(sends.FOREIGN, _foreign_rows(session, fast))
    early.settle(session, {each.customer_id for each in fast if each.type == "sent"})
    _apply(session, [each for each in slow if each.type == "sent"], tick)
    session.many(_ARRIVED, [_named(each) for each in fast if each.type == "delivered"])
    session.many(_RESPONDED, [_named(each) for each in fast if each.type in _FAST_REACTIONS])
    early.keep_unless_sent(session, [each for each in fast if each.type != "sent"], tick)
    _apply(session, [each for each in slow if each.type != "sent"], tick)
    return len(new)


def _apply(session: Session, slow: Sequence[Event], tick: int) -> None:
    for each in slow:
        effects.apply(session, each, tick)


def _unknown(session: Session, block: Sequence[Event]) -> list[Event]:
    known = {row[0] for row in session.rows(_KNOWN, ids=listed([each.event_id for each in block]))}
    first = {each.event_id: each for each in reversed(block)}
    return [each for each in block if each.event_id not in known and first[each.event_id] is each]


def _foreign_rows(session: Session, block: Sequence[Event]) -> list[dict[str, Any]]:
    after = last_audit(session)
    return [sends.foreign_row(each, after) for each in block if each.type == "sent"]


def _named(event: Event) -> dict[str, Any]:
    return {"who": event.customer_id, "name": event.message_id}


def _plainly_deliverable(session: Session, block: Sequence[Event]) -> frozenset[str]:
    """Return customers for whom a delivery changes no contact: none bounced before or bounces in this block."""
    people = {each.customer_id for each in block}
    rows = session.rows(_CONTACTS, ids=listed(people))
    bounced = {each.customer_id for each in block if each.type == "bounced"}
    bounced |= {row[0] for row in rows if "soft_bounced" in text(contacts.states_of(orjson.loads(row[1])))}
    return frozenset(people - bounced)


def _is_fast(event: Event, plain: frozenset[str]) -> bool:
    """Return whether one statement, the same for all, is the whole effect of the event."""
    if event.decision_id:
        return False
    if event.type == "sent":
        return True
    named = event.message_id is not None
    if event.type == "delivered":
        return named and event.customer_id in plain
    return named and event.type in _FAST_REACTIONS and not event.automated
