"""API keys: made, listed, replaced, revoked. The ledger knows a key by its digest alone.

A key is ``kairos_<id>_<secret>`` with 256 random bits in the secret. Its digest is one round of SHA-256: a slow
hash makes guesses dear where people choose passwords, and nobody guesses 256 random bits at any price; paid for
at every request it would only slow the service down. The id is no secret: lists and the audit name it.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

from sqlalchemy import bindparam, insert, select, update

from decisions.ledger.places.lifecycle import audit
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros, micros_or_none, moment, moment_or_none
from decisions.ledger.storage.errors import UnusableKey
from decisions.ledger.trail import INSTALLATION

if TYPE_CHECKING:
    from datetime import timedelta

    from decisions.ledger.storage.session import Database, Row, Session

Role = Literal["sender", "ingest", "analyst", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
KeyStanding = Literal["valid", "expired", "revoked"]

PREFIX = "kairos"
_ID_BYTES, _SECRET_BYTES = 6, 32
_LABEL_LENGTH = 100

_key = schema.api_key.c
_OF: Any = _key.key_id == bindparam("of_key")
_ADD = insert(schema.api_key).values({each.name: bindparam(each.name) for each in _key})
_ALL = select(*_key).order_by(_key.created_at, _key.key_id)
_ONE = select(*_key).where(_OF)
_REVOKE = update(schema.api_key).where(_OF).values(revoked_at=bindparam("tick"))
_REPLACE = (
    update(schema.api_key).where(_OF).values(expires_at=bindparam("until"), replaced_by=bindparam("successor"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as the ledger knows it; the key itself is not in here."""

    key_id: str
    role: Role
    label: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    replaced_by: str | None = None
    digest: str = field(repr=False)

    def standing(self, now: datetime) -> KeyStanding:
        """Return whether the key opens anything at ``now``, or why not."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key just made. ``secret`` is the whole key, seen here and never again."""

    key: ApiKey
    secret: str = field(repr=False)


def digest_of(secret: str) -> str:
    """Return what a key is recognised by."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def key_id_of(presented: str) -> str | None:
    """Return the id inside a key, or None for what has not the form of one."""
    head, _, rest = presented.partition("_")
    key_id, _, secret = rest.partition("_")
    return key_id if head == PREFIX and secret else None


class Keyring:
    """The installation's API keys. Every change is in the audit, with who asked for it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, role: Role, *, label: str, now: datetime, expires: datetime | None = None) -> NewKey:
        """Make a key; what it is for stands in ``label``.

        Raises:
            ValueError: for an unknown role, an unusable label, or an end that is over already.
        """
        new = _made(role, _checked_label(label), now, expires)
        with self._database.writing((), shared=("keys",)) as session:
            _write(session, new.key, "key_added", f"{new.key.key_id} {role}")
        return new

    def rotate(self, key_id: str, now: datetime, *, overlap: timedelta) -> NewKey:
        """Make the successor of a key; the old one goes on for ``overlap`` at most, while callers change over.

        The successor has the role and label of the old key, and as long a life.

        Raises:
            UnusableKey: where there is no such key, or it is revoked, expired or replaced already.
        """
        with self._database.writing((), shared=("keys",)) as session:
            old = _standing_key(session, key_id, now)
            life = old.expires_at - old.created_at if old.expires_at else None
            new = _made(old.role, old.label, now, now + life if life else None)
            until = min(now + overlap, old.expires_at or now + overlap)
            session.run(_REPLACE, of_key=key_id, until=micros(until), successor=new.key.key_id)
            _write(session, new.key, "key_rotated", f"{key_id} by {new.key.key_id}, until {until.isoformat()}")
        return new

    def revoke(self, key_id: str, now: datetime) -> ApiKey:
        """End a key at once; running workers notice within seconds. Revoking it again changes nothing.

        Raises:
            UnusableKey: where there is no such key.
        """
        with self._database.writing((), shared=("keys",)) as session:
            key = _found(session, key_id)
            if key.revoked_at is None:
                session.run(_REVOKE, of_key=key_id, tick=micros(now))
                audit(session, INSTALLATION, "key_revoked", micros(now), why=key_id)
                key = replace(key, revoked_at=now)
        return key

    def all(self) -> list[ApiKey]:
        """Return every key ever made, oldest first."""
        with self._database.reading() as session:
            return [_read(row) for row in session.rows(_ALL)]


def _made(role: Role, label: str, now: datetime, expires: datetime | None) -> NewKey:
    if role not in ROLES:
        raise ValueError(f"role {role!r} is none of {', '.join(ROLES)}")
    if expires is not None and expires <= now:
        raise ValueError(f"a key cannot expire at {expires.isoformat()}, which is over; name a later moment")
    key_id = secrets.token_hex(_ID_BYTES)
    secret = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    key = ApiKey(
        key_id=key_id, role=role, label=label, created_at=now, expires_at=expires, digest=digest_of(secret)
    )
    return NewKey(key=key, secret=secret)


def _checked_label(label: str) -> str:
    if not label.strip() or not label.isprintable() or len(label) > _LABEL_LENGTH:
        raise ValueError(
            f"label of {len(label)} characters: in 1 to {_LABEL_LENGTH} printable ones, say what the key is for"
        )
    return label


def _write(session: Session, key: ApiKey, what: str, detail: str) -> None:
    session.run(
        _ADD,
        key_id=key.key_id,
        digest=key.digest,
        role=key.role,
        label=key.label,
        created_at=micros(key.created_at),
        expires_at=micros_or_none(key.expires_at),
        revoked_at=None,
        replaced_by=None,
    )
    audit(session, INSTALLATION, what, micros(key.created_at), why=detail)


def _standing_key(session: Session, key_id: str, now: datetime) -> ApiKey:
    key = _found(session, key_id)
    if key.replaced_by:
        raise UnusableKey(f"key {key_id!r} was replaced already; rotate {key.replaced_by!r} instead")
    if key.standing(now) != "valid":
        raise UnusableKey(f"key {key_id!r} is {key.standing(now)}; make a new one with `kairos keys add`")
    return key


def _found(session: Session, key_id: str) -> ApiKey:
    row = session.row(_ONE, of_key=key_id)
    if row is None:
        raise UnusableKey("no key has this id; `kairos keys list` shows the ids of all")
    return _read(row)


def _read(row: Row) -> ApiKey:
    values = dict(zip(_key.keys(), row, strict=True))
    moments = {name: moment_or_none(values[name]) for name in ("expires_at", "revoked_at")}
    return ApiKey(**{**values, **moments, "created_at": moment(values["created_at"])})
