"""Events whose meaning hangs on what else is told: it is drawn from all that is known, anew whenever that changes.

- A reaction that names no message is about the latest message of its campaign (and channel) before it.
- A bounce, a sign of life or a machine's open that names a message and no channel is of that message's channel.
- Who leaves without naming the channel leaves that of the message named; while nobody knows it, or where none is
  named, every channel there is, also one that becomes known later. Besides marketing it ends the message's
  purpose.

A decision named is always known, and so is what hangs on it: such an event is not left open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql

from decisions.ledger.events.matching import names_of
from decisions.ledger.events.sends import purpose_of
from decisions.ledger.people.contacts import taught
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros, text
from decisions.ledger.storage.session import Among, listed
from features.contracts.withdrawing import LEAVING
from features.contracts.words import FIRST_PLAUSIBLE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from decisions.ledger.events.matching import Decided
    from decisions.ledger.storage.session import Session
    from features.contracts import Event

NAMED = '{"names"'
"""How the stored part of an event begins that names a message."""
REACTIONS = frozenset({"opened", "clicked", "converted", "purchased"})

_open = schema.open_event.c
_KEEP = (
    postgresql.insert(schema.open_event)
    .values({c.name: bindparam(c.name) for c in _open if c.name != "about"})
    .on_conflict_do_nothing()
)
_OF_CUSTOMERS = (
    select(_open.customer_id, _open.event_id, _open.type, _open.occurred_at, _open.body, _open.about)
    .where(Among(_open.customer_id, "ids"))
    .order_by(_open.customer_id, _open.event_id)
)
_REMEMBER = (
    update(schema.open_event)
    .where(_open.customer_id == bindparam("who"), _open.event_id == bindparam("key"))
    .values(about=bindparam("found"))
)


class Open(NamedTuple):
    """One such event: what of it a meaning is drawn from.

    ``about`` holds channel and purpose of each message it was last found to be about.
    """

    event_id: str
    type: str
    at: int
    names: tuple[str, ...]
    channel: str | None
    campaign_id: str | None
    purpose: str | None
    hard: bool
    automated: bool
    about: tuple[tuple[str, str], ...]

    @property
    def learned(self) -> dict[str, Any]:
        """What it teaches of its channel."""
        return taught(self.type, self.at, hard=self.hard, automated=self.automated)


def stays_open(event: Event, own: Decided | None = None) -> bool:
    """Return whether more may be told that changes what the event means; ``own`` is the decision it names."""
    named = bool(event.decision_id or event.message_id)
    if own is not None:
        return False
    if event.type in LEAVING:
        return event.channel is None or (named and "purpose" not in event.properties)
    if named:
        return event.channel is None and bool(learned_of(event))
    return event.type in REACTIONS and event.campaign_id is not None and not event.automated


def learned_of(event: Event) -> dict[str, Any]:
    """Return what an event teaches of the channel it was on."""
    at = micros(event.occurred_at)
    return taught(event.type, at, hard=_is_hard(event), automated=event.automated)


def _is_hard(event: Event) -> bool:
    return event.properties.get("bounce") == "hard"


def stated_purpose(event: Event) -> str | None:
    """Return the purpose that an event says it ends; None where it says nothing of it."""
    return purpose_of(event) if "purpose" in event.properties else None


def counts_from(event: Event, tick: int) -> int:
    """Return when an event counts from: who leaves at a moment that cannot be leaves when that is heard."""
    can_be = event.occurred_at >= FIRST_PLAUSIBLE or event.type not in LEAVING
    return micros(event.occurred_at) if can_be else tick


def keep(session: Session, events: Iterable[Event], tick: int) -> None:
    """Keep events that stay open."""
    session.many(_KEEP, [_row(each, tick) for each in events])


def _row(event: Event, tick: int) -> dict[str, Any]:
    body = {
        "names": names_of(event),
        "channel": event.channel,
        "campaign_id": event.campaign_id,
        "purpose": stated_purpose(event),
        "hard": _is_hard(event),
        "automated": event.automated,
    }
    return {
        "customer_id": event.customer_id,
        "event_id": event.event_id,
        "type": event.type,
        "occurred_at": counts_from(event, tick),
        "body": text({name: value for name, value in body.items() if value}),
        "at": tick,
    }


def of_customers(session: Session, customer_ids: Collection[str]) -> dict[str, list[Open]]:
    """Return the open events of those of the customers who have any."""
    found: dict[str, list[Open]] = {}
    for customer_id, event_id, kind, at, body, about in session.rows(_OF_CUSTOMERS, ids=listed(customer_ids)):
        told = orjson.loads(body)
        found.setdefault(customer_id, []).append(
            Open(
                event_id=event_id,
                type=kind,
                at=at,
                names=tuple(told.get("names", ())),
                channel=told.get("channel"),
                campaign_id=told.get("campaign_id"),
                purpose=told.get("purpose"),
                hard=told.get("hard", False),
                automated=told.get("automated", False),
                about=tuple((channel, purpose) for channel, purpose in orjson.loads(about or "[]")),
            )
        )
    return found


def remember(session: Session, customer_id: str, events: Iterable[Open]) -> None:
    """Keep of events what they were found to be about."""
    session.many(
        _REMEMBER, [{"who": customer_id, "key": each.event_id, "found": text(each.about)} for each in events]
    )
