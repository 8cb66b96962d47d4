"""What a policy has been worth so far: true expected euros, and what was counted on the way."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Sums over messages. Euros are expected values given the state each message met; counts are what happened."""

    margin: float = 0.0
    incentive: float = 0.0
    cost: float = 0.0
    churn: float = 0.0
    sent: int = 0
    seen: int = 0
    bought: int = 0
    redeemed: int = 0
    unsubscribed: int = 0
    complained: int = 0
    bounced: int = 0
    driven_off: int = 0

    @property
    def value(self) -> float:
        """Expected incremental margin against never messaging, in euros; lost reach is not in it yet."""
        return self.margin - self.incentive - self.cost - self.churn

    def __add__(self, other: Account) -> Account:
        return Account(
            **{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        )

    def as_json(self) -> Mapping[str, float]:
        """Return all sums by name, ``value`` among them."""
        return {**asdict(self), "value": self.value}
