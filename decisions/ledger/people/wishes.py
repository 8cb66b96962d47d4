"""What customers allow and ask for, in their own words: each has a verdict and takes effect at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import orjson
from sqlalchemy import bindparam, select

from decisions.ledger.events import meaning
from decisions.ledger.people import customers, erasure, journal
from decisions.ledger.places import lifecycle
from decisions.ledger.places.state import RESERVED
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros, moment
from features.contracts import Consent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from decisions.ledger.people.evidence import Seal
    from decisions.ledger.storage.session import Database, Row
    from decisions.tokens import Unsubscribe
    from features.contracts import Preference

ONE_CLICK = "one-click"
"""The source of a withdrawal by RFC 8058."""

Word = Literal["accepted", "duplicate", "erased"]
"""What became of an entry: new, known already, or of a customer who was erased."""

_pressure = schema.pressure.c
_OPEN = select(_pressure.decision_id, _pressure.channel, _pressure.purpose, _pressure.expires_at).where(
    _pressure.customer_id == bindparam("who"), _pressure.state == RESERVED
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consented:
    """What a customer consents to: the word that counts by channel and purpose, and all that was said, in order.

    Without evidence: it may be personal, and only the export gives it back.
    """

    current: tuple[Consent, ...]
    journal: tuple[Consent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferred:
    """What became of a wish, and the decisions it ended before they were sent."""

    status: Literal["stored", "erased"]
    withdrawn: tuple[str, ...] = ()


class Wishes:
    """Consents and preferences, one customer a call."""

    def __init__(self, database: Database, seal: Seal, key: bytes | None) -> None:
        self._database = database
        self._seal = seal
        self._key = key

    def consents(self, customer_id: str, now: datetime) -> Consented:
        """Return the consents of a customer; of one never heard of, none."""
        with self._database.reading() as session:
            current, everything = journal.said(session, customer_id, micros(now))
        return Consented(current=current, journal=everything)

    def append(self, customer_id: str, entries: Sequence[Consent], now: datetime) -> list[Word]:
        """Append entries of one customer, each with its verdict; a withdrawal stops the unconfirmed at once."""
        sealed = self._seal.sealed(entries)
        with self._database.writing((customer_id,)) as session:
            if erasure.is_buried(session, self._key, customer_id):
                return ["erased"] * len(sealed)
            new = journal.append_each(session, sealed, micros(now))
            journal.prove(
                session, (each for each, fresh in zip(sealed, new, strict=True) if not fresh), self._seal
            )
            meaning.draw(session, (customer_id,), micros(now))
        return ["accepted" if each else "duplicate" for each in new]

    def unsubscribe(self, asked: Unsubscribe, now: datetime) -> None:
        """Withdraw what a token names; do nothing where that is the last word already, or the customer erased.

        The entry is dated after everything known: a grant that a fast clock dated ahead of ours must not undo it.
        """
        who = asked.customer_id
        with self._database.writing((who,)) as session:
            at, status = journal.last_word(session, who, asked.channel, asked.purpose) or (0, "")
            if status != "withdrawn" and not erasure.is_buried(session, self._key, who):
                entry = _withdrawal(asked, now, at=max(at, micros(now)))
                journal.append(session, self._seal.sealed([entry]), micros(now))
                meaning.draw(session, (who,), micros(now))

    def prefer(self, preference: Preference, now: datetime) -> Preferred:
        """Write the customer's own limits in place of those before, and end what they plainly forbid.

        What hangs on more than the wish itself (quiet hours, messages in a week) is looked at by confirm.
        """
        who = preference.customer_id
        with self._database.writing((who,)) as session:
            if erasure.is_buried(session, self._key, who):
                return Preferred(status="erased")
            customers.wish(session, preference)
            lifecycle.audit(session, who, "preference_put", micros(now))
            ended = [row[0] for row in session.rows(_OPEN, who=who) if _is_forbidden(row, preference)]
            lifecycle.end_all(session, who, ended, "withdrawn", micros(now), why="the customer's wish")
        return Preferred(status="stored", withdrawn=tuple(ended))


def _withdrawal(asked: Unsubscribe, now: datetime, *, at: int) -> Consent:
    return Consent.model_construct(
        customer_id=asked.customer_id,
        channel=asked.channel,
        purpose=asked.purpose,
        status="withdrawn",
        at=moment(at),
        source=ONE_CLICK,
        evidence=orjson.dumps({"decision_id": asked.decision_id, "at": now}).decode(),
    )


def _is_forbidden(row: Row, wish: Preference) -> bool:
    """Return whether the message could never be confirmed under the wish."""
    _, channel, purpose, expires_at = row
    if channel in wish.channels_off:
        return True
    if purpose == "transactional":
        return False
    paused = wish.pause_until is not None and expires_at <= micros(wish.pause_until)
    return paused or (purpose == "marketing" and wish.max_per_week == 0)
