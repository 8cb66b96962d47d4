"""Read the ledger's rows for the recount, a block of customers at a time, in plain SQL of its own."""

from __future__ import annotations

from collections import defaultdict
from math import inf
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import text

from pipelines.recount.history import (
    CONFIRMED,
    ENDED,
    GRANTED,
    SENT_UNASKED,
    Change,
    History,
    Message,
    Person,
    Send,
)
from pipelines.recount.told import displaced_by, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

BLOCK = 1_000
"""Customers in memory at a time."""

_PEOPLE = text(
    "SELECT customer_id FROM decision WHERE customer_id > :after"
    " GROUP BY customer_id ORDER BY customer_id LIMIT :block"
)
_SENDS = text(
    "SELECT d.decision_id, d.request_id, d.customer_id, d.state, d.purpose, d.campaign_id, d.offer_id, d.category,"
    " d.channel, d.send_at, d.send_at_local, d.expires_at, d.decided_at, d.confirmed_at, d.policy_version,"
    " d.experiments, p.at AS place_at, p.state AS place, r.body, r.frozen"
    " FROM decision d LEFT JOIN pressure p ON p.decision_id = d.decision_id"
    " LEFT JOIN record r ON r.decision_id = d.decision_id"
    " WHERE d.customer_id BETWEEN :first AND :last AND d.action = 'send'"
)
_CHANGES = text(
    "SELECT decision_id, what, seq, at FROM audit"
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
_CUSTOMERS = text("SELECT customer_id, body, preference FROM customer WHERE customer_id BETWEEN :first AND :last")


def histories(connection: Connection) -> Iterator[History]:
    """Yield every customer about whom something was decided."""
    after = ""
    while people := _people(connection, after):
        yield from _block(connection, people).values()
        after = people[-1]


def _people(connection: Connection, after: str) -> Sequence[str]:
    return connection.execute(_PEOPLE, {"after": after, "block": BLOCK}).scalars().all()


def _block(connection: Connection, people: Sequence[str]) -> dict[str, History]:
    bounds = {"first": people[0], "last": people[-1]}
    found = {each: History() for each in people}
    changes: defaultdict[str, list[Change]] = defaultdict(list)
    for row in connection.execute(_CHANGES, bounds):
        changes[row.decision_id].append(Change(row.what, row.seq, row.at))
    for row in connection.execute(_SENDS, bounds):
        found[row.customer_id].sends.append(_send(row, tuple(changes[row.decision_id])))
    for row in connection.execute(_CONSENTS, bounds):
        if row.customer_id in found:
            found[row.customer_id].consents.append(row)
    for row in connection.execute(_CUSTOMERS, bounds):
        if row.customer_id in found:
            found[row.customer_id].person = _person(row)
    for row in connection.execute(_MESSAGES, bounds):
        if row.customer_id in found:
            _add_foreign(found[row.customer_id], row)
    return found


def _person(row: Any) -> Person:
    facts = orjson.loads(row.body)
    wish = orjson.loads(row.preference) if row.preference else {}
    return Person(zone=facts.get("time_zone"), country=facts.get("country"), wish=wish)


def _add_foreign(history: History, row: Any) -> None:
    """A message counts as its decision's while that stands; sent without a place, it counts by itself."""
    if not any(each.decision_id == row.decision_id and each.state not in ENDED for each in history.sends):
        history.foreign.append(_message(row, at=row.at, until=row.at, known=row.after_audit + 0.5))


def _message(row: Any, **order: float) -> Message:
    return Message(
        channel=row.channel,
        purpose=row.purpose,
        category=row.category,
        offer_id=row.offer_id,
        campaign_id=row.campaign_id,
        **order,  # type: ignore[arg-type]  # the names are ours, two functions up and down
    )


def _order(row: Any, changes: Sequence[Change]) -> dict[str, float]:
    """A decision without an entry in the audit was made behind its back: it is judged as the very last."""
    first = {each.what: each.seq for each in reversed(changes)}
    settled = min(first.get(CONFIRMED, inf), first.get(SENT_UNASKED, inf))
    return {
        "at": row.send_at,
        "until": row.expires_at - 1,
        "known": first.get(GRANTED, inf),
        "ended": min((first[what] for what in ENDED if what in first), default=inf),
        "settled": settled if row.place_at is not None else inf,
        "settled_at": _settled_at(row, changes),
    }


def _settled_at(row: Any, changes: Sequence[Change]) -> int:
    """Return when it was known to go, once it was: a later word of its sender may have moved the place since.

    Sent unasked, it went when it was first heard of at the latest.
    """
    if row.confirmed_at is not None and any(each.what == CONFIRMED for each in changes):
        return int(max(row.send_at, row.confirmed_at))
    heard = [each.at for each in changes if each.what == SENT_UNASKED]
    return int(min([row.place_at or 0, *heard]))


def _send(row: Any, changes: tuple[Change, ...]) -> Send:
    record = told(row.frozen)
    return Send(
        decision_id=row.decision_id,
        request_id=row.request_id,
        customer_id=row.customer_id,
        state=row.state,
        message=_message(row, **_order(row, changes)),
        local=row.send_at_local,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
        confirmed_at=row.confirmed_at,
        place=row.place,
        place_at=row.place_at,
        recorded=row.body is not None,
        displaces=displaced_by(row.body),
        policy=row.policy_version,
        catalogue=record.catalogue if record else None,
        arms=row.experiments,
        person=record.person if record else None,
        changes=changes,
    )
