"""Load imported history in bulk: what bears on no decision only leaves its id, most else goes in by the block.

The lake has these events already, so each only leaves its id in the inbox: loading twice changes nothing, and the
same event arriving over the API is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from sqlalchemy import bindparam, literal_column, update

from decisions.ledger.events import early, effects, open_events, sends
from decisions.ledger.events.arrivals import Arrivals, pass_by
from decisions.ledger.events.incoming import without_erased
from decisions.ledger.events.matching import MESSAGE, names_of
from decisions.ledger.people import contacts, customers
from decisions.ledger.places.transaction import last_audit
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros
from decisions.ledger.verdicts import Loaded
from features.contracts import Event
from features.contracts.withdrawing import LEAVING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from decisions.ledger.storage.session import Session

    Writing = Callable[[Collection[str]], AbstractContextManager[Session]]

BLOCK = 5_000
"""Events in one transaction: the write lock is held for some tenths of a second."""
PASSED_AT_ONCE = 50_000
"""The same of events that only leave their id."""

_pressure = schema.pressure.c
# A row that has its message id was sent: no place is left to be spent.
_OF_MESSAGE = (_pressure.customer_id == bindparam("who"), _pressure.message_id == bindparam("name"))
_ARRIVED = (
    update(schema.pressure)
    .where(*_OF_MESSAGE, _pressure.responded.is_(None))
    .values(responded=literal_column("0"))
)
_RESPONDED = update(schema.pressure).where(*_OF_MESSAGE).values(responded=literal_column("1"))

_BOUGHT = frozenset({"purchased", "converted"})
_NAMES = ("decision_id", "message_id", "campaign_id", "offer_id")


class _Taken(NamedTuple):
    """What became of a block."""

    taken: int = 0
    erased: int = 0
    conflicts: int = 0

    def and_then(self, other: _Taken) -> _Taken:
        return _Taken(*(one + another for one, another in zip(self, other, strict=True)))


def load(writing: Writing, table: pa.Table, tick: int, *, key: bytes | None = None) -> Loaded:
    """Let every event of the table that bears on decisions take effect once; of one id the first row counts.

    What is about customers who were erased (tombstones under ``key``) is left out.
    """
    import pyarrow.compute as pc  # noqa: PLC0415  # only the bulk road needs columns

    first, again = _by_arrival(table)
    bears = _bears(first)
    done, passed = _Taken(), _Taken()
    bearing = first.filter(bears).sort_by([("customer_id", "ascending"), ("occurred_at", "ascending")])
    for rows in _slices(bearing, BLOCK):
        done = done.and_then(_take_block(writing, [*_events(rows)], tick, key))
    for rows in _slices(first.filter(pc.invert(bears)), PASSED_AT_ONCE):
        passed = passed.and_then(_pass_block(writing, rows, key))
    for rows in _slices(again, BLOCK):
        passed = passed.and_then(_repeat_block(writing, rows, key))
    told = len(bearing) + _count(_bears(again))
    return Loaded(
        taken=done.taken,
        duplicates=told - done.taken - done.erased,
        skipped=len(table) - told,
        erased=done.erased,
        conflicts=done.conflicts + passed.conflicts,
    )


def _by_arrival(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return the first row of each id, and those that come again."""
    import pyarrow as pa  # noqa: PLC0415  # as above
    import pyarrow.compute as pc  # noqa: PLC0415

    if pc.count_distinct(table["event_id"]).as_py() == len(table):
        return table, table.slice(0, 0)
    numbered = table.append_column("row", pa.array(range(len(table))))
    first = numbered.select(["event_id", "row"]).group_by("event_id").aggregate([("row", "min")])["row_min"]
    is_first = pc.is_in(numbered["row"], first.combine_chunks())
    return table.filter(is_first), table.filter(pc.invert(is_first))


def _bears(table: pa.Table) -> pa.ChunkedArray:
    """Tell message events, and purchases that name a message, campaign or offer."""
    import pyarrow as pa  # noqa: PLC0415  # as above
    import pyarrow.compute as pc  # noqa: PLC0415

    bearing = pc.is_in(table["type"], pa.array(effects.EFFECTIVE))
    bought = pc.is_in(table["type"], pa.array(sorted(_BOUGHT)))
    named = pc.is_valid(table[_NAMES[0]])
    for column in _NAMES[1:]:
        named = pc.or_(named, pc.is_valid(table[column]))
    return pc.and_(bearing, pc.or_(pc.invert(bought), named))


def _count(marks: pa.ChunkedArray) -> int:
    import pyarrow.compute as pc  # noqa: PLC0415  # as above

    return int(pc.sum(marks).as_py() or 0)


def _slices(table: pa.Table, size: int) -> Iterator[pa.Table]:
    for start in range(0, len(table), size):
        yield table.slice(start, size)


