"""Delivery health and pressure, counted from the lake a bucket at a time."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pyarrow as pa

from features.contracts import EVENT_SCHEMA
from features.lake import connect
from features.tables.messages import about, messages, of_reports, reports
from measures.intervals import wilson
from measures.outcome import Interval
from pipelines.monitor.records import HARM, RESPONSE, Load, Rate
from runtime.lake import lake_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runtime.build import Kairos

Counts = Counter[tuple[str, str]]
"""How many messages, by channel and what happened to them."""

_BUCKET = "bucket_rows"


def rates(kairos: Kairos, now: datetime, days: int) -> Iterator[Rate]:
    """Return how many messages had each reaction, in the last ``days`` days and in the same time before."""
    recent, former = Counts(), Counts()
    start = now - timedelta(days=days)
    for row in _each_bucket(kairos, lambda events: _by_type(events, start - timedelta(days=days), start, now)):
        (recent if row["recent"] else former)[row["channel"], row["type"]] += row["n"]
    recorded = {*recent, *former}
    for channel in sorted({channel for channel, _ in recent}):
        for what in (*HARM, *RESPONSE):
            if (channel, what) in recorded:  # what was never reported is not known to be zero
                yield _rate(channel, what, recent, former)


def _by_type(events: Any, first: datetime, start: datetime, now: datetime) -> Any:
    """Count messages, and to how many each thing happened: once each, however many sources told of it."""
    told = reports(events.filter(events["occurred_at"] < now))
    sends = of_reports(told)
    happened = events.filter(events["type"].isin([*HARM, *RESPONSE]), ~events["automated"])
    named = about(happened, told).inner_join(sends.select("message", sent_on="channel"), "message")
    loose = happened.anti_join(named, "event_id")
    every = ibis.union(
        _counted(sends, channel=sends["channel"], what="sent", key=sends["message"]),
        _counted(
            named, channel=named["channel"].coalesce(named["sent_on"]), what=named["type"], key=named["message"]
        ),
        _counted(loose, channel=loose["channel"], what=loose["type"], key=loose["event_id"]),
    )
    seen = every.filter(every["channel"].notnull(), every["at"] >= first, every["at"] < now)
    return seen.group_by("channel", "type", recent=seen["at"] >= start).aggregate(n=seen["key"].nunique())


def _counted(rows: Any, *, channel: Any, what: Any, key: Any) -> Any:
    # The casts make all sides nullable: to Ibis a union of null and not null is an error.
    kind = ibis.literal(what) if isinstance(what, str) else what
    return rows.select(
        channel=channel.cast("string"),
        type=kind.cast("string"),
        key=key.cast("string"),
        at=rows["occurred_at"].cast("timestamp('UTC', 6)"),
    )


def _rate(channel: str, what: str, recent: Counts, former: Counts) -> Rate:
    sent, before = recent[channel, "sent"], former[channel, "sent"]
    found = wilson(
        recent[channel, what], sent
    )  # not computable where reactions to earlier messages outnumber these
    rate, low, high = (found.estimate, found.low, found.high) if isinstance(found, Interval) else (None,) * 3
    return Rate(
        channel=channel,
        what=what,
        sent=sent,
        rate=rate,
        low=low,
        high=high,
        before=former[channel, what] / before if 0 < former[channel, what] <= before else None,
    )


def loads(kairos: Kairos, now: datetime, days: int) -> Iterator[Load]:
    """Return how many messages customers got in the last ``days`` days, by channel."""
    start, per_customer = now - timedelta(days=days), dict[str, list[int]]()
    for row in _each_bucket(kairos, lambda events: _by_customer(events, start, now)):
        per_customer.setdefault(row["channel"], []).append(row["n"])
    for channel, numbers in sorted(per_customer.items()):
        yield Load(channel=channel, customers=len(numbers), median=float(np.median(numbers)), most=max(numbers))


def _by_customer(events: Any, start: datetime, now: datetime) -> Any:
    every = messages(events.filter(events["occurred_at"] < now))
    sent = every.filter(every["channel"].notnull(), every["occurred_at"] >= start)
    return sent.group_by("channel", "customer_id").aggregate(n=lambda part: part.count())


def _each_bucket(kairos: Kairos, query: Callable[[Any], Any]) -> Iterator[dict[str, Any]]:
    # Compiled once, not once a bucket: Ibis takes longer than DuckDB does for a bucket.
    nullable = pa.schema([field.with_nullable(True) for field in EVENT_SCHEMA])
    sql = str(ibis.to_sql(query(ibis.table(ibis.Schema.from_pyarrow(nullable), name=_BUCKET)), dialect="duckdb"))
    lake = lake_of(kairos.settings)
    connection = connect(memory_limit=kairos.settings.memory_limit)
    try:
        for bucket in range(lake.buckets):
            connection.create_view(_BUCKET, lake.events(connection, bucket), overwrite=True)
            yield from connection.raw_sql(sql).to_arrow_table().to_pylist()
    finally:
        connection.disconnect()
