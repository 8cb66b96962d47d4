"""P(engage within the horizon | one message), per channel, shrunk to the customer's own rate.

    log-odds = logit((engaged + K · base) / (sent + K)) + trees(features), then calibrated

The first term is the beta-binomial estimate of the customer's own rate over the last 90 days (K and base learned
by likelihood); the trees learn what it leaves over. With no sends behind, it is the base rate plus what peers say.
Its plainer forms leave out the trees, or the own rate too: everybody then has the base rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from decisions.scorers.artefact import Artefact, ArtefactScorer
from decisions.scorers.base import Engagement, Kind, matrix, same_for_all
from decisions.scorers.calibration import calibrated, knots_from_json, log_odds
from decisions.scorers.trees import check_features, raw_scores

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from decisions.scorers.base import Batch, FloatArray

REACTIONS = ("opened", "clicked", "converted")


def own_columns(channel: str) -> tuple[str, ...]:
    """Return the columns :func:`own_counts` reads."""
    return tuple(f"{channel}_{what}_90d" for what in ("sent", *REACTIONS))


def own_counts(frame: pa.Table, channel: str) -> tuple[FloatArray, FloatArray]:
    """Return (sent, engaged) of the last 90 days, each (n,); several reactions to one message count once."""
    sent, *reactions = np.nan_to_num(matrix(frame, own_columns(channel))).T
    return sent, np.minimum(sent, np.maximum.reduce(reactions))


def own_rate(sent: FloatArray, engaged: FloatArray, *, base: float, strength: float) -> FloatArray:
    """Return the shrunk own rate, (n,): ``base`` weighs as much as ``strength`` messages."""
    return np.asarray((engaged + strength * base) / (sent + strength))


@dataclass(frozen=True)
class ChannelModel(ArtefactScorer):
    """The scorer. ``facts["channels"]``: per learned channel ``base``, ``strength``, ``knots``, ``features``.

    Without ``knots`` the channel has no trees, and with a ``strength`` of null everybody has the base rate.
    A channel that was not learned has the declared prior, and a note that says why (``facts["why"]``).
    """

    kind: ClassVar[Kind] = "channel"

    def __post_init__(self) -> None:
        """Refuse a booster whose columns are not the artefact's."""
        for channel, learned in self._learned.items():
            if channel in self.artefact.boosters:
                check_features(self.artefact.boosters[channel], tuple(learned["features"]))

    @classmethod
    def prior(cls, why: str) -> Self:
        """Return the scorer of no data: the declared engagement of every channel."""
        return cls(Artefact(kind=cls.kind, facts={"channels": {}, "why": why}))

    @property
    def is_prior(self) -> bool:
        """Whether no channel was learned."""
        return not self._learned

    @property
    def _learned(self) -> Mapping[str, Any]:
        learned: Mapping[str, Any] = self.artefact.facts["channels"]
        return learned

    def engage(self, frame: pa.Table, channel: str) -> FloatArray:
        """Return calibrated P(engage | sent on ``channel``), (n,), for a channel that was learned."""
        learned = self._learned[channel]
        if learned["strength"] is None:
            return np.full(frame.num_rows, learned["base"])
        sent, engaged = own_counts(frame, channel)
        own = own_rate(sent, engaged, base=learned["base"], strength=learned["strength"])
        if channel not in self.artefact.boosters:
            return own
        trees = raw_scores(self.artefact.boosters[channel], matrix(frame, learned["features"]))
        return calibrated(knots_from_json(learned["knots"]), log_odds(own) + trees)

    def predict(self, batch: Batch) -> Engagement:
        """Return P(engage) for every channel of the batch."""
        answers = {channel: self._answer(batch, channel) for channel in batch.channels}
        return Engagement(probability=answers, notes=tuple(self._notes(batch)))

    def _answer(self, batch: Batch, channel: str) -> FloatArray:
        if channel not in self._learned:
            return same_for_all(batch.priors.of(channel).engage)
        return np.where(batch.cold, self._learned[channel]["base"], self.engage(batch.frame, channel))

    def _notes(self, batch: Batch) -> Iterator[str]:
        why = self.artefact.facts["why"]
        return (f"prior:channel:{channel}:{why}" for channel in batch.channels if channel not in self._learned)
