"""Shared daily budgets: places are lent to workers in blocks, and spent with the decisions that take them.

The allowance of a day and channel counts the places that are spent or lent. Lending is one conditional update, so
that no two workers get the last place. Spending one is a conditional update of the lease, in the very transaction
that records the decision: a crash neither loses nor doubles a place. What a lease did not use goes back when it is
released or has run out, and its row goes with it: nobody can give the same rest back again. All of this hangs on
rows alone. A clock that is wrong lets a lease end early or late; it never lets a place be spent twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import bindparam, case, delete, func, insert, literal_column, select, update
from sqlalchemy.dialects import postgresql

from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros
from decisions.ledger.storage.session import Among, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement

    from decisions.ledger.storage.session import Database, Row, Session

LARGEST = 250
"""Places of the largest block."""
SHARE = 8
"""A block is at most one part in so many of what is left: blocks shrink, and the last places are found."""

_allowance, _lease = schema.allowance.c, schema.lease.c
_unused = _lease.places - _lease.used
_nothing: ColumnElement[int] = literal_column("0")
_over = _lease.until <= bindparam("tick")

_OPEN = (
    postgresql.insert(schema.allowance)
    .values(day=bindparam("of_day"), channel=bindparam("on"), taken=_nothing)
    .on_conflict_do_nothing()
)
_TAKE = (
    update(schema.allowance)
    .where(
        _allowance.day == bindparam("of_day"),
        _allowance.channel == bindparam("on"),
        _allowance.taken + bindparam("count") <= bindparam("at_most"),
    )
    .values(taken=_allowance.taken + bindparam("count"))
)
_GIVE_BACK = (
    update(schema.allowance)
    .where(_allowance.day == bindparam("of_day"), _allowance.channel == bindparam("on"))
    .values(taken=_allowance.taken - bindparam("count"))
)
_LEND = insert(schema.lease).values({c.name: bindparam(c.name) for c in _lease})
_SPEND = (
    update(schema.lease)
    .where(
        _lease.lease_id == bindparam("key"),
        _lease.used + bindparam("count") <= _lease.places,
        _lease.until > bindparam("tick"),
    )
    .values(used=_lease.used + bindparam("count"))
)
# A lease that a transaction under way spends from is passed over rather than waited for: no deadlock, no hot row.
_ROWS = select(_lease.lease_id, _lease.day, _lease.channel, _unused).with_for_update(skip_locked=True)
_RUN_OUT = _ROWS.where(_lease.day == bindparam("of_day"), _lease.channel == bindparam("on"), _over)
_NAMED = _ROWS.where(Among(_lease.lease_id, "ids"))
_DELETE = delete(schema.lease).where(Among(_lease.lease_id, "ids"))
_STANDING = (
    select(
        _allowance.day,
        _allowance.channel,
        _allowance.taken,
        func.coalesce(func.sum(case((_over, _nothing), else_=_unused)), _nothing),
        func.coalesce(func.sum(case((_over, _unused), else_=_nothing)), _nothing),
    )
    .join_from(
        schema.allowance,
        schema.lease,
        (_lease.day == _allowance.day) & (_lease.channel == _allowance.channel),
        isouter=True,
    )
    .where(Among(_allowance.day, "days"))
    .group_by(_allowance.day, _allowance.channel, _allowance.taken)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A block of a day's places on a channel, lent to one worker until a moment."""

    lease_id: str
    day: date
    channel: str
    places: int
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the budget of a channel stands: places ``spent``, ``leased`` (lent, not spent) and ``left`` to lend.

    ``left`` is never below 0, also where a limit was lowered below what is gone.
    """

    limit: int
    spent: int
    leased: int
    left: int


class Budgets:
    """The shared budgets of all workers. Every method is a short transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lease(
        self, channel: str, days: Sequence[date], *, limit: int, now: datetime, ttl: timedelta
    ) -> Lease | None:
        """Lend a block of places until ``now + ttl``, of the day among ``days`` that has most left.

        ``limit`` is the places of one day. None where none of the days has a place to lend. A day without a place
        costs one read and no write.
        """
        gone = self._gone(days, now)
        left = {day: max(0, limit - sum(gone.get((day.isoformat(), channel), (0, 0)))) for day in days}
        for day in sorted((day for day in days if left[day]), key=lambda each: -left[each]):
            wanted = Lease(
                lease_id=uuid4().hex, day=day, channel=channel, places=block_of(left[day]), until=now + ttl
            )
            if lease := self._lend(wanted, limit, micros(now)):
                return lease
        return None

    def _lend(self, wanted: Lease, limit: int, tick: int) -> Lease | None:
        day, channel = wanted.day.isoformat(), wanted.channel
        with self._database.writing(()) as session:
            _take_back(session, session.rows(_RUN_OUT, of_day=day, on=channel, tick=tick))
            places = _take(session, day, channel, wanted.places, limit)
            if not places:
                return None
            lease = replace(wanted, places=places)
            session.run(_LEND, **_row(lease))
            return lease

    def release(self, lease_ids: Collection[str]) -> int:
        """Give back what leases did not use; return how many places. A lease that is gone gives nothing."""
        if not lease_ids:
            return 0
        with self._database.writing(()) as session:
            return _take_back(session, session.rows(_NAMED, ids=listed(lease_ids)))

    def standing(self, days: Sequence[date], limits: Mapping[str, int], now: datetime) -> dict[str, Standing]:
        """Return how the budgets stand by channel, summed over ``days``; what has run out counts as left.

        ``limits`` are the places of one day.
        """
        gone = self._gone(days, now)
        by_channel = {
            channel: [gone.get((day.isoformat(), channel), (0, 0)) for day in days] for channel in limits
        }
        return {channel: _standing(by_channel[channel], limit) for channel, limit in limits.items()}

    def _gone(self, days: Sequence[date], now: datetime) -> dict[tuple[str, str], tuple[int, int]]:
        """Return the places spent and the places lent, by day and channel."""
        with self._database.reading() as session:
            ids = listed([day.isoformat() for day in days])
            rows = session.rows(_STANDING, days=ids, tick=micros(now))
        return {(day, channel): (taken - lent - over, lent) for day, channel, taken, lent, over in rows}


