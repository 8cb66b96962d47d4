"""Read the ledger's rows for the recount, a block of customers at a time, in plain SQL of its own."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, make_url, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import URL, Connection

BLOCK = 5_000
"""Customers in memory at a time."""

# A ledger at work is judged as it stood at one moment: a decision is not seen without its entry in the audit.
_ONE_SNAPSHOT = {
    "sqlite": "BEGIN",
    "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
}

ENDED = ("released", "expired", "withdrawn", "displaced")

_PEOPLE = text(
    "SELECT customer_id FROM decision WHERE customer_id > :after"
    " GROUP BY customer_id ORDER BY customer_id LIMIT :block"
)
_SENDS = text(
    "SELECT d.decision_id, d.customer_id, d.state, d.purpose, d.campaign_id, d.offer_id, d.category, d.channel,"
    " d.send_at, d.send_at_local, d.expires_at, d.decided_at, d.confirmed_at, p.at AS place_at, p.state AS place,"
    " r.decision_id IS NOT NULL AS recorded"
    " FROM decision d LEFT JOIN pressure p ON p.decision_id = d.decision_id"
    " LEFT JOIN record r ON r.decision_id = d.decision_id"
    " WHERE d.customer_id BETWEEN :first AND :last AND d.action = 'send'"
)
_CHANGES = text(
    "SELECT customer_id, decision_id, what, seq FROM audit"
    " WHERE customer_id BETWEEN :first AND :last AND decision_id IS NOT NULL ORDER BY seq"
)
_MESSAGES = text(
    "SELECT customer_id, decision_id, at, channel, purpose, category, offer_id, campaign_id, after_audit"
    " FROM pressure WHERE customer_id BETWEEN :first AND :last AND state = 'sent'"
)
_CONSENTS = text(
    "SELECT customer_id, channel, purpose, status, at, after_audit FROM consent"
    " WHERE customer_id BETWEEN :first AND :last ORDER BY at, status"
)
_CUSTOMERS = text("SELECT customer_id, body FROM customer WHERE customer_id BETWEEN :first AND :last")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What caps count: where it stands in the audit's order (``known`` … ``ended``), and when it goes.

    ``at`` is where it was promised; from ``settled`` on it is known to go at ``settled_at``.
    """

    channel: str
    purpose: str
    category: str | None
    offer_id: str | None
    campaign_id: str | None
    at: int
    known: float
    ended: float = inf
    settled: float = inf
    settled_at: int = 0

    def standing(self, seq: float) -> bool:
        """Return whether it was known, and not yet ended, when entry ``seq`` was made."""
        return self.known < seq < self.ended

    def as_known(self, seq: float) -> int:
        """Return when it goes, as far as was known at entry ``seq``."""
        return self.settled_at if self.settled < seq else self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One decision to send, with every change the audit holds of it."""

    decision_id: str
    customer_id: str
    state: str
    message: Message
    local: str | None
    expires_at: int
    decided_at: int
    confirmed_at: int | None
    place: str | None
    recorded: bool
    changes: tuple[tuple[str, int], ...]

    def of(self, *whats: str) -> list[int]:
        """Return the audit's numbers of these changes, in order."""
        return [seq for what, seq in self.changes if what in whats]


@dataclass(slots=True)
class History:
    """One customer, as the ledger holds them."""

    zone: str | None = None
    country: str | None = None
    sends: list[Send] = field(default_factory=list)
    foreign: list[Message] = field(default_factory=list)
    consents: list[Any] = field(default_factory=list)


def histories(url: str) -> Iterator[tuple[str, History]]:
    """Yield every customer about whom something was decided."""
    engine = create_engine(_driven(url))
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(_ONE_SNAPSHOT[engine.dialect.name])
            after = ""
            while people := _people(connection, after):
                yield from _block(connection, people).items()
                after = people[-1]
    finally:
        engine.dispose()


def _driven(url: str) -> URL:
    """Return the URL with the driver that is installed, however it spells PostgreSQL."""
    parsed = make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    return parsed if is_sqlite else parsed.set(drivername="postgresql+psycopg")


def _people(connection: Connection, after: str) -> Sequence[str]:
    return connection.execute(_PEOPLE, {"after": after, "block": BLOCK}).scalars().all()


def _block(connection: Connection, people: Sequence[str]) -> dict[str, History]:
    bounds = {"first": people[0], "last": people[-1]}
    found = {each: History() for each in people}
    changes: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for row in connection.execute(_CHANGES, bounds):
        changes[row.decision_id].append((row.what, row.seq))
    for row in connection.execute(_SENDS, bounds):
        found[row.customer_id].sends.append(_send(row, tuple(changes[row.decision_id])))
    for row in connection.execute(_CONSENTS, bounds):
        if row.customer_id in found:
            found[row.customer_id].consents.append(row)
    for row in connection.execute(_CUSTOMERS, bounds):
        if row.customer_id in found:
            facts = json.loads(row.body)
            found[row.customer_id].zone, found[row.customer_id].country = (
                facts.get("time_zone"),
                facts.get("country"),
            )
    for row in connection.execute(_MESSAGES, bounds):
        if row.customer_id in found:
            _add_foreign(found[row.customer_id], row)
    return found


def _add_foreign(history: History, row: Any) -> None:
    """A message counts as its decision's while that stands; sent without a place, it counts by itself."""
    if not any(each.decision_id == row.decision_id and each.state not in ENDED for each in history.sends):
        history.foreign.append(_message(row, row.at, known=row.after_audit + 0.5))


def _message(row: Any, at: int, **order: float) -> Message:
    return Message(
        channel=row.channel,
        purpose=row.purpose,
        category=row.category,
        offer_id=row.offer_id,
        campaign_id=row.campaign_id,
        at=at,
        **order,  # type: ignore[arg-type]  # the names are ours, two functions up and down
    )


def _send(row: Any, changes: tuple[tuple[str, int], ...]) -> Send:
    """A decision without an entry in the audit was made behind its back: it is judged as the very last."""
    first = dict(reversed(changes))
    settled = min(first.get("confirmed", inf), first.get("sent_unconfirmed", inf))
    asked = "confirmed" in first and row.confirmed_at is not None
    order = {
        "known": first.get("reserved", inf),
        "ended": min((first[what] for what in ENDED if what in first), default=inf),
        "settled": settled if row.place_at is not None else inf,
        "settled_at": max(row.send_at, row.confirmed_at) if asked else (row.place_at or 0),
    }
    return Send(
        decision_id=row.decision_id,
        customer_id=row.customer_id,
        state=row.state,
        message=_message(row, row.send_at, **order),
        local=row.send_at_local,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
        confirmed_at=row.confirmed_at,
        place=row.place,
        recorded=bool(row.recorded),
        changes=changes,
    )
