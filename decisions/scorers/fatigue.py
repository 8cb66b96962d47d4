"""What one more message costs: the chance to lose the channel, and response lost while the customer recovers.

    hazard[k]        P(this message loses the channel | k messages in the last seven days), rising with k
    response_loss[k] margin · (1 − drop)^k · drop · (k + 1) / 7 · recovery / ln 2

The second: after this message there are k + 1 a week; until fatigue has faded (half-life ``recovery``) those that
follow at that pace each lose the share ``drop`` of what they would bring at this pressure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np

from decisions.scorers.artefact import Artefact, ArtefactScorer
from decisions.scorers.base import LEVELS, Kind, Weariness, same_for_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from decisions.priors import Priors
    from decisions.scorers.base import Batch, Effect, FloatArray

_MOST = 0.5
"""No declared hazard, however fast it is said to grow, exceeds this."""
_LEVEL = np.arange(LEVELS)


@dataclass(frozen=True)
class FatigueModel(ArtefactScorer):
    """The scorer.

    ``facts["channels"]`` by channel: ``hazard`` (LEVELS numbers), ``source`` (``randomised`` or ``observational``)
    and, where it was learned, ``response_drop``. Other channels have what is declared; ``facts["why"]`` says why.
    """

    kind: ClassVar[Kind] = "fatigue"

    @classmethod
    def of(cls, channels: Mapping[str, Mapping[str, Any]], *, why: str) -> Self:
        """Return the scorer of what was learned by channel."""
        facts = {"channels": {name: dict(learned) for name, learned in channels.items()}, "why": why}
        return cls(Artefact(kind=cls.kind, facts=facts))

    @classmethod
    def prior(cls, why: str) -> Self:
        """Return the scorer of no data: every hazard is the declared one."""
        return cls.of({}, why=why)

    @property
    def is_prior(self) -> bool:
        """Whether nothing was learned."""
        return not self._learned

    def hazard(self, channel: str, priors: Priors) -> FloatArray:
        """Return the hazard by pressure level, (LEVELS,), never falling."""
        learned = self._learned.get(channel)
        return declared_hazard(channel, priors) if learned is None else np.array(learned["hazard"])

    def response_loss(self, channel: str, margin: FloatArray, priors: Priors) -> FloatArray:
        """Return the margin lost by level, (n or 1, LEVELS), where a message on ``channel`` brings ``margin``."""
        drop = self._learned.get(channel, {}).get("response_drop", priors.response_drop)
        following = (_LEVEL + 1) / 7 * priors.recovery_days / np.log(2)
        relative = np.maximum.accumulate((1 - drop) ** _LEVEL * drop * following)
        return cast("FloatArray", np.maximum(margin, 0.0)[:, None] * relative[None, :])

    def predict(self, batch: Batch, effect: Effect) -> Weariness:
        """Return hazard and response loss of every channel of the batch."""
        margins = {channel: _margin(batch, effect, channel) for channel in batch.channels}
        return Weariness(
            hazard={channel: self.hazard(channel, batch.priors)[None, :] for channel in batch.channels},
            response_loss={
                channel: self.response_loss(channel, margin, batch.priors) for channel, margin in margins.items()
            },
            notes=tuple(self._notes(batch)),
        )

    def _notes(self, batch: Batch) -> Iterator[str]:
        for channel in batch.channels:
            learned = self._learned.get(channel)
            if learned is None:
                yield f"prior:fatigue:{channel}:{self.artefact.facts['why']}"
            elif learned["source"] == "observational":
                yield f"prior:fatigue:{channel}:observational_pressure"

    @property
    def _learned(self) -> Mapping[str, Mapping[str, Any]]:
        learned: Mapping[str, Mapping[str, Any]] = self.artefact.facts["channels"]
        return learned


def declared_hazard(channel: str, priors: Priors) -> FloatArray:
    """Return the hazard that is declared for ``channel``, (LEVELS,)."""
    believed = priors.of(channel)
    return np.asarray(np.minimum(believed.hazard * believed.hazard_growth**_LEVEL, max(_MOST, believed.hazard)))


def _margin(batch: Batch, effect: Effect, channel: str) -> FloatArray:
    # What the next message brings on average, whichever offer it will be; nobody sends one that loses money.
    offers = [f"{offer.offer_id}|{channel}" for offer in batch.offers if channel in offer.channels]
    if not offers:
        return same_for_all(0.0)
    gains = np.broadcast_arrays(*(np.maximum(effect.tau[pair], 0.0) for pair in offers))
    return np.asarray(np.mean(gains, axis=0))