def _events(rows: pa.Table) -> Iterator[Event]:
    return map(_event, rows.to_pylist())


def _event(row: dict[str, Any]) -> Event:
    """The lake's rows were validated on their way in; doing it again would cost more than the load."""
    return Event.model_construct(**{**row, "properties": orjson.loads(row["properties"])})


def _take_block(writing: Writing, block: Sequence[Event], tick: int, key: bytes | None) -> _Taken:
    with writing({each.customer_id for each in block}) as session:
        standing = without_erased(session, block, key=key)
        arrivals = Arrivals(session, standing, key)
        new = [each for each in standing if each not in arrivals]
        session.many(effects.RECEIVE, [effects.inbox_row(each, tick, drained=True) for each in new])
        _take(session, new, tick)
    conflicts = sum(arrivals.contradict(each) for each in standing)
    return _Taken(taken=len(new), erased=len(block) - len(standing), conflicts=conflicts)


def _pass_block(writing: Writing, rows: pa.Table, key: bytes | None) -> _Taken:
    """Leave the ids of what bears on no decision, so that a second arrival is known by any road."""
    import pyarrow as pa  # noqa: PLC0415  # as above
    import pyarrow.compute as pc  # noqa: PLC0415

    with writing(()) as session:
        conflicts, received = pass_by(session, rows, key)
    again = rows.filter(pc.is_in(rows["event_id"], pa.array(received, pa.string())))
    return _Taken(conflicts=conflicts).and_then(_repeat_block(writing, again, key))


def _repeat_block(writing: Writing, rows: pa.Table, key: bytes | None) -> _Taken:
    """Count the conflicts of what has arrived before."""
    events = [*_events(rows)]
    with writing(()) as session:
        arrivals = Arrivals(session, events, key)
    return _Taken(conflicts=sum(map(arrivals.contradict, events)))


def _take(session: Session, new: Sequence[Event], tick: int) -> None:
    """Most events are of plain messages, told by their own id: one statement for all of a kind.

    All others go one by one, as over the API. What hangs on other events follows at the end.
    """
    people = {each.customer_id for each in new}
    several = sends.of_several_names(session, people)
    sent = [each for each in new if each.type == "sent"]
    plain_sent = [each for each in sent if _is_plain(each, several)]
    after = last_audit(session)
    session.many(sends.FOREIGN, [sends.foreign_row(each, after) for each in plain_sent])
    for each in sent:
        if not _is_plain(each, several):
            effects.apply(session, each, tick)
    several |= {
        (each.customer_id, name) for each in sent if not _is_plain(each, several) for name in names_of(each)
    }
    rest = [each for each in new if each.type != "sent"]
    _take_plain(session, [each for each in rest if _is_plain(each, several)], tick)
    for each in rest:
        if not _is_plain(each, several):
            effects.apply(session, each, tick)
    effects.follow(session, new, tick)


def _is_plain(event: Event, several: Collection[tuple[str, str]]) -> bool:
    """Return whether statements that are the same for all are the whole effect of the event."""
    if event.decision_id or event.type in LEAVING:
        return False
    return event.message_id is None or (event.customer_id, f"{MESSAGE}{event.message_id}") not in several


def _take_plain(session: Session, plain: Sequence[Event], tick: int) -> None:
    """Let reactions, deliveries and bounces count that name no decision."""
    named = [each for each in plain if each.message_id and each.type != "bounced"]
    arrived = [each for each in named if each.type == "delivered"]
    responded = [each for each in named if each.type != "delivered" and not each.automated]
    session.many(_ARRIVED, [_of_message(each) for each in arrived])
    session.many(_RESPONDED, [_of_message(each) for each in responded])
    early.keep_unless_sent(session, [*arrived, *responded], tick)
    customers.learn(session, _lessons(plain))
    session.many(effects.CONVERT, [_conversion(each) for each in plain if each.type in _BOUGHT and each.offer_id])
    open_events.keep(session, [each for each in plain if open_events.stays_open(each)], tick)


def _of_message(event: Event) -> dict[str, Any]:
    return {"who": event.customer_id, "name": event.message_id}


def _conversion(event: Event) -> dict[str, Any]:
    return {
        "customer_id": event.customer_id,
        "offer_id": event.offer_id,
        "last_converted": micros(event.occurred_at),
    }


def _lessons(plain: Iterable[Event]) -> dict[str, dict[str, contacts.Learned]]:
    lessons: dict[str, dict[str, contacts.Learned]] = {}
    for each in plain:
        if each.channel and (learned := open_events.learned_of(each)):
            known = lessons.setdefault(each.customer_id, {})
            known[each.channel] = contacts.joined(known.get(each.channel, {}), learned)
    return lessons
