"""A small world to train in: buyers who leave, mail they answer, and a lake and a store over it.

The store computes the vocabulary's activity and pressure by plain DuckDB, from events strictly before the last
midnight, in an order of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa

from decisions.priors import Priors
from features.contracts import CUSTOMER_SCHEMA, EVENT_SCHEMA, Offer
from features.vocabulary import LONG_WINDOW, WINDOWS, Vocabulary
from training.sources import TrainingSources

VOCABULARY = Vocabulary(channels=("email", "mail"), categories=("grocery",))
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 330
OFFERS = (Offer(offer_id="milk", category="grocery", channels=("email", "mail"), margin=2.0),)


def event_table(rows: list[dict]) -> pa.Table:
    """Fill rows up to EVENT_SCHEMA."""
    defaults = {"automated": False, "properties": "{}"}
    filled = [
        {"event_id": f"e{number}", **{name: defaults.get(name) for name in EVENT_SCHEMA.names[1:]}, **row}
        for number, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(filled, schema=EVENT_SCHEMA)


def buyers(*, customers: int = 240, seed: int = 1, mail: bool = True) -> list[dict]:
    """Poisson buyers of different rates; some leave. Mail every 30 days; some always answer, most never."""
    rng = np.random.default_rng(seed)
    rows: list[dict] = []
    for number in range(customers):
        name = f"c{number:04d}"
        rate, stays = rng.gamma(2.0, 0.05) + 0.02, rng.exponential(500.0)
        at = np.cumsum(rng.exponential(1 / rate, size=200))
        rows += [
            {"customer_id": name, "type": "purchased", "occurred_at": BEGIN + timedelta(days=day), "value": 10.0}
            for day in at[at < min(stays, DAYS)].tolist()
        ]
        if mail:
            rows += _mail(name, answers=0.6 if number % 5 == 0 else 0.03, rng=rng)
    return rows


def _mail(name: str, *, answers: float, rng: np.random.Generator) -> list[dict]:
    rows = []
    for number, day in enumerate(range(20, DAYS, 30)):
        sent = {"customer_id": name, "channel": "mail", "campaign_id": f"k{number}"}
        at = BEGIN + timedelta(days=day, hours=9)
        rows.append({**sent, "type": "sent", "occurred_at": at})
        if rng.random() < answers:
            rows.append({**sent, "type": "clicked", "occurred_at": at + timedelta(days=2)})
    return rows


@dataclass
class WorldLake:
    """Events in buckets."""

    table: pa.Table
    buckets: int = 3
    zone: str = "Europe/Berlin"

    def events(self, connection, bucket: int):
        customers = np.array([int(name[1:]) for name in self.table["customer_id"].to_pylist()])
        part = self.table.filter(pa.array(customers % self.buckets == bucket))
        return connection.create_table(f"events_{bucket}", part, overwrite=True)

    def customers(self, connection, bucket: int):
        names = sorted(set(self.table["customer_id"].to_pylist()))
        mine = [name for name in names if int(name[1:]) % self.buckets == bucket]
        empty = {"contacts": "{}", "attributes": "{}", "time_zone": self.zone}
        rows = [dict.fromkeys(CUSTOMER_SCHEMA.names) | empty | {"customer_id": name} for name in mine]
        table = pa.Table.from_pylist(rows, schema=CUSTOMER_SCHEMA)
        return connection.create_table(f"customers_{bucket}", table, overwrite=True)


@dataclass
class WorldStore:
    """Features at any moment, from events strictly before the last midnight."""

    table: pa.Table

    def training_set(self, spine: pa.Table) -> pa.Table:
        with duckdb.connect() as connection:
            connection.execute("SET timezone = 'UTC'")
            connection.register("ev", self.table)
            connection.register("spine", spine)
            connection.execute(
                "CREATE TABLE asked AS SELECT DISTINCT customer_id, date_trunc('day', event_timestamp) AS d FROM spine"
            )
            return connection.sql(
                f"SELECT s.*, a.* EXCLUDE (customer_id, d), p.* EXCLUDE (customer_id, d) FROM spine s "
                f"LEFT JOIN ({_activity()}) a ON a.customer_id = s.customer_id AND a.d = date_trunc('day', event_timestamp) "
                f"LEFT JOIN ({_pressure()}) p ON p.customer_id = s.customer_id AND p.d = date_trunc('day', event_timestamp) "
                "ORDER BY hash(s.customer_id)"
            ).to_arrow_table()

    def rhythm_at(self, spine: pa.Table) -> pa.Table:
        raise NotImplementedError


def _activity() -> str:
    columns = []
    for days in (*WINDOWS, LONG_WINDOW):
        inside = f"FILTER (WHERE occurred_at >= d - INTERVAL {days} DAY)"
        columns += [
            f"count(*) {inside}::DOUBLE AS orders_{days}d",
            f"coalesce(sum(value) {inside}, 0)::DOUBLE AS spend_{days}d",
            f"count(DISTINCT occurred_at::DATE) {inside}::DOUBLE AS active_days_{days}d",
            f"0.0::DOUBLE AS sessions_{days}d",
        ]
    since = "date_diff('second', {}(occurred_at), any_value(d)) / 86400.0"
    gap = "nullif(date_diff('second', min(occurred_at), max(occurred_at)) / 86400.0 / nullif(count(*) - 1, 0), 0)"
    return (
        f"SELECT customer_id, d, {since.format('max')} AS recency_days, {since.format('min')} AS tenure_days, "
        f"{gap} AS gap_mean_days, NULL::DOUBLE AS gap_sd_days, {since.format('max')} / {gap} AS overdue, "
        f"{', '.join(columns)} FROM asked JOIN ev USING (customer_id) "
        "WHERE type = 'purchased' AND occurred_at < d GROUP BY customer_id, d"
    )


def _pressure() -> str:
    columns = []
    for channel in VOCABULARY.channels:
        for what in ("sent", "opened", "clicked", "converted", "bounced", "unsubscribed"):
            columns += [
                f"count(*) FILTER (WHERE channel = '{channel}' AND type = '{what}' AND NOT automated "
                f"AND occurred_at >= d - INTERVAL {days} DAY)::DOUBLE AS {channel}_{what}_{days}d"
                for days in WINDOWS
            ]
        columns.append(
            f"date_diff('second', max(occurred_at) FILTER (WHERE channel = '{channel}' AND type = 'sent'), "
            f"any_value(d)) / 86400.0 AS {channel}_days_since_sent"
        )
    return (
        f"SELECT customer_id, d, {', '.join(columns)} FROM asked JOIN ev USING (customer_id) "
        "WHERE occurred_at < d GROUP BY customer_id, d"
    )


def world(rows: list[dict], *, days: int = DAYS) -> TrainingSources:
    """Build the sources of a world that stands at ``days`` after its beginning."""
    table = event_table(rows)
    return TrainingSources(
        lake=WorldLake(table),
        store=WorldStore(table),
        vocabulary=VOCABULARY,
        priors=Priors(),
        offers=OFFERS,
        now=BEGIN + timedelta(days=days),
    )
