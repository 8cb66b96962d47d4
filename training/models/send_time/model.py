"""The send-time model: learned on one window of behaviour, measured on the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from decisions.scorers.base import Kind
from decisions.scorers.rhythm import DAYS, HOURS
from decisions.scorers.send_time import RHYTHM, UNIFORM, SendTimeModel
from features.rhythm import HALF_LIFE_DAYS
from training.models import Backtest, Facts, Fitted, NoLabels, Simpler, mean_score
from training.models.send_time.by_answers import fit_by_answers
from training.models.send_time.delays import learn_delays
from training.models.send_time.effect import Slots, learn_beta
from training.models.send_time.filled import filled_in
from training.models.send_time.histories import SIGNS, Eras, people, rhythms, send_slots
from training.models.send_time.observed import in_words, observed_beta, pays
from training.models.send_time.rhythm import everybodys, learn_rhythm, losses, share_in_best
from training.sets import at_midnight, clusters, fingerprint
from training.spans import first_of, horizons, shortened, spanned

if TYPE_CHECKING:
    from datetime import datetime

    from decisions.scorers.base import FloatArray
    from training.models.send_time.histories import Rhythms
    from training.models.send_time.rhythm import History
    from training.sources import TrainingSources

_FEWEST_SENDS = 100
"""Below this the send times so far are an accident; every hour counts alike."""
_LEAST_HISTORY = timedelta(days=28)
WHY = "no_randomised_slots"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSendTime:
    """The send-time model. ``days`` is the length of the window later behaviour is taken from.

    ``slots`` holds, by channel, sends whose slot was drawn at random; where there are none beta is the declared
    one, and the scorer's notes say so. At most ``most`` customers are learned from. Where ``days`` do not fit and
    are not ``exact``, fewer are taken.
    """

    name: Kind = "send_time"
    days: int = 56
    exact: bool = False
    most: int = 20_000
    half_life_days: float = HALF_LIFE_DAYS
    slots: Mapping[str, Slots] = field(default_factory=dict)

    def fit(self, sources: TrainingSources, *, tune: int = 0, seed: int) -> Fitted | NoLabels:  # noqa: ARG002  # its weights are learned by search in any case
        """Learn from behaviour, or where there is too little of it from the answers to messages."""
        by_behaviour = self._by_behaviour(sources, seed=seed)
        if isinstance(by_behaviour, Fitted):
            return by_behaviour
        by_answers = fit_by_answers(sources, seed=seed)
        why = f"people's own hours cannot be told: {by_behaviour.reason}"
        if isinstance(by_answers, NoLabels):
            return NoLabels(reason=f"{why}; nor everybody's by answers to messages: {by_answers.reason}")
        return replace(by_answers, caveat=f"{by_answers.caveat}; {why}")

    def _by_behaviour(self, sources: TrainingSources, *, seed: int) -> Fitted | NoLabels:
        """Learn from the window before the last, and measure on the last."""
        first = first_of(sources, SIGNS)
        if first is None:
            return NoLabels(reason=f"there is no {', '.join(SIGNS)} event")
        tried = (replace(self, days=days) for days in horizons(self.days, exact=self.exact))
        fitting = next((each for each in tried if first + _LEAST_HISTORY <= each.eras(sources).start), None)
        if fitting is None:
            return NoLabels(reason=self._too_short(first, sources.now))
        if filled := filled_in(sources):
            return NoLabels(reason=filled)
        return fitting.learned(sources, first, wanted=self.days, seed=seed)

    def eras(self, sources: TrainingSources) -> Eras:
        """Return the windows to learn from and to measure on."""
        return Eras.before(at_midnight(sources.now), days=self.days)

    def learned(self, sources: TrainingSources, first: datetime, *, wanted: int, seed: int) -> Fitted | NoLabels:
        """Learn with exactly these days, and say where they are not those ``wanted``."""
        customers = people(sources, most=self.most)
        found = rhythms(sources, customers, self.eras(sources), half_life_days=self.half_life_days)
        if not found.learning.judged.earlier.sum() or not found.measuring.judged.earlier.sum():
            return NoLabels(reason=f"nobody was active both before and within the last {self.days} days")
        fitted = self._fitted(sources, found, seed=seed)
        said = shortened(first, sources.now, "the rhythm", days=self.days, wanted=wanted)
        return replace(fitted, caveat="; ".join(filter(None, [fitted.caveat, said])))

    def _fitted(self, sources: TrainingSources, found: Rhythms, *, seed: int) -> Fitted:
        learned = self._scorer(sources, found, seed=seed)
        told = observed_beta(sources, learned, found)
        scorer = learned if pays(told) else learned.unmoved()
        active = found.measuring.later.sum(axis=1) > 0
        frame, history = found.middle.filter(active), found.measuring.judged

        def rescore(other: SendTimeModel) -> FloatArray:
            return losses(other.curves(frame), history.later)

        everybody = scorer.rhythm.everybody
        return Fitted(
            scorer=scorer,
            backtest=Backtest(
                metric="nll",
                direction="lower",
                statistic=mean_score,
                truth=history.later.sum(axis=1),
                scores={"send_time": rescore(scorer), **_rivals(history, everybody)},
                clusters=clusters(frame["customer_id"]),
                model="send_time",
                baseline="everybody",
                binary=False,
            ),
            rescore=rescore,
            fingerprint=fingerprint(found.start, days=self.days, half_life_days=self.half_life_days),
            trained_on=len(found.learning.judged.later),
            facts=self._facts(found),
            inputs=(RHYTHM,),
            parameters={
                "days": self.days,
                "clusters": len(scorer.rhythm.mixing),
                **scorer.artefact.facts["weights"],
            },
            metrics=rules(scorer.curves(frame), history, everybody),
            caveat=in_words(told),
            simpler=(
                Simpler(
                    "everybody", scorer.with_rhythm(everybodys(everybody)), "everybody's measured hours for all"
                ),
            ),
        )

    def _scorer(self, sources: TrainingSources, found: Rhythms, *, seed: int) -> SendTimeModel:
        sends = send_slots(sources, found.start["customer_id"].to_pylist())
        enough = sends.sum() >= _FEWEST_SENDS
        return SendTimeModel.of(
            learn_rhythm(found.learning, seed=seed),
            sends=sends if enough else UNIFORM,
            sends_from="the sends so far" if enough else "all hours alike: too few sends carry a local time",
            half_life_days=self.half_life_days,
            channels=self._channels(sources),
            why=WHY,
        )

    def _channels(self, sources: TrainingSources) -> dict[str, dict[str, float]]:
        delays = {channel: {"delay_hours": hours} for channel, hours in learn_delays(sources).items()}
        betas = {channel: self._beta(sources, channel) for channel in sorted(self.slots)}
        return {channel: delays.get(channel, {}) | betas.get(channel, {}) for channel in sorted({*delays, *betas})}

    def _beta(self, sources: TrainingSources, channel: str) -> dict[str, float]:
        declared = sources.priors.of(channel)
        beta = learn_beta(self.slots[channel], prior=declared.beta, prior_sd=declared.beta_sd)
        return {"beta": beta.mean, "beta_sd": beta.sd, "sends": float(beta.sends)}

    def _facts(self, found: Rhythms) -> Facts:
        return Facts(
            question="In which of the 168 local hours of a week is this customer active?",
            method="Empirical-Bayes blend of person, cluster and everybody, its weights from later behaviour.",
            data=f"{', '.join(SIGNS)} of {len(found.start)} customers; later events fade with the same half-life.",
            limits=(
                "Measured on behaviour, not on sends: how far the rhythm moves a message's effect is beta, "
                + (
                    "learned from randomised slots."
                    if self.slots
                    else "a declared prior: no slots were randomised."
                ),
            ),
        )

    def _too_short(self, first: datetime, now: datetime) -> str:
        shortest = horizons(self.days, exact=self.exact)[-1]
        return (
            f"{spanned(first, now)}: two windows of {shortest} days, with {_LEAST_HISTORY.days} days of "
            f"{', '.join(SIGNS)} events before them, do not fit"
        )


def rules(curves: FloatArray, history: History, everybody: FloatArray) -> dict[str, float]:
    """Return the share of later events in the hours each rule would choose: its best one, and its best 21 of 168.

    ``median`` is the rule of the median hour of the day, one hour either side, any day: 21 hours as well.
    """
    chosen = {
        "model": curves,
        "everybody": everybody[None, :],
        "own_raw": history.earlier + 1e-9 * everybody,  # nobody's own hours at all: everybody's
        "median": _around_median(history.earlier),
    }
    return {
        f"share_in_best_{hours}_{name}": float(share_in_best(curve, history.later, hours=hours).mean())
        for name, curve in chosen.items()
        for hours in (1, 21)
    }


def _around_median(earlier: FloatArray) -> FloatArray:
    daily = earlier.reshape(-1, DAYS, HOURS).sum(axis=1)
    middle = (daily.cumsum(axis=1) < daily.sum(axis=1, keepdims=True) / 2).sum(axis=1)
    distance = np.abs(np.arange(HOURS)[None, :] - middle[:, None])
    return np.tile(np.where(distance <= 1, 1.0 / (1 + distance), 0.0), (1, DAYS))


def _rivals(history: History, everybody: FloatArray) -> dict[str, FloatArray]:
    own = history.earlier.sum(axis=1, keepdims=True)
    return {
        "everybody": losses(everybody[None, :], history.later),
        "person_168": losses((history.earlier + 168 * everybody) / (own + 168), history.later),
    }
