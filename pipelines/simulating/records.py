"""What a closed loop comes to, and who may look on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from simulation.account import Account
from simulation.world import World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from decisions.records import Scores

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


class Watcher(Protocol):
    """Looks on; what it does changes nothing."""

    def scored(self, day: int, scores: Mapping[str, Scores]) -> None:
        """Take what the models say of everybody, after features (and perhaps models) were renewed on ``day``.

        A run that is resumed does not tell again of days that were finished before.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """For each message sent, in the order of sending by day: what Kairos expected of it, and the truth.

    ``channel`` numbers :data:`simulation.shop.CHANNELS`. ``expected`` is the decision's expected value, the price
    of a place left out (no price is paid); ``true`` the true expected euros in the state the message met.
    """

    channel: Ints
    expected: Floats
    true: Floats

    @classmethod
    def joined(cls, parts: Sequence[Pairs]) -> Pairs:
        """Return all ``parts`` as one."""
        return cls(
            channel=np.concatenate([np.zeros(0, dtype=np.int64), *(part.channel for part in parts)]),
            expected=np.concatenate([np.zeros(0), *(part.expected for part in parts)]),
            true=np.concatenate([np.zeros(0), *(part.true for part in parts)]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Looped:
    """One run of the product in one world.

    ``world`` is as it was left, ``days`` the account of each day, ``violations`` the independent recount by
    promise. ``holds`` counts decisions to send nothing by main reason, ``refused`` confirms by the code that
    refused them. ``seconds`` are by stage, those before a kill included. ``models`` tells, by day of training,
    what became of each model (``Outcome.as_json``).
    """

    world: World
    days: list[Account]
    violations: Mapping[str, int]
    pairs: Pairs
    holds: Mapping[str, int]
    refused: Mapping[str, int]
    seconds: Mapping[str, float]
    models: Mapping[int, Sequence[Mapping[str, Any]]]

    @property
    def account(self) -> Account:
        """The sum over all days."""
        return sum(self.days, Account())