def block_of(left: int) -> int:
    """Return how many places to lend of so many that are left."""
    return min(LARGEST, max(1, left // SHARE))


def spend(session: Session, lease_id: str, places: int, tick: int) -> bool:
    """Spend places of a lease; False (and nothing spent) where it has run out, is gone or has too few left."""
    return bool(session.run(_SPEND, key=lease_id, count=places, tick=tick))


def _take(session: Session, day: str, channel: str, size: int, limit: int) -> int:
    """Take ``size`` places, or half as many while that overruns: others may have been quicker; return how many."""
    session.run(_OPEN, of_day=day, on=channel)
    while size and not session.run(_TAKE, of_day=day, on=channel, count=size, at_most=limit):
        size //= 2
    return size


def _take_back(session: Session, rows: Iterable[Row]) -> int:
    """Delete leases and give back what they did not use, allowance by allowance in one order (no deadlock)."""
    unused: dict[tuple[str, str], int] = {}
    ids = []
    for lease_id, day, channel, places in rows:
        ids.append(lease_id)
        unused[day, channel] = unused.get((day, channel), 0) + places
    if ids:
        session.run(_DELETE, ids=listed(ids))
    for (day, channel), places in sorted(unused.items()):
        if places:
            session.run(_GIVE_BACK, of_day=day, on=channel, count=places)
    return sum(unused.values())


def _row(lease: Lease) -> dict[str, Any]:
    return {
        "lease_id": lease.lease_id,
        "day": lease.day.isoformat(),
        "channel": lease.channel,
        "places": lease.places,
        "used": 0,
        "until": micros(lease.until),
    }


def _standing(gone: Sequence[tuple[int, int]], limit: int) -> Standing:
    """Sum the places spent and lent of several days, each with ``limit`` places."""
    return Standing(
        limit=limit * len(gone),
        spent=sum(spent for spent, _ in gone),
        leased=sum(lent for _, lent in gone),
        left=sum(max(0, limit - sum(day)) for day in gone),
    )
