"""A small world for the feature tables: events by hand, a lake in memory, and what the tables should say."""

from __future__ import annotations

import json
import math
import statistics
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import ibis
import pyarrow as pa

from features.contracts import EVENT_SCHEMA
from features.vocabulary import LONG_WINDOW, MESSAGE_COUNTS, TALLY_COUNTS, WINDOWS, Vocabulary

WORDS = Vocabulary(channels=("email", "mail"), categories=("bread", "milk"))
_ids = count()


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def event(
    customer,
    kind,
    at,
    *,
    channel=None,
    value=None,
    automated=False,
    decision=None,
    message=None,
    event_id=None,
    offer=None,
    **properties,
):
    return {
        "event_id": event_id or f"e{next(_ids)}",
        "customer_id": customer,
        "type": kind,
        "occurred_at": at,
        "channel": channel,
        "decision_id": decision,
        "message_id": message,
        "offer_id": offer,
        "value": value,
        "automated": automated,
        "properties": json.dumps(properties),
    }  # fmt: skip


def events_table(rows):
    return pa.Table.from_pylist(list(rows), schema=EVENT_SCHEMA)


CUSTOMER_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("customer_id", "time_zone", "country", "contacts", "attributes")]
)


def customer(customer_id, *, zone=None, country=None, attributes="{}", **contacts):
    return {
        "customer_id": customer_id,
        "time_zone": zone,
        "country": country,
        "contacts": json.dumps(contacts),
        "attributes": attributes,
    }


def customers_table(rows):
    return pa.Table.from_pylist(list(rows), schema=CUSTOMER_SCHEMA)


class MemoryLake:
    """Events and customers by bucket, from memory."""

    def __init__(self, rows, customers, *, buckets=2):
        self.buckets = buckets
        self._events = [events_table(r for r in rows if self._home(r) == b) for b in range(buckets)]
        self._customers = [customers_table(r for r in customers if self._home(r) == b) for b in range(buckets)]

    def _home(self, row):
        return sum(row["customer_id"].encode()) % self.buckets

    def events(self, connection, bucket):
        return ibis.memtable(self._events[bucket])

    def customers(self, connection, bucket):
        return ibis.memtable(self._customers[bucket])


def run(build, rows, customers=()):
    """Run a table over these events and customers; one dict a row, by customer and moment."""
    connection = ibis.duckdb.connect()
    events = connection.create_table("events", events_table(rows))
    people = connection.create_table("customers", customers_table(customers))
    names = build.__code__.co_varnames[: build.__code__.co_argcount]
    found = connection.to_pyarrow(build(events, people) if len(names) == 2 else build(events)).to_pylist()
    connection.disconnect()
    return {(row.pop("customer_id"), row.pop("event_timestamp", None)): row for row in found}


class Runner:
    """One table, compiled once, run over many sets of events: what a property test needs."""

    def __init__(self, build):
        events = ibis.table(ibis.Schema.from_pyarrow(EVENT_SCHEMA), name="events")
        self._sql = ibis.to_sql(build(events), dialect="duckdb")
        self._connection = ibis.duckdb.connect(threads=1)

    def __call__(self, rows):
        self._connection.create_table("events", events_table(rows), temp=True, overwrite=True)
        found = self._connection.raw_sql(str(self._sql)).to_arrow_table().to_pylist()
        return {(row.pop("customer_id"), row.pop("event_timestamp", None)): row for row in found}


# The oracles: one customer, one moment, plain Python over the events before it.

DAY = timedelta(days=1)


def _orders(known):
    first = {}
    for row in known:
        if row["type"] == "purchased":
            named = json.loads(row["properties"]).get("order_id")
            key = ("order", str(named)) if named is not None else ("event", row["event_id"])
            first[key] = min(first.get(key, row["occurred_at"]), row["occurred_at"])
    return list(first.values())


def expected_activity(rows, moment):
    known = [row for row in rows if row["occurred_at"] < moment]
    orders = _orders(known)
    days = sorted({at.date() for at in orders})
    gaps = [(b - a).days for a, b in pairwise(days)]
    recency = (moment - max(orders)) / DAY if orders else None
    mean = statistics.fmean(gaps) if gaps else None
    found = {
        "recency_days": recency,
        "tenure_days": (moment - min(row["occurred_at"] for row in known)) / DAY,
        "gap_mean_days": mean,
        "gap_sd_days": statistics.stdev(gaps) if len(gaps) > 1 else None,
        "overdue": recency / mean if mean else None,
    }
    for window in (*WINDOWS, LONG_WINDOW):
        since = moment - window * DAY
        recent = [row for row in known if row["occurred_at"] >= since]
        found[f"orders_{window}d"] = sum(at >= since for at in orders)
        found[f"spend_{window}d"] = sum(row["value"] or 0 for row in recent if row["type"] == "purchased")
        found[f"active_days_{window}d"] = len({at.date() for at in orders if at >= since})
        found[f"sessions_{window}d"] = sum(row["type"] == "session" for row in recent)
    return found


