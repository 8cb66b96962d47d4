"""A small world for tests of runtime and service: a home, a policy, a catalogue, and customers who may be asked."""

from __future__ import annotations

import asyncio
import itertools
import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr

from decisions.ledger import Ledger
from features.contracts import PURPOSES, Consent, Customer
from runtime.settings import RateLimits, Settings

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
API_KEY = "a-key-for-tests"
UNBOUND = RateLimits(**dict.fromkeys(RateLimits.model_fields, "1000000/minute"))
"""Limits that tests never meet, however fast they ask."""

POLICY = """
channels: [email, sms]
currency: EUR
quiet_hours: []
min_gap_hours: 0
caps:
  - {limit: 2, window: 7d, purposes: [service]}
"""
CATALOGUE = """
offers:
  - {offer_id: coffee, category: drinks, channels: [email, sms], margin: 20, send_cost: {email: 0.001, sms: 0.05}}
  - {offer_id: tea, category: drinks, channels: [email], margin: 5}
campaigns:
  - {campaign_id: spring, offers: [tea]}
"""
_numbers = itertools.count(1)


def settings_in(home: Path, **fields) -> Settings:
    """Settings over files written into ``home``; the clock stands still, keys are given."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "policy.yaml").write_text(POLICY)
    (home / "catalogue.yaml").write_text(CATALOGUE)
    given = {
        "home": home,
        "policy": home / "policy.yaml",
        "catalogue": home / "catalogue.yaml",
        "mlflow_root": home / "mlruns",
        "now": NOW,
        "salt": SecretStr("salt for tests"),
        "api_key": SecretStr(API_KEY),
        "rate_limits": UNBOUND,
    }
    return Settings(**{**given, **fields})


def settle(settings: Settings, customer_ids) -> None:
    """Put customers into the ledger who can be reached by e-mail and agreed to every purpose."""
    ids = list(customer_ids)
    with Ledger.open(settings.ledger) as ledger:
        ledger.put_customers([_customer(each) for each in ids])
        ledger.append_consents([_consent(each, purpose) for each in ids for purpose in PURPOSES], NOW)


def _customer(customer_id: str) -> Customer:
    return Customer(customer_id=customer_id, time_zone="Europe/Berlin", country="DE", contacts={"email": "valid"})


def _consent(customer_id: str, purpose: str) -> Consent:
    at = NOW - timedelta(days=100)
    return Consent(
        customer_id=customer_id, channel="email", purpose=purpose, status="granted", at=at, source="test"
    )


def ask(customer_id: str, **fields) -> dict:
    """The body of a question; service messages go at the first permitted moment, so they can be confirmed."""
    return {"request_id": f"r{next(_numbers)}", "customer_id": customer_id, "purpose": "service", **fields}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def call(app, method: str, url: str, *, headers=None, **body) -> httpx.Response:
    """One request to an application in this process."""

    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            given = {"X-API-Key": API_KEY} if headers is None else headers
            return await client.request(method, url, headers=given, **body)

    return asyncio.run(request())
