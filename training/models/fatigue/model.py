"""The fatigue model: randomised holdbacks where there are any, seen losses as a labelled prior where not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from decisions.scorers.base import Kind
from decisions.scorers.fatigue import FatigueModel, declared_hazard
from measures.proper import log_loss_units
from training.models import Backtest, Facts, Fitted, NoLabels, Simpler, mean_score
from training.models.fatigue.hazard import RandomisedPressure, observed_hazard, randomised_drop, randomised_hazard
from training.models.fatigue.sends import DAY, LOSSES, PRESSURE_DAYS, ripe_sends
from training.sets import fingerprint

if TYPE_CHECKING:
    from decisions.priors import Priors
    from decisions.scorers.base import FloatArray
    from training.models.fatigue.sends import Sends
    from training.sources import TrainingSources

_EARLIER = 0.7
_FEWEST_LOSSES = 20
"""Losses to learn from below which a curve over eight levels would be drawn through noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainFatigue:
    """The fatigue model. A loss within ``days`` after a message is laid to it.

    ``drawn`` holds messages sent or held back at random, by channel. Other channels with losses to learn from
    get a rate by pressure that is only seen, and labelled so. No fewer days are tried, ``exact`` or not.
    """

    name: Kind = "fatigue"
    days: int = 7
    exact: bool = False
    drawn: Mapping[str, RandomisedPressure] = field(default_factory=dict)

    def fit(self, sources: TrainingSources, *, tune: int = 0, seed: int) -> Fitted | NoLabels:  # noqa: ARG002  # closed forms: nothing to tune or draw
        """Learn from messages that were ripe when the last 30% in time began, and measure on those."""
        sends = ripe_sends(sources, days=self.days)
        if sends.lost.sum() < _FEWEST_LOSSES:
            return NoLabels(reason=self._too_few(sends))
        train, test = self.split(sends)
        if not train.lost.any() or not test.lost.any():
            return NoLabels(reason=f"all {int(sends.lost.sum())} losses fall on one side of the cut in time")
        return self._fitted(sources.priors, train, test)

    def split(self, sends: Sends) -> tuple[Sends, Sends]:
        """Return the messages whose outcome was in when the later share began, and that share."""
        cut = np.quantile(sends.at, _EARLIER)
        return sends.of(sends.at + self.days * DAY <= cut), sends.of(sends.at >= cut)

    def _fitted(self, priors: Priors, train: Sends, test: Sends) -> Fitted:
        scorer = FatigueModel.of(self._channels(priors, train), why="no_labels")
        truth = test.lost.astype(np.float64)
        pooled = self._pooled(priors, train)

        def rescore(other: FatigueModel) -> FloatArray:
            return log_loss_units(truth, hazards(other, test, priors))

        return Fitted(
            scorer=scorer,
            backtest=Backtest(
                metric="log_loss",
                direction="lower",
                statistic=mean_score,
                truth=truth,
                scores={
                    "fatigue": rescore(scorer),
                    "constant": log_loss_units(truth, _constant(train, test)),
                    "declared": rescore(FatigueModel.prior("no_labels")),
                    "pooled": rescore(pooled),
                },
                clusters=test.customer,
                model="fatigue",
                baseline="constant",
                binary=False,
            ),
            rescore=rescore,
            fingerprint=fingerprint(_table(train), days=self.days, pressure_days=PRESSURE_DAYS),
            trained_on=len(train.at),
            facts=self._facts(train, test),
            parameters={"days": self.days, "randomised": ",".join(sorted(self.drawn)) or "none"},
            caveat=None if self.drawn else "prediction gate only: pressure was seen, not randomised",
            simpler=(Simpler("pooled", pooled, "measured losses by channel, growing with pressure as declared"),),
        )

    def _pooled(self, priors: Priors, train: Sends) -> FatigueModel:
        """Return the measured rate of each channel with the declared growth: no curve, only its height."""
        learned = {
            channel: self._scaled(priors, channel, train.of(train.channel == channel))
            for channel in np.unique(train.channel[train.lost]).tolist()
        }
        return FatigueModel.of({**learned, **self._drawn(priors)}, why="no_labels")

    def _scaled(self, priors: Priors, channel: str, train: Sends) -> dict[str, Any]:
        declared = declared_hazard(channel, priors)
        height = train.lost.sum() / declared[train.level].sum()
        return {"source": "observational", "hazard": np.minimum(1.0, declared * height).tolist()}

    def _channels(self, priors: Priors, train: Sends) -> dict[str, dict[str, Any]]:
        learned = {
            channel: self._seen(priors, channel, train.of(train.channel == channel))
            for channel in np.unique(train.channel[train.lost]).tolist()
        }
        return learned | self._drawn(priors)

    def _drawn(self, priors: Priors) -> dict[str, dict[str, Any]]:
        return {channel: self._measured(priors, channel) for channel in sorted(self.drawn)}

    def _measured(self, priors: Priors, channel: str) -> dict[str, Any]:
        drawn = self.drawn[channel]
        hazard = randomised_hazard(drawn, declared=declared_hazard(channel, priors))
        return {
            "source": "randomised",
            "hazard": hazard.mean.tolist(),
            "error": hazard.error.tolist(),
            "response_drop": randomised_drop(drawn, declared=priors.response_drop),
        }

    def _seen(self, priors: Priors, channel: str, train: Sends) -> dict[str, Any]:
        hazard = observed_hazard(train.level, train.lost, declared=declared_hazard(channel, priors))
        return {"source": "observational", "hazard": hazard.mean.tolist(), "error": hazard.error.tolist()}

    def _facts(self, train: Sends, test: Sends) -> Facts:
        return Facts(
            question="What is the chance that one more message loses the channel, at each pressure?",
            method=(
                "Weighted difference of sent and held back by level, drawn to what is declared, rising."
                if self.drawn
                else "Share of messages followed by a loss, by level, drawn to what is declared, rising."
            ),
            data=f"{len(train.at)} messages with {int(train.lost.sum())} losses, {len(test.at)} later ones.",
            limits=(
                "Where pressure was not randomised, who bears much mail is not who leaves at the first.",
                "Recovery time is declared, not learned.",
            ),
        )

    def _too_few(self, sends: Sends) -> str:
        return (
            f"{int(sends.lost.sum())} of {len(sends.at)} messages were followed by {' or '.join(LOSSES)} within "
            f"{self.days} days; {_FEWEST_LOSSES} are needed: map them as events with the channel they end"
        )


def hazards(scorer: FatigueModel, sends: Sends, priors: Priors) -> FloatArray:
    """Return the hazard ``scorer`` gives each message, (n,)."""
    out = np.empty(len(sends.at))
    for channel in np.unique(sends.channel).tolist():
        here = sends.channel == channel
        out[here] = scorer.hazard(channel, priors)[sends.level[here]]
    return out


def _constant(train: Sends, test: Sends) -> FloatArray:
    out = np.full(len(test.at), (train.lost.sum() + 0.5) / (len(train.at) + 1))
    for channel in np.unique(train.channel).tolist():
        lost = train.lost[train.channel == channel]
        out[test.channel == channel] = (lost.sum() + 0.5) / (len(lost) + 1)
    return out


def _table(sends: Sends) -> pa.Table:
    return pa.table(
        {
            "customer": sends.customer,
            "channel": sends.channel.tolist(),
            "at": sends.at,
            "level": sends.level,
            "lost": sends.lost,
        }
    )
