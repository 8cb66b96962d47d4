"""The one place that builds things. Service, pipelines and tests all call :func:`build`."""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from decisions.canonical import digest
from decisions.catalogue import Catalogue, load_catalogue
from decisions.ledger import Ledger, LedgerError, Seal
from decisions.policy import Policy, load_policy
from decisions.records import Keys
from decisions.replay import freeze_catalogue, freeze_policy
from runtime.access import Access
from runtime.champions import Champions
from runtime.clock import Clock, FixedClock, SystemClock
from runtime.decider import Decider
from runtime.guard import guard_of
from runtime.keyfiles import kept_secret
from runtime.layers import settled
from runtime.online import OnlineFeatures
from runtime.purse import Purse
from runtime.scored import Features, Scored
from runtime.settings import Settings

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from pydantic import SecretStr

SALT_FILE = "salt"
API_KEY_FILE = "api_key"
EVIDENCE_KEY_FILE = "evidence_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kairos:
    """Everything a decision is made with. Close it, or use it as a context manager."""

    settings: Settings
    clock: Clock
    policy: Policy
    catalogue: Catalogue
    keys: Keys
    ledger: Ledger
    features: Features
    champions: Champions
    decider: Decider
    purse: Purse
    access: Access

    def warm_up(self) -> None:
        """Load models and features now, rather than at the first decision."""
        self.decider.rehearse()

    def ledger_answers(self) -> bool:
        """Return whether decisions can be recorded: without the ledger nothing can be answered."""
        try:
            self.ledger.content("policy", self.policy.version)
        except LedgerError:
            return False
        return True

    def close(self) -> None:
        """Give back what this worker has leased, and close the ledger."""
        with suppress(LedgerError):  # a ledger that is away now takes it back when the leases run out
            self.purse.close()
        self.ledger.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


def build(settings: Settings, *, clock: Clock | None = None, features: Features | None = None) -> Kairos:
    """Build Kairos as ``settings`` say. What is heavy (Feast, LightGBM) is loaded on first use.

    ``clock`` and ``features`` stand in for those that the settings name: for time that moves as a simulation says.

    Raises:
        DocumentError: where policy or catalogue cannot be used, naming key, value and rule.
        LedgerUnavailable: where the ledger cannot be opened.
    """
    policy, catalogue = load_policy(settings.policy), load_catalogue(settings.catalogue)
    clock = clock or (FixedClock(settings.now) if settings.now else SystemClock())
    salt = kept_secret(settings.home / SALT_FILE, given=settings.salt)
    keys = derived_keys(salt)
    policy, ledger = _ledger(settings, policy, catalogue, keys, clock.now())
    features = features or OnlineFeatures(settings.features)
    champions = Champions(settings.champions)
    purse = Purse(ledger.budgets, policy.daily_budget, clock=clock)
    scored = Scored(
        scorers=champions.current, features=features, policy=policy, catalogue=catalogue, telling=ledger
    )
    return Kairos(
        settings=settings,
        clock=clock,
        policy=policy,
        catalogue=catalogue,
        keys=keys,
        ledger=ledger,
        features=features,
        champions=champions,
        decider=Decider(
            ledger=ledger,
            scored=scored,
            policy=policy,
            catalogue=catalogue,
            keys=keys,
            keys_id=digest(_derived(salt, "id")),
            clock=clock,
            purse=purse,
        ),
        purse=purse,
        access=Access(ledger.keys, first=kept_secret(settings.home / API_KEY_FILE, given=settings.api_key)),
    )


def _ledger(
    settings: Settings, policy: Policy, catalogue: Catalogue, keys: Keys, now: datetime
) -> tuple[Policy, Ledger]:
    """Open the ledger, and let it keep what policy and catalogue say: replays of what is decided now need it.

    The policy comes back with the places that its experiments have in their layers.
    """
    ledger = Ledger.open(
        settings.ledger, key=keys.token, guard=guard_of(policy, catalogue), seal=evidence_seal(settings)
    )
    try:
        policy = settled(policy, ledger, now=now)
        ledger.keep("policy", policy.version, freeze_policy(policy), now=now)
        ledger.keep("catalogue", catalogue.version, freeze_catalogue(catalogue), now=now)
    except BaseException:
        ledger.close()
        raise
    return policy, ledger


def evidence_seal(settings: Settings) -> Seal:
    """Return what seals the consents' evidence: with the keys given, or one that is kept below ``home``.

    Raises:
        ValueError: where a key is none.
    """
    kept = kept_secret(settings.home / EVIDENCE_KEY_FILE, given=settings.evidence_key)
    return Seal.of(kept.get_secret_value())


def derived_keys(salt: SecretStr) -> Keys:
    """Return the keys of the separate draws, each derived from ``salt`` under its own name."""
    return Keys(**{name: _derived(salt, name) for name in Keys.__dataclass_fields__})


def _derived(salt: SecretStr, name: str) -> bytes:
    return hmac.new(salt.get_secret_value().encode(), f"kairos/{name}".encode(), hashlib.sha256).digest()