def sends_on(rows, channel):
    """The messages on a channel among the events of one customer."""
    return [each for each in messages(rows) if each["channel"] == channel]


def expected_pressure(rows, moment, channel):
    known = [row for row in rows if row["occurred_at"] < moment]
    sends = sends_on(known, channel)
    known = [row for row in known if row["channel"] == channel]
    moments = {what: [] for what in MESSAGE_COUNTS} | {"sent": [row["occurred_at"] for row in sends]}
    for row in known:
        machine = row["automated"] and row["type"] in ("opened", "clicked")
        if row["type"] in moments and row["type"] != "sent" and not machine:
            moments[row["type"]].append(row["occurred_at"])
    found = {
        f"{channel}_{what}_{window}d": sum(at >= moment - window * DAY for at in moments[what])
        for what in MESSAGE_COUNTS
        for window in WINDOWS
    }
    found[f"{channel}_days_since_sent"] = (moment - max(moments["sent"])) / DAY if moments["sent"] else None
    return found


def expected_categories(rows, moment, categories):
    bought = [row for row in rows if row["occurred_at"] < moment and row["type"] == "purchased"]
    of = {id(row): json.loads(row["properties"]).get("category") for row in bought}
    year = [row for row in bought if row["occurred_at"] >= moment - LONG_WINDOW * DAY]
    total = sum(row["value"] or 0 for row in year)
    found = {"category_share": [], "category_orders_90d": [], "category_recency_days": []}
    for category in categories:
        orders = _orders([row for row in bought if of[id(row)] == category])
        spent = sum(row["value"] or 0 for row in year if of[id(row)] == category)
        found["category_share"].append(spent / total if total > 0 else None)
        found["category_orders_90d"].append(sum(at >= moment - 90 * DAY for at in orders))
        found["category_recency_days"].append((moment - max(orders)) / DAY if orders else None)
    return found


def expected_tally(rows, moment):
    """The tally of one customer at ``moment``: every message looked at alone, every pressure summed anew."""
    known = [row for row in rows if row["occurred_at"] < moment]
    sent = sorted(messages(known), key=lambda m: (m["occurred_at"], m["event_id"]))
    found = defaultdict(lambda: dict.fromkeys(TALLY_COUNTS, 0.0))
    for place, message in enumerate(sent):
        if message["channel"] is not None:
            pressure = sum(
                0.5 ** ((message["occurred_at"] - before["occurred_at"]) / DAY / 7) for before in sent[:place]
            )
            counts = found[f"{message['offer_id'] or ''}|{message['channel']}"]
            for name, value in _counted(message, known, pressure, moment).items():
                counts[name] += value
    pairs = sorted(found)
    return {"tally_pairs": pairs} | {name: [found[pair][name] for pair in pairs] for name in TALLY_COUNTS}


def _counted(message, known, pressure, moment):
    happened = [(row["type"], row["automated"]) for row in known if names(row, message)]
    hidden = ("opened", True) in happened
    bounced = any(kind == "bounced" for kind, _ in happened)
    ripe = 1 - math.exp(-(((moment - message["occurred_at"]) / timedelta(hours=12)) ** 0.6))
    clicked, ordered = ("clicked", False) in happened, any(kind == "converted" for kind, _ in happened)
    shown = ripe if hidden or not bounced else 0.0
    yield_of = "hidden_" if hidden else ""
    return {
        "tally_sent": 1,
        "tally_hidden" if hidden else "tally_exposed": shown,
        f"tally_{yield_of}pressed": shown * pressure,
        f"tally_{yield_of}clicked": clicked,
        f"tally_{yield_of}ordered": ordered,
        "tally_opened": not hidden and ("opened", False) in happened,
        "tally_seen": not hidden and any((k, False) in happened for k in ("opened", "clicked", "converted")),
    }


def names(row, message):
    """Tell whether an event names a message of its customer."""
    return any(
        row[kind] and row[kind] == report[kind]
        for report in message["reports"]
        for kind in ("decision_id", "message_id")
    )


SAID = ("channel", "campaign_id", "offer_id")


def messages(rows):
    """The messages of one customer, with all their ``reports``: names are joined until no two share one.

    A message went when its earliest report says, and was what the earliest says that names a channel.
    """
    groups = []
    for row in (row for row in rows if row["type"] == "sent"):
        names = {(kind, row[kind]) for kind in ("decision_id", "message_id") if row[kind]}
        mine = [group for group in groups if group[0] & names]
        groups = [group for group in groups if group not in mine]
        groups.append((names.union(*(each for each, _ in mine)), [row, *(row for _, of in mine for row in of)]))
    return [_message(_in_time(reports)) for _, reports in groups]


def _message(reports):
    teller = next((row for row in reports if row["channel"]), reports[0])
    return reports[0] | {
        **{name: teller.get(name) for name in SAID},
        "told_by": teller["event_id"],
        "reports": reports,
    }


def _in_time(rows):
    return sorted(rows, key=lambda r: (r["occurred_at"], r["event_id"]))
