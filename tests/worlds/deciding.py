"""Small worlds for the tests of deciding: one customer who may get anything, one catalogue, one policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from decisions.catalogue import Catalogue
from decisions.decide import decide
from decisions.policy import Policy
from decisions.records import Ask, CustomerState, Decision, Keys, Pressure, Scores
from features.contracts import Consent, Customer, Offer

CHANNELS = ("email", "push", "sms")
CUSTOMER = "customer-1"
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday
KEYS = Keys(assignment=b"assignment", holdback=b"holdback", exploration=b"exploration", token=b"token")
FLAT = (1.0,) * 168


def policy(**changes: Any) -> Policy:
    """A policy without rules: no caps, no gap, no quiet hours, no chance. Each test adds what it is about."""
    plain: dict[str, Any] = {
        "channels": CHANNELS,
        "min_gap_hours": 0,
        "quiet_hours": (),
        "cooldowns": {"after_conversion_days": 0, "exclusivity_days": 0},
        "holdback": {"share": 0},
        "exploration": {"loss_budget": 0, "floor": 0},
    }
    return Policy.model_validate(plain | changes)


def offer(offer_id: str = "tea", **changes: Any) -> Offer:
    plain: dict[str, Any] = {"offer_id": offer_id, "category": "drinks", "channels": ("email",), "margin": 5.0}
    return Offer.model_validate(plain | changes)


def catalogue(*offers: Offer, campaigns: tuple[Any, ...] = ()) -> Catalogue:
    return Catalogue(offers=offers or (offer(),), campaigns=campaigns)


def scores(catalogue: Catalogue, *, tau: dict[str, float] | None = None, **changes: Any) -> Scores:
    """Every offer on every channel is worth 1 at every hour, unless ``tau`` says otherwise."""
    pairs = {f"{each.offer_id}|{channel}": 1.0 for each in catalogue.offers for channel in each.channels}
    plain = Scores(
        customer_id=CUSTOMER,
        engage=dict.fromkeys(CHANNELS, 0.1),
        multiplier=dict.fromkeys(CHANNELS, FLAT),
        tau=pairs | (tau or {}),
        redeem={each.offer_id: 0.0 for each in catalogue.offers},
        hazard=dict.fromkeys(CHANNELS, (0.0,)),
        response_loss=dict.fromkeys(CHANNELS, (0.0,)),
        reachable_value=dict.fromkeys(CHANNELS, 10.0),
    )
    return replace(plain, **changes)


def customer(**changes: Any) -> Customer:
    plain: dict[str, Any] = {
        "customer_id": CUSTOMER,
        "time_zone": "UTC",
        "contacts": dict.fromkeys(CHANNELS, "valid"),
    }
    return Customer.model_validate(plain | changes)


def consent(
    channel: str = "email", purpose: Any = "marketing", status: Any = "granted", **changes: Any
) -> Consent:
    at = changes.pop("at", NOON - timedelta(days=400))
    return Consent(customer_id=CUSTOMER, channel=channel, purpose=purpose, status=status, at=at, source="test")


def state(*, who: Customer | None = None, **changes: Any) -> CustomerState:
    consents = tuple(consent(channel, purpose) for channel in CHANNELS for purpose in ("marketing", "service"))
    plain = CustomerState(customer=who or customer(), consents=consents)
    return replace(plain, **changes)


def sent(at: datetime, channel: str = "email", **changes: Any) -> Pressure:
    return Pressure(at=at, channel=channel, **changes)


def answer(
    rules: Policy | None = None,
    stock: Catalogue | None = None,
    *,
    known: CustomerState | None = None,
    worth: Scores | None = None,
    now: datetime = NOON,
    keys: Keys = KEYS,
    **ask: Any,
) -> Decision:
    """Decide, with the plain world for everything that is not given."""
    stock = stock or catalogue()
    given: dict[str, Any] = {"request_id": "request-1", "customer_id": CUSTOMER} | ask
    budgets = {"budgets": given.pop("budgets")} if "budgets" in given else {}
    return decide(
        Ask(**given),
        policy=rules or policy(),
        catalogue=stock,
        scores=worth or scores(stock),
        state=known or state(),
        now=now,
        keys=keys,
        **budgets,
    )


def codes(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.reasons]
