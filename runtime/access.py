"""Who is calling: the key that was presented, looked up among copies a few seconds old.

No request waits for the database: every worker reads the keys again at most once in :data:`FRESH` seconds, and so
a revoked key opens nothing after that long, and a new one everything. The machine's own clock judges what has
expired: a clock that stands still for a replay must not keep a key alive.
"""

from __future__ import annotations

import hmac
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from decisions.ledger.keys import Role, digest_of, key_id_of
from runtime.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import SecretStr

    from decisions.ledger.keys import ApiKey, Keyring
    from runtime.clock import Clock

FRESH = 5.0
"""Seconds for which a worker goes by the keys it has read."""

_NOBODYS = digest_of("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose key it was, and what it may do."""

    key_id: str
    role: Role


FIRST = Caller(key_id="first", role="admin")
"""The key that is generated below ``home`` at first start, or given in the settings."""


class Access:
    """Tells callers by their keys. Safe to use from many threads."""

    def __init__(
        self,
        keyring: Keyring,
        *,
        first: SecretStr,
        clock: Clock | None = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keyring = keyring
        self._first = digest_of(first.get_secret_value())
        self._clock = clock or SystemClock()
        self._ticks = ticks
        self._lock = threading.Lock()
        self._keys: Mapping[str, ApiKey] = {}
        self._read_at: float | None = None

    def authenticate(self, presented: str) -> Caller | None:
        """Return whose key was presented, or None for a stranger's, a revoked and an expired one.

        Digests are compared in constant time, so that a wrong key's answer time tells nothing of the right one.
        The first key needs no ledger.

        Raises:
            StorageError: where the keys have to be read again and the ledger is away.
        """
        digest = digest_of(presented)
        if hmac.compare_digest(digest, self._first):
            return FIRST
        key_id = key_id_of(presented)
        key = self._known().get(key_id) if key_id else None
        if not hmac.compare_digest(digest, key.digest if key else _NOBODYS) or key is None:
            return None
        return Caller(key_id=key.key_id, role=key.role) if self._stands(key) else None

    def at_once(self, presented: str) -> bool:
        """Return whether :meth:`authenticate` will answer without reading the ledger."""
        return not self._stale() or key_id_of(presented) is None

    def _stands(self, key: ApiKey) -> bool:
        return key.standing(self._clock.now()) == "valid"

    def _known(self) -> Mapping[str, ApiKey]:
        if self._stale():
            with self._lock:
                if self._stale():
                    started = self._ticks()
                    self._keys = {key.key_id: key for key in self._keyring.all()}
                    self._read_at = started
        return self._keys

    def _stale(self) -> bool:
        return self._read_at is None or self._ticks() - self._read_at >= FRESH
