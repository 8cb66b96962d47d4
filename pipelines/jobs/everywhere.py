"""Customers and events go into lake and ledger; consents and preferences into the ledger, their only home."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.contracts import Preference
from features.contracts.words import STORED

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

    from decisions.ledger import Ledger
    from features.lake import Appended, Lake


class Everywhere:
    """Puts each row wherever it bears on something.

    Where a row goes into both, the lake comes first; the ledger is idempotent, so that work that died in between
    is mended by doing it again.
    """

    def __init__(self, lake: Lake, ledger: Ledger, now: datetime) -> None:
        self._lake = lake
        self._ledger = ledger
        self._now = now
        self.conflicts = 0
        """Events whose id came before with another content."""

    def customers(self, table: pa.Table) -> None:
        """Take customers (``CUSTOMER_SCHEMA``)."""
        self._lake.put_customers(table)
        self._ledger.put_customers(table, now=self._now)

    def events(self, table: pa.Table) -> Appended:
        """Take events (``EVENT_SCHEMA``)."""
        appended = self._lake.append(table)
        self.conflicts += self._ledger.load_events(table, self._now).conflicts
        return appended

    def consents(self, table: pa.Table) -> None:
        """Take entries of the consent journal (``CONSENT_SCHEMA``)."""
        self._ledger.append_consents(table, self._now)

    def preferences(self, table: pa.Table) -> None:
        """Take customers' own limits (``PREFERENCE_SCHEMA``)."""
        for row in table.to_pylist():
            self._ledger.put_preference(Preference.model_validate(row, context=STORED), now=self._now)
