"""Invented households that stand for real ones: what they bought in the year before 2018."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import orjson
import pyarrow as pa

from features.contracts import CONSENT_SCHEMA, CUSTOMER_SCHEMA, EVENT_SCHEMA, Offer
from simulation.families import FAMILIES
from simulation.households.laying import lay_over
from simulation.shop import SEND_COST, Shop

START = date(2018, 1, 1)
NOW = datetime(2018, 1, 1, 4, tzinfo=UTC)
CATEGORIES = ("GROCERY", "MEAT", "PRODUCE", "DELI", "FLORAL")
SHOP = Shop(
    offers=tuple(
        Offer(offer_id=f"offer-{category}", category=category, channels=("email", "push"), margin=4.0)
        for category in CATEGORIES
    ),
    zones=("America/New_York",),
    send_cost=SEND_COST,
    order_margin=0.0,
    margin_rate=0.25,
    currency="USD",
    office=(12, 17),
)
SIZE = 120
DAYS = 40


def ids():
    """Ids in no order, of different lengths."""
    return [f"hh-{number * 37 % 1000}" for number in range(SIZE)]


def orders_of(number):
    """Return how many orders a household placed."""
    return 2 + number % 40


def customers():
    """Every third household has no e-mail address; of the others' consent the data know."""
    rows = [
        {
            "customer_id": name,
            "household_id": name,
            "time_zone": "America/New_York",
            "country": "US",
            "attributes": "{}",
            "contacts": orjson.dumps({"email": "valid" if number % 3 else "absent", "mail": "valid"}).decode(),
        }
        for number, name in enumerate(ids())
    ]
    return pa.Table.from_pylist(rows, schema=CUSTOMER_SCHEMA)


def consents():
    """Who has an e-mail address agreed to marketing there."""
    rows = [
        {
            "customer_id": name,
            "channel": "email",
            "purpose": "marketing",
            "status": "granted",
            "at": datetime(2017, 1, 1, tzinfo=UTC),
            "source": "assumption",
        }
        for number, name in enumerate(ids())
        if number % 3
    ]
    return pa.Table.from_pylist(rows, schema=CONSENT_SCHEMA)


def purchases():
    """Two lines an order; even households buy at seven in the morning, odd ones at nine in the evening."""
    random = np.random.default_rng(5)
    rows = []
    for number, name in enumerate(ids()):
        hour = 12 if number % 2 == 0 else 26  # UTC
        for order in range(orders_of(number)):
            day = datetime(2017, 1, 1, tzinfo=UTC) + timedelta(days=int(random.integers(2, 362)), hours=hour)
            for line in range(2):
                category = CATEGORIES[(number + line * (order % 3)) % len(CATEGORIES)]
                known = {"category": category, "order_id": f"{name}/{order}"}
                rows.append(
                    {
                        "event_id": f"basket:{name}:{order}:{line}",
                        "customer_id": name,
                        "type": "purchased",
                        "occurred_at": day,
                        "value": 10.0 + number % 7,
                        "currency": "USD",
                        "automated": False,
                        "properties": orjson.dumps(known).decode(),
                    }
                )
    return pa.Table.from_pylist(rows, schema=EVENT_SCHEMA)


def laid(**changes):
    """Lay messages of 40 days over the invented households."""
    given = {"customers": customers(), "purchases": purchases(), "family": FAMILIES["clusters"], "seed": 3}
    given |= {"shop": SHOP, "start": START, "history": DAYS} | changes
    return lay_over(given.pop("customers"), given.pop("purchases"), **given)
