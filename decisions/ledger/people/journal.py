"""The consent journal: what anybody says is appended and stays; what consents now is read off it.

Only what was drawn from an event may be struck out again, when more is told of the message it names. Of entries
that are equal but for their evidence, one stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    String,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql

from decisions.ledger.actor import actor
from decisions.ledger.places import lifecycle
from decisions.ledger.places.state import CONSENTS_OF_ONE, consent_of, current_consents
from decisions.ledger.places.transaction import last_audit
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros, moment
from decisions.ledger.storage.errors import EvidenceLocked
from decisions.ledger.storage.session import Among, listed
from features.contracts import Consent
from features.contracts.withdrawing import TAKEN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from decisions.ledger.people.evidence import Seal
    from decisions.ledger.storage.session import Session

_consent = schema.consent.c
_WHO: BindParameter[Any] = bindparam("who")

_ENTRY = (
    postgresql.insert(schema.consent)
    .values({c.name: bindparam(c.name) for c in _consent if c.name != "consent_id"})
    .on_conflict_do_nothing()
)
_JOURNAL = (
    select(_consent.channel, _consent.purpose, _consent.status, _consent.at, _consent.source, _consent.evidence)
    .where(_consent.customer_id == _WHO)
    .order_by(_consent.at, _consent.status, _consent.channel, _consent.purpose, _consent.source)
)
_OF_ENTRY = and_(
    _consent.customer_id == _WHO,
    _consent.channel == bindparam("on_channel"),
    _consent.purpose == bindparam("for_purpose"),
    _consent.at == bindparam("then"),
    _consent.status == bindparam("word"),
    _consent.source == bindparam("by_source"),
)
_PROOF = select(_consent.evidence).where(_OF_ENTRY)
_PROVE = update(schema.consent).where(_OF_ENTRY).values(evidence=bindparam("proof"))
_LAST = select(func.coalesce(func.max(_consent.consent_id), literal_column("0")))
_NOTED = insert(schema.audit).from_select(
    ("customer_id", "what", "at", "detail", "actor"),
    select(
        _consent.customer_id,
        literal_column("'consent_'") + _consent.status,
        bindparam("tick", type_=BigInteger),
        _consent.channel + literal_column("' '") + _consent.purpose,
        bindparam("by", type_=String),
    )
    .where(Among(_consent.customer_id, "ids"), _consent.consent_id > bindparam("last"))
    .order_by(_consent.consent_id),
)
"""An audit entry for every journal entry that is new, in one statement: imports come by the million."""
_LAST_WORD = (
    select(_consent.at, _consent.status)
    .where(
        _consent.customer_id == _WHO,
        _consent.channel == bindparam("on_channel"),
        _consent.purpose == bindparam("for_purpose"),
    )
    .order_by(_consent.at.desc(), _consent.status.desc())
    .limit(literal_column("1"))
)
_SOURCES = select(_consent.source, _consent.channel, _consent.purpose).where(_consent.customer_id == _WHO)
_STRIKE = delete(schema.consent).where(
    _consent.customer_id == _WHO,
    _consent.source == bindparam("by_source"),
    _consent.channel == bindparam("on_channel"),
    _consent.purpose == bindparam("for_purpose"),
)
_TAKEN = (
    select(_consent.consent_id)
    .where(
        _consent.customer_id == _WHO,
        _consent.channel == bindparam("on_channel"),
        _consent.purpose == bindparam("for_purpose"),
        _consent.source == bindparam("told"),
    )
    .limit(literal_column("1"))
)


def append(session: Session, entries: Sequence[Consent], tick: int) -> int:
    """Append entries, identical ones once, and stop what a withdrawal reaches; return how many were new.

    Their evidence is sealed by now.
    """
    if not entries:
        return 0
    after, last = last_audit(session), _last_entry(session)
    new = session.many(_ENTRY, [_entry_row(each, after) for each in entries if not _is_taken(each)])
    for each in filter(_is_taken, entries):  # after the others: they are dated after every grant among these
        if not _was_taken(session, each):
            new += session.run(_ENTRY, **_entry_row(_after_all(session, each), after))
    _follow(session, entries, tick, last)
    return new


def append_each(session: Session, entries: Sequence[Consent], tick: int) -> list[bool]:
    """Do as :func:`append`; return of each entry whether it was new.

    A withdrawal that is dated by its receipt is new unless the last word is a withdrawal already: said again after
    a new grant, it counts again.
    """
    after, last = last_audit(session), _last_entry(session)
    new = []
    for each in entries:
        known = _is_taken(each) and (last_word(session, *_whose(each)) or (0, ""))[1] == "withdrawn"
        new.append(not known and bool(session.run(_ENTRY, **_entry_row(_after_all(session, each), after))))
    _follow(session, entries, tick, last)
    return new


def prove(session: Session, entries: Iterable[Consent], seal: Seal) -> None:
    """Of entries that are equal but for their evidence, let that evidence stand which sorts first."""
    for each in entries:
        if each.evidence is None:
            continue
        key = _key_of(each)
        row = session.row(_PROOF, **key)
        if row and _goes_before(seal, each.evidence, row[0]):
            session.run(_PROVE, proof=each.evidence, **key)


def _key_of(entry: Consent) -> dict[str, Any]:
    return {
        "who": entry.customer_id,
        "on_channel": entry.channel,
        "for_purpose": entry.purpose,
        "then": micros(entry.at),
        "word": entry.status,
        "by_source": entry.source,
    }


def _goes_before(seal: Seal, new: str, stored: str | None) -> bool:
    """Return whether it sorts before what is stored; what nobody has the key of any more stays."""
    if stored is None or stored == new:
        return stored is None
    try:
        return (seal.open(new) or "") < (seal.open(stored) or "")
    except EvidenceLocked:
        return False


def _is_taken(entry: Consent) -> bool:
    """Return whether the entry is dated by when it was received."""
    return entry.status == "withdrawn" and entry.source.endswith(TAKEN)


def _whose(entry: Consent) -> tuple[str, str, str]:
    return entry.customer_id, entry.channel, entry.purpose


def _was_taken(session: Session, entry: Consent) -> bool:
    """Return whether an import has taken this very withdrawal before: the same file again changes nothing."""
    who, channel, purpose = _whose(entry)
    found = session.row(_TAKEN, who=who, on_channel=channel, for_purpose=purpose, told=entry.source)
    return found is not None


def _after_all(session: Session, entry: Consent) -> Consent:
    """Date what is taken when received after everything known, as a one-click withdrawal is."""
    if not _is_taken(entry):
        return entry
    at, _ = last_word(session, *_whose(entry)) or (0, "")
    return entry.model_copy(update={"at": max(entry.at, moment(at))})


def _follow(session: Session, entries: Sequence[Consent], tick: int, last: int) -> None:
    """Note what is new in the audit, and stop what a withdrawal reaches."""
    session.run(_NOTED, ids=listed({each.customer_id for each in entries}), last=last, tick=tick, by=actor())
    withdrawn = {(each.customer_id, each.channel, each.purpose) for each in entries if each.status == "withdrawn"}
    for customer_id, channel, purpose in sorted(withdrawn):
        lifecycle.withdraw(session, customer_id, channel, purpose, tick)


def _last_entry(session: Session) -> int:
    row = session.row(_LAST)
    return int(row[0]) if row else 0


def _entry_row(entry: Consent, after: int) -> dict[str, Any]:
    return {
        "customer_id": entry.customer_id,
        "channel": entry.channel,
        "purpose": entry.purpose,
        "status": entry.status,
        "at": micros(entry.at),
        "source": entry.source,
        "evidence": entry.evidence,
        "after_audit": after,
    }


def by_source(session: Session, customer_id: str) -> dict[str, set[tuple[str, str]]]:
    """Return channel and purpose of what is in the customer's journal, by where each entry is from."""
    found: dict[str, set[tuple[str, str]]] = {}
    for source, channel, purpose in session.rows(_SOURCES, who=customer_id):
        found.setdefault(source, set()).add((channel, purpose))
    return found


