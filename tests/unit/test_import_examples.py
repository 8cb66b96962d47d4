"""The two examples, whole: what they hold is known, so what arrives can be counted."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.importing import load_mapping, run_import
from features.lake import Lake, bucket_of, connect
from tests.worlds.lake import KeepingSink, everything

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def webshop(tmp_path_factory):
    lake = Lake(tmp_path_factory.mktemp("webshop"))
    sink = KeepingSink(lake)
    mapping = load_mapping(EXAMPLES / "webshop" / "import.yaml")
    report = run_import(mapping, sink, quarantine_root=lake.quarantine, now=datetime(2024, 12, 1, tzinfo=UTC))
    events = {row["event_id"]: row for rows in everything(lake).values() for row in rows}
    return lake, sink, report, events


def test_the_webshop_arrives_row_by_row(webshop):
    _, _, report, _ = webshop
    assert report.events == {"cart_added": 1, "purchased": 6, "sent": 4, "viewed": 3}
    assert (report.customers, report.consents, report.preferences, report.duplicates) == (4, 4, 6, 1)
    assert report.quarantined == {
        "birthday_readable": 1,  # the 31st of February
        "customer_id_required": 1,  # a visit of nobody
        "line_readable": 2,  # a short CSV line, a broken JSON line
        "occurred_at_plausible": 1,  # a visit in 2100
        "occurred_at_readable": 2,  # a 13th month, and "soon"
        "quantity_positive": 1,
        "quantity_readable": 1,  # "two"
        "status_readable": 1,  # a consent that says "maybe"
        "time_zone_known": 1,  # Mars/Olympus
        "type_readable": 1,  # a wish list, which the map does not name
    }


def test_the_webshops_items_become_one_event_per_order_and_category(webshop):
    _, _, _, events = webshop
    row = events["order:A-1:tea"]
    assert (row["customer_id"], row["value"], row["currency"]) == ("0007", 15.0, "EUR")
    assert json.loads(row["properties"]) == {"category": "tea", "order_id": "A-1", "items": 3}
    assert events["order:A-3:other"]["value"] == 5.0  # a product the list lacks


@pytest.mark.parametrize(
    ("event_id", "at"),
    [
        ("order:A-1:tea", "2024-03-30T11:00:00+00:00"),  # noon in Berlin in winter
        ("order:A-2:tea", "2024-03-31T10:00:00+00:00"),  # noon on the day summer time begins
        ("order:A-3:tableware", "2024-10-27T11:00:00+00:00"),  # noon on the day it ends
        ("newsletter:12:0007", "2024-03-31T01:30:00+00:00"),  # 02:30 was skipped: 03:30 it is
        ("newsletter:12:0009", "2024-03-31T01:30:00+00:00"),  # brought its own offset
        ("newsletter:41:0007", "2024-10-27T00:30:00+00:00"),  # 02:30 came twice: the first
        ("visit:1", "2024-03-30T23:00:00+00:00"),  # milliseconds since 1970
    ],
)
def test_the_webshops_times_survive_daylight_saving(webshop, event_id, at):
    _, _, _, events = webshop
    assert events[event_id]["occurred_at"].isoformat() == at


def test_the_webshops_families_share_a_bucket(webshop):
    lake, _, _, _ = webshop
    assert {"0007", "0008"} <= set(lake.customer_ids(bucket_of("family-F1", lake.buckets)))


def test_the_webshops_consents_and_wishes_reach_the_sink(webshop):
    _, sink, _, _ = webshop
    assert {row["customer_id"]: row["status"] for row in sink.consented} == {
        "0007": "granted", "0008": "withdrawn", "0009": "granted", "0011": "granted",
    }  # fmt: skip
    wishes = {row["customer_id"]: row for row in sink.preferred}
    assert wishes["0008"]["channels_off"] == ["sms"]
    assert [wishes["0007"][name] for name in ("quiet_from", "quiet_until", "max_per_week")] == [21, 8, 2]


@pytest.mark.slow
def test_the_complete_journey_arrives_whole(tmp_path):
    lake = Lake(tmp_path / "lake")
    sink = KeepingSink(lake)
    mapping = load_mapping(EXAMPLES / "complete_journey" / "import.yaml")
    now = datetime(2018, 1, 1, 4, 1, 20, tzinfo=UTC)
    report = run_import(mapping, sink, quarantine_root=lake.quarantine, now=now)
    assert report.events == {"converted": 2102, "purchased": 386_067, "sent": 6589}
    assert report.quarantined == {"quantity_positive": 8869}
    assert (report.customers, report.duplicates) == (2469, 0)
    assert report.last_occurred_at == lake.last_event_at() == now
    assert lake.counts() == report.events
    assert Counter(row["channel"] for row in sink.consented) == {"mail": 1559, "email": 1450}
    assert {row["source"] for row in sink.consented} == {"assumption"}
    _baskets_come_back(lake)
    _customers_are_as_the_readme_says(lake)
    (refused,) = [pq.ParquetFile(path).read() for path in lake.quarantine.glob("*.parquet")]
    assert set(json.loads(refused["row"][0].as_py())) >= {"household_id", "basket_id", "quantity"}
    messages = mapping.model_copy(update={"events": mapping.events[1:]})  # the small blocks: it is about ids
    again = run_import(messages, sink, quarantine_root=lake.quarantine, now=now)
    assert again.duplicates == 2102 + 6589
    assert lake.counts() == report.events


def _baskets_come_back(lake: Lake) -> None:
    connection = connect()
    baskets, paid = 0, 0.0
    for bucket in range(lake.buckets):
        bought = lake.events(connection, bucket).filter(lambda t: t.type == "purchased")
        order = bought.properties.cast("json")["order_id"]
        row = bought.aggregate(n=order.nunique(), paid=bought.value.sum()).to_pyarrow().to_pylist()[0]
        baskets, paid = baskets + row["n"], paid + row["paid"]
    assert baskets == 155_848 - 330  # 330 baskets hold nothing but quantities of 0 or less
    assert paid == pytest.approx(4_596_027.06, abs=0.01)


def _customers_are_as_the_readme_says(lake: Lake) -> None:
    connection = connect()
    tables = [lake.customers(connection, bucket).to_pyarrow().to_pylist() for bucket in range(lake.buckets)]
    rows = [row for table in tables for row in table]
    assert sum(row["attributes"] != "{}" for row in rows) == 801
    contacts = [json.loads(row["contacts"]) for row in rows]
    assert Counter(contact["mail"] for contact in contacts) == {"valid": 1559, "absent": 910}
    assert Counter(contact["email"] for contact in contacts) == {"valid": 1450, "absent": 1019}
    assert {(row["time_zone"], row["country"]) for row in rows} == {("America/New_York", "US")}
    assert all(row["household_id"] == row["customer_id"] for row in rows)
