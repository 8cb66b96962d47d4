"""The world in which promises are tried: a policy with every kind of limit, a few offers, customers everywhere.

Nothing here imports a model, a feature store or a service: workers that live for milliseconds start from it.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from decisions.catalogue import Catalogue
from decisions.ledger import Ledger
from decisions.policy import Policy
from decisions.records import Keys, Scores
from decisions.replay import freeze_catalogue, freeze_policy
from features.contracts import Consent, Customer, Purpose
from runtime.clock import FixedClock
from runtime.decider import Decider
from runtime.guard import guard_of
from runtime.purse import Purse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from decisions.ledger.storage.dialect import Synchronous
    from runtime.scored import Scored

NOW = datetime(2026, 3, 26, 9, 0, tzinfo=UTC)
"""Three days before clocks change in Europe: every horizon of a week holds a day of 23 hours."""

KEYS = Keys(assignment=b"assignment", holdback=b"holdback", exploration=b"exploration", token=b"token")
CHANNELS = ("email", "sms", "push")
PURPOSES: tuple[Purpose, ...] = ("marketing", "service", "transactional")
COUNTRIES = {"DE": ("Europe/Berlin", "Europe/Busingen"), "IN": ("Asia/Kolkata",)}
"""The zones of a customer of whom only the country is known, written down apart from what decides."""

_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", None)

POLICY: dict[str, Any] = {
    "channels": CHANNELS,
    "time_zones": ("Europe/Berlin", "Asia/Kolkata"),
    "min_gap_hours": 6,
    "channel_gap_hours": {"sms": 48},
    "gap_purposes": ("marketing",),
    "caps": (
        {"limit": 3, "window": "7d"},
        {"limit": 1, "window": "day", "channel": "email"},
        {"limit": 2, "window": "week", "category": "drinks"},
        {"limit": 5, "window": "month"},
        {"limit": 4, "window": "72h", "purposes": ("marketing", "service")},
    ),
    "quiet_hours": (
        {"from_hour": 21, "until_hour": 8},
        {"from_hour": 12, "until_hour": 13, "channels": ("sms",), "purposes": ("marketing",)},
    ),
    "holdback": {"share": 0.05},
    "exploration": {"loss_budget": 0.3, "floor": 0.02},
}
CATALOGUE: dict[str, Any] = {
    "offers": (
        {"offer_id": "tea", "category": "drinks", "channels": CHANNELS, "margin": 8, "send_cost": {"sms": 0.05}},
        {"offer_id": "coffee", "category": "drinks", "channels": ("email", "push"), "margin": 12},
        {
            "offer_id": "bread",
            "category": "food",
            "channels": CHANNELS,
            "margin": 6,
            "caps": ({"limit": 1, "window": "7d"},),
        },
        {"offer_id": "cake", "category": "food", "channels": ("email",), "margin": 9, "cooldown_days": 3},
    )
}


def policy(**changes: object) -> Policy:
    """Return the policy of this world, with ``changes`` to some of its keys."""
    return Policy.model_validate(POLICY | changes)


def catalogue() -> Catalogue:
    """Return the four offers of this world."""
    return Catalogue.model_validate(CATALOGUE)


def people(count: int, *, seed: int, prefix: str = "c") -> list[Customer]:
    """Return customers in many zones; of every sixth only the country is known, of some not even that."""
    dice = random.Random(seed)  # noqa: S311  # a repeatable world, not a secret
    return [_customer(f"{prefix}{number}", dice) for number in range(count)]


def _customer(customer_id: str, dice: random.Random) -> Customer:
    zone = dice.choice(_ZONES)
    country = dice.choice((*COUNTRIES, None)) if zone is None else None
    return Customer(
        customer_id=customer_id, time_zone=zone, country=country, contacts=dict.fromkeys(CHANNELS, "valid")
    )


def consents(customer_ids: Sequence[str], *, refused: float = 0.0, seed: int = 0) -> list[Consent]:
    """Return grants of every channel and purpose; a share ``refused`` of them at random is missing."""
    dice = random.Random(seed)  # noqa: S311  # as above
    named = [(who, channel, purpose) for who in customer_ids for channel in CHANNELS for purpose in PURPOSES]
    return [consent(*each) for each in named if dice.random() >= refused]


def consent(customer_id: str, channel: str, purpose: str, status: str = "granted", **fields: Any) -> Consent:
    """Return one line of the journal."""
    given = {"at": NOW - timedelta(days=100), "source": "form", **fields}
    return Consent.model_validate(
        {"customer_id": customer_id, "channel": channel, "purpose": purpose, "status": status, **given}
    )


def settle(ledger: Ledger, who: Sequence[Customer], *, refused: float = 0.0) -> None:
    """Let customers be known to the ledger, and most of them agree to be written to."""
    ledger.put_customers(who)
    ledger.append_consents(consents([each.customer_id for each in who], refused=refused), NOW)


def open_ledger(url: str, *, synchronous: Synchronous = "full", rules: Policy | None = None) -> Ledger:
    """Open the ledger as the service does: every confirm asks whether ``rules`` still let it go."""
    guard = guard_of(rules or policy(), catalogue())
    return Ledger.open(url, synchronous=synchronous, key=KEYS.token, guard=guard)


class Guesses:
    """Stands where features and models stand: numbers of each customer's own, the same at every call."""

    def of(self, customer_ids: Sequence[str], *, now: datetime) -> Mapping[str, Scores]:
        """Return scores by customer."""
        del now
        return {each: _guess(each) for each in customer_ids}


def _guess(customer_id: str) -> Scores:
    dice = random.Random(customer_id)  # noqa: S311  # as above
    rhythm = tuple(0.9 + 0.2 * ((slot % 24) / 23) for slot in range(168))
    offers = catalogue().offers
    return Scores(
        customer_id=customer_id,
        engage=dict.fromkeys(CHANNELS, 0.1),
        multiplier=dict.fromkeys(CHANNELS, rhythm),
        tau={f"{each.offer_id}|{channel}": dice.uniform(0.2, 1.5) for each in offers for channel in each.channels},
        redeem={each.offer_id: 0.0 for each in offers},
        hazard=dict.fromkeys(CHANNELS, (0.001, 0.002, 0.004)),
        response_loss=dict.fromkeys(CHANNELS, (0.0, 0.01, 0.03)),
        reachable_value=dict.fromkeys(CHANNELS, 10.0),
    )


def decider(ledger: Ledger, *, rules: Policy | None = None) -> Decider:
    """Return the service's own decider over ``ledger``, asked about guesses instead of models."""
    rules, stock = rules or policy(), catalogue()
    ledger.keep("policy", rules.version, freeze_policy(rules))
    ledger.keep("catalogue", stock.version, freeze_catalogue(stock))
    clock = FixedClock(NOW)
    return Decider(
        ledger=ledger,
        scored=cast("Scored", Guesses()),
        policy=rules,
        catalogue=stock,
        keys=KEYS,
        keys_id="bench",
        clock=clock,
        purse=Purse(ledger.budgets, rules.daily_budget, clock=clock),
    )