def strike(
    session: Session, customer_id: str, source: str, entries: Collection[tuple[str, str]], tick: int
) -> None:
    """Take back what was drawn from an event before it was known which message that is about."""
    for channel, purpose in sorted(entries):
        session.run(_STRIKE, who=customer_id, by_source=source, on_channel=channel, for_purpose=purpose)
        lifecycle.audit(session, customer_id, "consent_narrowed", tick, why=f"{channel} {purpose}")


def last_word(session: Session, customer_id: str, channel: str, purpose: str) -> tuple[int, str] | None:
    """Return when a customer last spoke of a channel and purpose, and the status; None for never.

    A word dated in the future is the last one too.
    """
    row = session.row(_LAST_WORD, who=customer_id, on_channel=channel, for_purpose=purpose)
    return (row[0], row[1]) if row else None


def said(session: Session, customer_id: str, tick: int) -> tuple[tuple[Consent, ...], tuple[Consent, ...]]:
    """Return the words that count at ``tick`` by channel and purpose, and the journal, both without evidence."""
    rows = session.rows(CONSENTS_OF_ONE, who=customer_id)
    return current_consents(customer_id, rows, tick), tuple(consent_of(customer_id, row) for row in rows)


def entries(session: Session, customer_id: str) -> list[Consent]:
    """Return the whole journal of a customer in its order, the evidence as it is sealed."""
    return [
        Consent.model_construct(
            customer_id=customer_id,
            channel=row[0],
            purpose=row[1],
            status=row[2],
            at=moment(row[3]),
            source=row[4],
            evidence=row[5],
        )
        for row in session.rows(_JOURNAL, who=customer_id)
    ]
