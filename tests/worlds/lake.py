"""Rows to fill a lake with, and a sink that keeps what an import hands over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from features.contracts import CUSTOMER_SCHEMA, EVENT_SCHEMA
from features.lake import Appended, Lake, connect

NOON = datetime(2017, 3, 1, 12, tzinfo=UTC)


def event(event_id: str, customer_id: str = "1", **given: Any) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "customer_id": customer_id,
        "type": "purchased",
        "occurred_at": NOON,
        "automated": False,
        "properties": "{}",
        **given,
    }


def customer(customer_id: str, household_id: str | None = None, **given: Any) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "household_id": household_id,
        "attributes": "{}",
        "contacts": "{}",
        **given,
    }


def events(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=EVENT_SCHEMA)


def customers(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=CUSTOMER_SCHEMA)


def everything(lake: Lake) -> dict[int, list[dict[str, Any]]]:
    """All events by bucket, in the order of their ids."""
    connection = connect()
    tables = {b: lake.events(connection, b).order_by("event_id").to_pyarrow() for b in range(lake.buckets)}
    return {bucket: table.to_pylist() for bucket, table in tables.items() if table.num_rows}


def ids(lake: Lake) -> list[str]:
    return sorted(row["event_id"] for rows in everything(lake).values() for row in rows)


class KeepingSink:
    """Lake for events and customers, lists for what would go to a ledger."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.consented: list[dict[str, Any]] = []
        self.preferred: list[dict[str, Any]] = []

    def customers(self, table: pa.Table) -> None:
        self.lake.put_customers(table)

    def events(self, table: pa.Table) -> Appended:
        return self.lake.append(table)

    def consents(self, table: pa.Table) -> None:
        self.consented += table.to_pylist()

    def preferences(self, table: pa.Table) -> None:
        self.preferred += table.to_pylist()
