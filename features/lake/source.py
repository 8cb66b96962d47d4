"""What of the lake its readers need, so that a test's list of events serves them as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import ibis.expr.types as ir


class EventSource(Protocol):
    """Where events come from, a bucket at a time."""

    @property
    def buckets(self) -> int:
        """How many buckets there are; they are numbered from 0."""
        ...

    def events(self, connection: Any, bucket: int) -> ir.Table:
        """Return the bucket's events (``EVENT_SCHEMA``) as an Ibis table on ``connection``."""
        ...


class CustomerSource(EventSource, Protocol):
    """Where events and the customers behind them come from, a bucket at a time."""

    def customers(self, connection: Any, bucket: int) -> ir.Table:
        """Return the bucket's customers (``CUSTOMER_SCHEMA``) as an Ibis table on ``connection``."""
        ...
