"""Where an import puts what it read: the caller composes lake and ledger into one of these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from features.lake import Appended


class ImportSink(Protocol):
    """Takes contracts in bulk. Every row has passed the contract's rules.

    Tables come in pieces of at most a million rows. Each call must be idempotent: an import that is run again,
    after success or a crash, changes nothing that is there already.
    """

    def customers(self, table: pa.Table) -> None:
        """Take customers (``CUSTOMER_SCHEMA``); the latest row of a customer wins."""
        ...

    def events(self, table: pa.Table) -> Appended:
        """Take events (``EVENT_SCHEMA``) and say how many were new."""
        ...

    def consents(self, table: pa.Table) -> None:
        """Take entries of the consent journal (``CONSENT_SCHEMA``)."""
        ...

    def preferences(self, table: pa.Table) -> None:
        """Take customers' own limits (``PREFERENCE_SCHEMA``)."""
        ...
