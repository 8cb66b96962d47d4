"""A small world for tests of the ledger: a moment, decisions made by hand, events."""

from __future__ import annotations

import functools
import itertools
import tempfile
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

from decisions.ledger import Ledger, Recording, Seal
from decisions.records import Decision
from features.contracts import Consent, Customer, Event

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SEAL = Seal([b64encode(b"a key for tests, of 32 letters..").decode()])
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_numbers = itertools.count(1)


@functools.cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Ledger.open(f"sqlite:///{folder}/ledger.db").close()
        return Path(folder, "ledger.db").read_bytes()


def url_in(folder) -> str:
    return f"sqlite:///{folder}/ledger.db"


def fresh_url(folder) -> str:
    """An empty ledger in ``folder``, copied rather than migrated anew for each test."""
    Path(folder, "ledger.db").write_bytes(_template())
    return url_in(folder)


def fresh(folder, **options) -> Ledger:
    """The same, opened."""
    return opened(fresh_url(folder), **options)


def opened(url, **options) -> Ledger:
    """The ledger at ``url``, without waiting for the disk at every commit."""
    return Ledger.open(url, **{"synchronous": "normal", "seal": SEAL, **options})


def send(customer_id="ada", *, request_id=None, at=NOW + HOUR, lasts=6 * HOUR, now=NOW, **fields) -> Decision:
    number = next(_numbers)
    values = {
        "decision_id": f"d{number}",
        "request_id": request_id or f"r{number}",
        "state": "reserved",
        "action": "send",
        "customer_id": customer_id,
        "campaign_id": "spring",
        "purpose": "marketing",
        "offer_id": "coffee",
        "category": "drinks",
        "channel": "email",
        "slot": 10,
        "send_at": at,
        "send_at_local": at.isoformat(),
        "expires_at": at + lasts,
        "expected_value": None,
        "incremental": False,
        "propensity": 0.9,
        "propensity_exact": True,
        "history_hash": "h",
        "stages": (),
        "held_back": False,
        "held_back_until": None,
        "reasons": (),
        "alternatives": (),
        "policy_version": "p1",
        "model_versions": {},
        "features_as_of": None,
        "now": now,
        "experiments": (),
        "variables": {},
        "unsubscribe_token": None,
    }
    return Decision(**{**values, **fields})


def hold(customer_id="ada", **fields) -> Decision:
    nothing = dict.fromkeys(("offer_id", "category", "channel", "slot", "send_at", "send_at_local", "expires_at"))
    return send(customer_id, **{**nothing, "action": "hold", "state": "held", "at": NOW, **fields})


def recording(decision, *, body_hash="body", frozen=b"inputs") -> Recording:
    return Recording(decision=decision, body_hash=body_hash, frozen=frozen)


def record(ledger, decision, *, body_hash="body", frozen=b"inputs") -> Decision:
    with ledger.transaction(decision.customer_id) as tx:
        return tx.record(decision, body_hash=body_hash, frozen=frozen)


def state(ledger, customer_id="ada", now=NOW):
    with ledger.transaction(customer_id) as tx:
        return tx.state(customer_id, now)


def event(kind, customer_id="ada", *, at=NOW, event_id=None, **fields) -> Event:
    return Event(
        event_id=event_id or f"e{next(_numbers)}", customer_id=customer_id, type=kind, occurred_at=at, **fields
    )


def consent(
    status="granted", customer_id="ada", *, channel="email", purpose="marketing", at=NOW - DAY, evidence=None
) -> Consent:
    return Consent(
        customer_id=customer_id,
        channel=channel,
        purpose=purpose,
        status=status,
        at=at,
        source="form",
        evidence=evidence,
    )


def ada(**fields) -> Customer:
    values = {"time_zone": "Europe/Berlin", "contacts": {"email": "valid"}, "attributes": {"tier": "gold"}}
    return Customer(**{"customer_id": "ada", **values, **fields})
