"""A person to be forgotten: in every store of a small home, beside a member of the same household who stays."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from decisions.records import Ask
from features.contracts import CUSTOMER_SCHEMA, Event, Preference
from features.importing.quarantine import Quarantine
from features.lake import Lake
from tests.worlds.service import NOW, settings_in, settle

if TYPE_CHECKING:
    from pathlib import Path

    from runtime.build import Kairos
    from runtime.settings import Settings

CANARY, KIN, STRANGER = "canary-7f3a9d", "kin-of-the-household", "a-stranger"
ATTRIBUTE = "likes-yellow-feathers"
MONTHS = 3


def home_in(folder: Path) -> Settings:
    return settings_in(folder, buckets=4, threads=1)


def events_of(customer_id: str) -> list[Event]:
    return [
        Event(
            event_id=f"event-{number}-of-{customer_id}",
            customer_id=customer_id,
            type=kind,
            occurred_at=NOW - timedelta(days=1 + 30 * number),
            channel="email" if kind == "sent" else None,
            value=10.0,
            properties={"note": ATTRIBUTE} if customer_id == CANARY else {},
        )
        for number, kind in enumerate(("purchased", "sent", "session"))
    ]


def fill(kairos: Kairos) -> None:
    """Put the three into ledger and lake: some events drained, some waiting, refused rows, a decision each."""
    settings, people = kairos.settings, (CANARY, KIN, STRANGER)
    settle(settings, people)
    lake = Lake(settings.lake, buckets=settings.buckets)
    lake.put_customers(_customers())
    for customer_id in people:
        kairos.ledger.take_events(events_of(customer_id), NOW)
        kairos.ledger.put_preference(Preference(customer_id=customer_id, max_per_week=5))
    refused = {"rule": ["r"] * 3, "row": ["{}", f'{{"who":"{CANARY}"}}', "{}"], "customer_id": [CANARY, None, KIN]}
    Quarantine(lake.quarantine, NOW).keep(pa.table(refused), block="b", source="s", asks={"r": "x > 0"})
    kairos.decider.decide([Ask(request_id=f"r-{each}", customer_id=each, purpose="service") for each in people])


def _customers() -> pa.Table:
    homes = {CANARY: "one-roof", KIN: "one-roof", STRANGER: None}
    rows = [
        {
            "customer_id": who,
            "household_id": household,
            "time_zone": "Europe/Berlin",
            "attributes": f'{{"taste":"{ATTRIBUTE}"}}' if who == CANARY else "{}",
            "contacts": '{"email":"valid"}',
        }
        for who, household in homes.items()
    ]
    return pa.Table.from_pylist(rows, schema=CUSTOMER_SCHEMA)


def traces(folder: Path, *words: str) -> list[str]:
    """Name every file below ``folder`` that holds one of ``words``, in its bytes or once it is unpacked."""
    files = [each for each in sorted(folder.rglob("*")) if each.is_file()]
    return [str(each.relative_to(folder)) for each in files if any(word in _text(each) for word in words)]


def _text(file: Path) -> str:
    raw = file.read_bytes().decode(errors="replace")
    if file.suffix == ".parquet":
        return raw + str(pq.ParquetFile(file).read().to_pydict())
    if file.suffix == ".npz":
        with np.load(file) as arrays:
            return raw + "\n".join(f"{name} {array.tolist()}" for name, array in arrays.items())
    if raw.startswith("SQLite format 3"):
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            return raw + "\n".join(connection.iterdump())
    return raw
