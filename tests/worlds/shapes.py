"""Two shapes that public data have, made up: a mailing list of sends and opens, and a snapshot with who left."""

from __future__ import annotations

import csv
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from tests.worlds.commands import NOW, Shop

if TYPE_CHECKING:
    from pathlib import Path

_DECLARED = {
    "policy.yaml": "currency: EUR\nchannels: [email]\ncountries: [DE]\ncaps: [{limit: 2, window: 7d}]\nquiet_hours: []\n",
    "catalogue.yaml": "offers: [{offer_id: news, category: news, channels: [email], margin: 4, send_cost: {email: 0.001}}]\n",
}

_LIST = """
sources: {subscribers: subscribers.csv, sends: sends.csv, reactions: reactions.csv}
customers:
  - name: people
    from: subscribers
    customer_id: "{subscriber}"
    time_zone: Europe/Berlin
    contacts: {email: valid}
consents:
  - name: agreed
    from: subscribers
    customer_id: "{subscriber}"
    channel: email
    purpose: marketing
    status: granted
    at: "2023-01-01T00:00:00Z"
    source: sign-up
events:
  - name: sent
    from: sends
    event_id: "sent:{message}"
    customer_id: "{subscriber}"
    type: sent
    channel: email
    message_id: "{message}"
    occurred_at: {value: "{at}", time_zone: Europe/Berlin}
  - name: reacted
    from: reactions
    event_id: "opened:{message}"
    customer_id: "{subscriber}"
    type: opened
    channel: email
    message_id: "{message}"
    occurred_at: {value: "{at}", time_zone: Europe/Berlin}
"""

_SNAPSHOT = """
sources: {customers: {path: customers.csv, types: {months: integer, calls: integer}}}
customers:
  - name: people
    from: customers
    customer_id: "{id}"
    time_zone: Europe/Berlin
    contacts: {email: valid}
    attributes: {contract: "{contract}", months: "{months}", calls: "{calls}"}
    labels:
      churn: {column: Churn, positive: "Yes", at: {value: "2024-11-01", at: "12:00", time_zone: Europe/Berlin}}
consents:
  - name: agreed
    from: customers
    customer_id: "{id}"
    channel: email
    purpose: marketing
    status: granted
    at: "2023-01-01T00:00:00Z"
    source: sign-up
"""


def mailing_list(folder: Path, store: Path) -> Shop:
    """Write a list of 150 people and 26 weeks of a letter each; half as many open in the morning as at night."""
    rng = np.random.default_rng(5)
    people = [f"s{number:04d}" for number in range(150)]
    opens = rng.beta(2, 4, len(people))
    sends, reactions = [], []
    for week in range(26):
        hour = int(rng.choice([8, 20]))
        moment = (NOW - timedelta(days=7 * (26 - week))).replace(hour=hour, minute=15, tzinfo=None)
        chance = opens * (0.6 if hour == 8 else 1.4)
        for who, opened in zip(people, rng.random(len(people)) < chance, strict=True):
            message = f"{week}-{who}"
            sends.append((message, who, f"{moment:%Y-%m-%d %H:%M:%S}"))
            if opened:
                reactions.append((message, who, f"{moment + timedelta(minutes=40):%Y-%m-%d %H:%M:%S}"))
    return _shop(
        folder,
        store,
        _LIST,
        subscribers=(("subscriber",), [(who,) for who in people]),
        sends=(("message", "subscriber", "at"), sends),
        reactions=(("message", "subscriber", "at"), reactions),
    )


def snapshot(folder: Path, store: Path) -> Shop:
    """Write 600 customers with three attributes and who left; of one in twenty that is not known."""
    rng = np.random.default_rng(7)
    rows = []
    for number in range(600):
        contract, months, calls = str(rng.choice(["month", "year"])), int(rng.integers(1, 72)), int(rng.poisson(1))
        odds = -1.5 + 2.0 * (contract == "month") - 0.02 * months + 0.5 * calls
        left = "Yes" if rng.random() < 1 / (1 + np.exp(-odds)) else "No"
        rows.append((f"k{number:04d}", contract, months, calls, left if number % 20 else ""))
    return _shop(folder, store, _SNAPSHOT, customers=(("id", "contract", "months", "calls", "Churn"), rows))


def _shop(folder: Path, store: Path, mapping: str, **tables) -> Shop:
    (folder / "mlruns").mkdir(parents=True)
    shutil.copy(store, folder / "mlruns" / "mlflow.db")
    for name, text in {**_DECLARED, "import.yaml": mapping}.items():
        (folder / name).write_text(text)
    for name, (head, rows) in tables.items():
        with (folder / f"{name}.csv").open("w", newline="") as opened:
            csv.writer(opened).writerows([head, *rows])
    return Shop(folder)
