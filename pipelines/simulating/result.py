"""What the product was truly worth in one world: the record that is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from pipelines.simulating.records import Pairs
from simulation.account import Account
from simulation.shop import CHANNELS

if TYPE_CHECKING:
    from pipelines.simulating.records import Looped


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """One seed. ``days`` are accounts in true expected euros of all customers; ``models`` by day of training."""

    seed: int
    customers: int
    days: Sequence[Account]
    sends: Mapping[str, int]
    holds: Mapping[str, int]
    refused: Mapping[str, int]
    violations: Mapping[str, int]
    models: Mapping[int, Sequence[Mapping[str, Any]]]
    seconds: Mapping[str, float]
    pairs: Pairs

    @classmethod
    def of(cls, looped: Looped, *, seed: int) -> Self:
        """Return what is kept of a run."""
        counts = np.bincount(looped.pairs.channel, minlength=len(CHANNELS)).tolist()
        return cls(
            seed=seed,
            customers=looped.world.state.size,
            days=looped.days,
            sends=dict(zip(CHANNELS, counts, strict=True)),
            holds=looped.holds,
            refused=looped.refused,
            violations=looped.violations,
            models=looped.models,
            seconds=looped.seconds,
            pairs=looped.pairs,
        )

    @property
    def account(self) -> Account:
        """The sum over all days."""
        return sum(self.days, Account())

    @property
    def value(self) -> float:
        """Euros per customer."""
        return self.account.value / self.customers

    @property
    def unsubscribes_per_1000(self) -> float | None:
        """Of messages sent; None where none was."""
        account = self.account
        return 1000 * account.unsubscribed / account.sent if account.sent else None

    def as_json(self) -> dict[str, Any]:
        """Return the record as a JSON object."""
        return {
            "seed": self.seed,
            "value_per_customer": self.value,
            "account": self.account.as_json(),
            "days": [day.as_json() for day in self.days],
            "sent": self.account.sent,
            "sends": dict(self.sends),
            "holds": dict(self.holds),
            "refused": dict(self.refused),
            "unsubscribes_per_1000": self.unsubscribes_per_1000,
            "violations": dict(self.violations),
            "models": {str(day): list(outcomes) for day, outcomes in self.models.items()},
            "pairs": {
                "channel": [CHANNELS[each] for each in self.pairs.channel.tolist()],
                "expected": self.pairs.expected.round(6).tolist(),
                "true": self.pairs.true.round(6).tolist(),
            },
            "seconds": {stage: round(spent, 2) for stage, spent in self.seconds.items()},
        }
