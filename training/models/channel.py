"""Channel: whether a customer engages with a message on a channel within the horizon.

One model per channel that has enough ripe messages. The backtest is on the last third by time; the messages
learned from were ripe when it began. Trees start from the customer's own rate, shrunk to the base rate by as much
as predicts best, and learn what it leaves over (:mod:`decisions.scorers.channel`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.optimize import minimize

from decisions.scorers.artefact import Artefact
from decisions.scorers.base import Batch, FloatArray, Kind, matrix
from decisions.scorers.calibration import knots_as_json, log_odds, probability_of
from decisions.scorers.channel import ChannelModel, own_columns, own_counts, own_rate
from measures.proper import log_loss
from training.fitting import Boosting, Training, calibrate, cross_fit, fit_booster
from training.labels import engagements
from training.models import Backtest, Facts, Fitted, NoLabels, Simpler
from training.models.churn import churn_features
from training.sets import clusters, fingerprint, numbers, rows, with_features
from training.spans import horizons
from training.tuning import tuned

if TYPE_CHECKING:
    from decisions.priors import Priors
    from features.vocabulary import Vocabulary
    from training.sources import TrainingSources

GENTLE = Boosting(rounds=100, learning_rate=0.02)
"""Less than the default: the trees only correct an estimate that is already good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Learned:
    """One channel's part of the artefact, and its held-out messages with every contender's probability."""

    channel: str
    booster: str
    facts: Mapping[str, Any]
    test: pa.Table
    rivals: Mapping[str, FloatArray]
    trained_on: int
    fingerprint: str
    boosting: Boosting


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainChannel:
    """The channel model. ``days``: the horizon; a channel needs ``least`` engagements on each side of the split.

    What it needs and does not have is left to the prior, channel by channel. Where no channel can be learned at so
    many days, fewer are taken, unless they are ``exact``.
    """

    name: Kind = "channel"
    days: int = 28
    exact: bool = False
    later_share: float = 0.35
    least: int = 30
    boosting: Boosting = GENTLE

    def fit(self, sources: TrainingSources, *, tune: int = 0, seed: int) -> Fitted | NoLabels:
        """Learn each channel that can be learned, and backtest on later messages of all of them."""
        *tried, last = (replace(self, days=days) for days in horizons(self.days, exact=self.exact))
        for fitting in (*tried, last):
            messages = engagements(sources, days=fitting.days)
            if learned := fitting.channels(sources, messages, tune=tune, seed=seed):
                return fitting.fitted(sources, learned, wanted=self.days)
        return NoLabels(reason=_too_few(engagements(sources, days=last.days), days=last.days, least=self.least))

    def channels(self, sources: TrainingSources, messages: pa.Table, *, tune: int, seed: int) -> list[_Learned]:
        """Return what was learned of each channel that has enough reactions."""
        return [
            found
            for channel in sources.vocabulary.channels
            if (found := self._channel(sources, _of(messages, channel), channel, tune=tune, seed=seed))
        ]

    def fitted(self, sources: TrainingSources, learned: list[_Learned], *, wanted: int) -> Fitted:
        """Return the fit of all channels, and say where its days are not those ``wanted``."""
        fitted = self._fitted(sources, learned)
        if self.days == wanted:
            return fitted
        said = f"too few reactions are {wanted} days old on both sides of the split: one counts within {self.days}"
        return replace(fitted, caveat=f"{fitted.caveat}; {said}")

    def _channel(
        self, sources: TrainingSources, messages: pa.Table, channel: str, *, tune: int, seed: int
    ) -> _Learned | None:
        if not messages.num_rows:
            return None
        before, after = self.split(messages)
        if min(numbers(part, "engaged").sum() for part in (before, after)) < self.least:
            return None
        train, test = with_features(sources.store, before), with_features(sources.store, after)
        return self._learn(
            train, test, channel, channel_features(sources.vocabulary, channel), tune=tune, seed=seed
        )

    def split(self, messages: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Return the messages that were ripe when the later share began, and that share."""
        moments = messages["event_timestamp"].to_numpy()
        begin = np.quantile(moments.astype(np.int64), 1.0 - self.later_share, method="nearest").astype(
            moments.dtype
        )
        horizon = np.timedelta64(self.days, "D")
        return rows(messages, moments + horizon <= begin), rows(messages, moments >= begin)

    def _learn(
        self, train: pa.Table, test: pa.Table, channel: str, names: tuple[str, ...], *, tune: int, seed: int
    ) -> _Learned:
        labels = numbers(train, "engaged")
        base, strength = fit_own_rate(*own_counts(train, channel), labels)
        training = Training(
            columns=matrix(train, names),
            names=names,
            labels=labels,
            groups=clusters(train["customer_id"]),
            offset=log_odds(_own(train, channel, base, strength)),
        )
        boosting = tuned(training, self.boosting, trials=tune, seed=seed)
        knots = calibrate(cross_fit(training, boosting, seed=seed), labels)
        return _Learned(
            channel=channel,
            booster=fit_booster(training, boosting, seed=seed),
            facts={"base": base, "strength": strength, "features": list(names), "knots": knots_as_json(knots)},
            test=test,
            rivals={
                "base_rate": np.full(test.num_rows, base),
                "own_rate": _own(test, channel, base, strength),
                "last_channel_used": _used_or_not(train, test, channel),
            },
            trained_on=train.num_rows,
            fingerprint=fingerprint(train, channel=channel, days=self.days),
            boosting=boosting,
        )

    def _fitted(self, sources: TrainingSources, learned: list[_Learned]) -> Fitted:
        facts = {part.channel: part.facts for part in learned}
        scorer = ChannelModel(self._artefact(facts, {part.channel: part.booster for part in learned}))

        def rescore(other: ChannelModel) -> FloatArray:
            return np.concatenate([_answers(other, part, sources.priors) for part in learned])

        names = tuple(learned[0].rivals)
        rivals = {name: np.concatenate([part.rivals[name] for part in learned]) for name in names}
        later = pa.concat_tables([part.test.select(["customer_id", "engaged"]) for part in learned])
        backtest = Backtest(
            metric="log_loss",
            direction="lower",
            statistic=log_loss,
            truth=numbers(later, "engaged"),
            scores={"channel": rescore(scorer), **rivals},
            clusters=clusters(later["customer_id"]),
            model="channel",
            baseline="base_rate",
            also_beat=("last_channel_used",),
        )
        return Fitted(
            scorer=scorer,
            backtest=backtest,
            rescore=rescore,
            fingerprint="-".join(part.fingerprint for part in learned),
            trained_on=sum(part.trained_on for part in learned),
            facts=self._facts(learned),
            inputs=_inputs(learned),
            parameters=self._parameters(learned),
            caveat="prediction gate only: who was messaged was not randomised",
            simpler=self._simpler(learned),
        )

    def _simpler(self, learned: list[_Learned]) -> tuple[Simpler, ...]:
        rates = {part.channel: {"base": part.facts["base"], "features": []} for part in learned}
        strengths = {part.channel: part.facts["strength"] for part in learned}
        pooled = {channel: {**rate, "strength": None} for channel, rate in rates.items()}
        own = {channel: {**rate, "strength": strengths[channel]} for channel, rate in rates.items()}
        said = ", ".join(f"{rate['base']:.1%} on {channel}" for channel, rate in rates.items())
        return (
            Simpler("base_rate", ChannelModel(self._artefact(pooled)), f"everybody's measured rate ({said})"),
            Simpler(
                "own_rate", ChannelModel(self._artefact(own)), "the customer's own rate, shrunk to everybody's"
            ),
        )

    def _artefact(
        self, channels: Mapping[str, Any], boosters: Mapping[str, str] = MappingProxyType({})
    ) -> Artefact:
        return Artefact(
            kind="channel",
            facts={"days": self.days, "why": "no_labels", "channels": dict(channels)},
            boosters=boosters,
        )

    def _parameters(self, learned: list[_Learned]) -> dict[str, str | float | int]:
        per_channel = {
            f"{part.channel}_{name}": value
            for part in learned
            for name, value in {
                "base": part.facts["base"],
                "strength": part.facts["strength"],
                **part.boosting.as_parameters(),
            }.items()
        }
        return {"days": self.days, **per_channel}

    def _facts(self, learned: list[_Learned]) -> Facts:
        return Facts(
            question=f"Will this customer engage with one message on the channel within {self.days} days?",
            method="The customer's own rate, shrunk by how well it predicts, corrected by LightGBM, calibrated.",
            data="; ".join(
                f"{part.channel}: {part.trained_on} messages to learn from, {part.test.num_rows} later ones"
                for part in learned
            ),
            limits=(
                "Engagement is not effect: some would have bought without the message.",
                "Who was messaged in the past was chosen; for customers never messaged it is the peers' answer.",
            ),
        )


def _too_few(messages: pa.Table, *, days: int, least: int) -> str:
    counts = messages.group_by("channel").aggregate([("engaged", "sum"), ("engaged", "count")]).to_pylist()
    found = ", ".join(f"{row['channel']} {row['engaged_sum']:.0f} of {row['engaged_count']}" for row in counts)
    return (
        f"no channel has {least} engagements within {days} days both before and after the split "
        f"(engaged of ripe messages: {found or 'none'})"
    )


def channel_features(vocabulary: Vocabulary, channel: str) -> tuple[str, ...]:
    """Return the columns a channel's trees learn from: activity, and the days since its last message.

    Counts of reactions stay out: the own rate already holds them, and trees on both fitted noise.
    """
    return (*churn_features(vocabulary), f"{channel}_days_since_sent")


def fit_own_rate(sent: FloatArray, engaged: FloatArray, labels: FloatArray) -> tuple[float, float]:
    """Return (base, strength) of :func:`decisions.scorers.channel.own_rate` that predict ``labels`` best."""

    def loss(logs: FloatArray) -> float:
        base, strength = _base_and_strength(logs)
        return float(log_loss(labels, own_rate(sent, engaged, base=base, strength=strength)))

    start = np.array([log_odds(np.array([labels.mean()]))[0], np.log(10.0)])
    bounds = [(-12.0, 12.0), (np.log(0.5), np.log(10_000.0))]
    return _base_and_strength(minimize(loss, start, method="L-BFGS-B", bounds=bounds).x)


def _base_and_strength(logs: FloatArray) -> tuple[float, float]:
    return float(probability_of(logs)[0]), float(np.exp(logs[1]))


def _inputs(learned: list[_Learned]) -> tuple[str, ...]:
    trees = [name for part in learned for name in part.facts["features"]]
    counts = [name for part in learned for name in own_columns(part.channel)]
    return tuple(dict.fromkeys((*trees, *counts)))


def _of(messages: pa.Table, channel: str) -> pa.Table:
    return messages.filter(pc.equal(messages["channel"], channel))


def _own(table: pa.Table, channel: str, base: float, strength: float) -> FloatArray:
    return own_rate(*own_counts(table, channel), base=base, strength=strength)


def _used_or_not(train: pa.Table, test: pa.Table, channel: str) -> FloatArray:
    """Return the rule of thumb: the rate of those who lately reacted on the channel, or of those who did not."""
    labels, used = numbers(train, "engaged"), own_counts(train, channel)[1] > 0
    rates = [
        float(labels[used == group].mean()) if np.any(used == group) else labels.mean() for group in (False, True)
    ]
    return np.where(own_counts(test, channel)[1] > 0, rates[1], rates[0])


def _answers(scorer: ChannelModel, part: _Learned, priors: Priors) -> FloatArray:
    batch = Batch(
        frame=part.test,
        offers=(),
        channels=(part.channel,),
        priors=priors,
        cold=np.zeros(part.test.num_rows, dtype=np.bool_),
    )
    return np.broadcast_to(scorer.predict(batch).probability[part.channel], part.test.num_rows)
