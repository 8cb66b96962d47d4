"""What proves a consent, sealed: an address, a form's text, a recording's name never lie in the ledger in clear.

Fernet (AES-128-CBC with HMAC-SHA256, of the library ``cryptography``). Several keys make a rotation: the first
seals, every one opens; put the new key first, call :meth:`Evidence.reseal`, then drop the old one.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Self

from sqlalchemy import bindparam, select, update

from decisions.ledger.storage import schema
from decisions.ledger.storage.errors import EvidenceLocked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cryptography.fernet import MultiFernet

    from decisions.ledger.storage.session import Database, Row
    from features.contracts import Consent

_SEALED = "sealed:"
"""What a stored value begins with; what does not was written before there were seals."""
_KEY_BYTES = 32
_BLOCK = 500

_consent = schema.consent.c
_PROOFS = (
    select(_consent.consent_id, _consent.customer_id, _consent.evidence)
    .where(_consent.consent_id > bindparam("last"), _consent.evidence.is_not(None))
    .order_by(_consent.consent_id)
    .limit(bindparam("at_most"))
)
_RESEAL = (
    update(schema.consent).where(_consent.consent_id == bindparam("number")).values(evidence=bindparam("sealed"))
)


class Seal:
    """Seals and opens evidence with the given keys; with none it can do neither, and says so."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._box = _box(keys) if keys else None

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the seal of keys separated by commas, the newest first.

        Raises:
            ValueError: counting the key that is none, without repeating it.
        """
        return cls([part.strip() for part in text.split(",")])

    @property
    def box(self) -> MultiFernet:
        """The keys.

        Raises:
            EvidenceLocked: where there are none.
        """
        if self._box is None:
            raise EvidenceLocked
        return self._box

    def seal(self, clear: str | None) -> str | None:
        """Return what may be stored; None stays None."""
        return None if clear is None else _SEALED + self.box.encrypt(clear.encode()).decode()

    def open(self, stored: str | None) -> str | None:
        """Return what was sealed.

        Raises:
            EvidenceLocked: where it was sealed with a key that is not among these.
        """
        if stored is None or not stored.startswith(_SEALED):
            return stored
        from cryptography.fernet import InvalidToken  # noqa: PLC0415  # a ledger without keys needs none of it

        try:
            return self.box.decrypt(stored.removeprefix(_SEALED)).decode()
        except InvalidToken as error:
            raise EvidenceLocked from error

    def sealed(self, entries: Iterable[Consent]) -> list[Consent]:
        """Return journal entries as they may be stored."""
        return [each.model_copy(update={"evidence": self.seal(each.evidence)}) for each in entries]

    def opened(self, entries: Iterable[Consent]) -> list[Consent]:
        """Return stored journal entries as they were given."""
        return [each.model_copy(update={"evidence": self.open(each.evidence)}) for each in entries]


class Evidence:
    """All evidence of a ledger, for a rotation of the keys."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def reseal(self) -> int:
        """Seal everything with the first key, also what lies in clear from before; return how many proofs.

        Blocks are transactions of their own: it may be broken off and called again.

        Raises:
            EvidenceLocked: where some were sealed with a key that is not given. Those before stay resealed.
        """
        done, last = 0, 0
        while rows := self._after(last):
            with self._database.writing({row[1] for row in rows}) as session:
                session.many(_RESEAL, [self._resealed(row) for row in rows])
            done, last = done + len(rows), rows[-1][0]
        return done

    def _after(self, last: int) -> list[Row]:
        with self._database.reading() as session:
            return session.rows(_PROOFS, last=last, at_most=_BLOCK)

    def _resealed(self, row: Row) -> dict[str, object]:
        return {"number": row[0], "sealed": self._seal.seal(self._seal.open(row[2]))}


def _box(keys: Sequence[str]) -> MultiFernet:
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415  # as above

    return MultiFernet([Fernet(_fernet_key(key, place)) for place, key in enumerate(keys, start=1)])


def _fernet_key(key: str, place: int) -> bytes:
    """Fernet wants the padding of base64, which a generated secret leaves out."""
    try:
        found = urlsafe_b64decode(key.rstrip("=") + "=" * (-len(key.rstrip("=")) % 4))
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != _KEY_BYTES:
        raise ValueError(
            f"evidence key {place} is not {_KEY_BYTES} bytes in URL-safe base64; make one with "
            "python -c 'import secrets; print(secrets.token_urlsafe(32))', and separate several by commas"
        )
    return urlsafe_b64encode(found)
