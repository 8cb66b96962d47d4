"""When a message is met best: how engagement changes over the 168 local hours of a week.

    m(x, channel, slot) = exp(beta · log rhythm(x, slot + delay)), divided by its mean over the sends so far

The rhythm is the person's (see :mod:`decisions.scorers.rhythm`), beta what randomised slots have shown, or what is
declared. An effect estimated at the hours one used to send at is an average over those hours: so is m.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from decisions.scorers.artefact import Artefact, ArtefactScorer
from decisions.scorers.base import Kind, Timing, array_matrix
from decisions.scorers.rhythm import Evidence, Rhythm, Weights, shifted
from features.vocabulary import HOURS_OF_WEEK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from decisions.priors import Priors
    from decisions.scorers.base import Batch, FloatArray

RHYTHM = "rhythm"
CHOSEN_HOURS = "chosen_hours"
"""Ends the note of a channel whose elasticity was read off sends at hours that a sender chose (``chosen``)."""
NOT_SHOWN_TO_PAY = "hour_not_shown_to_pay"
"""How the note ends of a rhythm that moves no message."""
UNIFORM: FloatArray = np.full(HOURS_OF_WEEK, 1 / HOURS_OF_WEEK)
_DIGITS = 6
"""Decimals of m. A millionth of an effect decides nothing, and each decision's record keeps m of every channel."""


@dataclass(frozen=True)
class SendTimeModel(ArtefactScorer):
    """The scorer.

    ``facts``: ``weights`` of the blend, ``half_life_days`` of the counts it was learned on, ``channels`` with
    ``beta`` and ``delay_hours`` where they were learned, ``why`` where they were not. ``arrays``: ``everybody``,
    ``centroids``, ``mixing``, and ``sends`` (168), the send times behind the training data.
    """

    kind: ClassVar[Kind] = "send_time"

    @classmethod
    def of(
        cls,
        rhythm: Rhythm,
        *,
        sends: FloatArray,
        sends_from: str,
        half_life_days: float,
        channels: Mapping[str, Mapping[str, float]],
        why: str,
    ) -> Self:
        """Return the scorer of a learned ``rhythm``; ``channels`` holds what was learned by channel."""
        facts = {
            "weights": asdict(rhythm.weights),
            "half_life_days": half_life_days,
            "channels": {channel: dict(learned) for channel, learned in channels.items()},
            "sends_from": sends_from,
            "why": why,
        }
        arrays = {
            "everybody": rhythm.everybody,
            "centroids": rhythm.centroids,
            "mixing": rhythm.mixing,
            "sends": sends / sends.sum(),
        }
        return cls(Artefact(kind=cls.kind, facts=facts, arrays=arrays))

    @classmethod
    def prior(cls, why: str) -> Self:
        """Return the scorer of no data: no hour is better than another."""
        return cls(Artefact(kind=cls.kind, facts={"prior": why}))

    @property
    def is_prior(self) -> bool:
        """Whether nothing was fitted."""
        return "prior" in self.artefact.facts

    @cached_property
    def rhythm(self) -> Rhythm:
        """The blend of person, cluster and everybody."""
        arrays = self.artefact.arrays
        return Rhythm(
            everybody=arrays["everybody"],
            centroids=arrays["centroids"],
            mixing=arrays["mixing"],
            weights=Weights(**self.artefact.facts["weights"]),
        )

    def with_rhythm(self, rhythm: Rhythm) -> Self:
        """Return the scorer with another rhythm; sends, delays, elasticities and what they showed stay."""
        facts = self.artefact.facts
        other = self.of(
            rhythm,
            sends=self.artefact.arrays["sends"],
            sends_from=facts["sends_from"],
            half_life_days=facts["half_life_days"],
            channels=facts["channels"],
            why=facts["why"],
        )
        return other if self.pays else other.unmoved()

    def unmoved(self) -> Self:
        """Return the scorer whose rhythm moves no message: sends told of hours, and none was shown to matter."""
        return type(self)(replace(self.artefact, facts={**self.artefact.facts, "pays": False}))

    @property
    def pays(self) -> bool:
        """Whether the rhythm moves messages where beta is declared."""
        return bool(self.artefact.facts.get("pays", True))

    def curves(self, frame: pa.Table) -> FloatArray:
        """Return P(hour of the week | active), (n, 168); who is unknown has everybody's curve."""
        return self.rhythm.curves(array_matrix(frame, RHYTHM, HOURS_OF_WEEK))

    def evidence(self, frame: pa.Table) -> Evidence:
        """Return how many observations stand behind each curve, and its spread."""
        return self.rhythm.evidence(array_matrix(frame, RHYTHM, HOURS_OF_WEEK))

    def predict(self, batch: Batch) -> Timing:
        """Return the multiplier of every channel of the batch."""
        if self.is_prior:
            flat = np.ones((1, HOURS_OF_WEEK))
            why = (f"prior:send_time:{self.artefact.facts['prior']}",)
            return Timing(multiplier=dict.fromkeys(batch.channels, flat), notes=why)
        curves = self.curves(batch.frame)
        answers = {channel: self.multiplier(curves, channel, batch.priors) for channel in batch.channels}
        return Timing(multiplier=answers, notes=tuple(self._notes(batch)))

    def multiplier(self, curves: FloatArray, channel: str, priors: Priors) -> FloatArray:
        """Return m (n, 168) of ``channel`` for rhythms ``curves``: positive, averaging 1 over the sends so far.

        One row of ones stands for all where the hour was not shown to pay.
        """
        if not self._moves(channel):
            return np.ones((1, HOURS_OF_WEEK))
        beta = self._channels.get(channel, {}).get("beta", priors.of(channel).beta)
        raised = self.met(curves, channel, priors) ** beta
        average = raised @ self.artefact.arrays["sends"]
        multiplier: FloatArray = np.round(raised / average[:, None], _DIGITS)
        return multiplier

    def _moves(self, channel: str) -> bool:
        return self.pays or "beta" in self._channels.get(channel, {})

    def met(self, curves: FloatArray, channel: str, priors: Priors) -> FloatArray:
        """Return how lively (n, 168) the hour is that a message sent in each slot meets; 1 where all are alike."""
        delay = self._channels.get(channel, {}).get("delay_hours", priors.of(channel).open_delay_hours)
        return shifted(curves, delay) * HOURS_OF_WEEK

    @property
    def _channels(self) -> Mapping[str, Mapping[str, float]]:
        channels: Mapping[str, Mapping[str, float]] = self.artefact.facts["channels"]
        return channels

    def _notes(self, batch: Batch) -> Iterator[str]:
        why = self.artefact.facts["why"]
        for channel in batch.channels:
            learned = self._channels.get(channel, {})
            if "beta" not in learned:
                yield f"prior:send_time:{channel}:{why if self.pays else NOT_SHOWN_TO_PAY}"
            elif learned.get("chosen"):
                yield f"prior:send_time:{channel}:{CHOSEN_HOURS}"
