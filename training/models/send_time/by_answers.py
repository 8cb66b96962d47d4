"""The send-time model of a list: hours by the answers messages got, where nobody's own behaviour is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from decisions.scorers.send_time import RHYTHM, UNIFORM, SendTimeModel
from features.rhythm import HALF_LIFE_DAYS
from measures.proper import log_loss
from training.models import Backtest, Facts, Fitted, NoLabels, Simpler
from training.models.send_time.answered import ALIKE, Answers, Own, answers, learn_week
from training.models.send_time.rhythm import everybodys
from training.sets import fingerprint

if TYPE_CHECKING:
    from decisions.scorers.base import FloatArray
    from training.models.send_time.answered import Week
    from training.sources import TrainingSources

HORIZONS = (7, 3, 1)
"""Days within which an answer counts: the longest that leaves answers on both sides of the split."""
LATER_SHARE = 0.35
LEAST = 30
"""Answers on each side of the split, and"""
FEWEST_DAYS = 5
"""days of sending: fewer are single messages, not hours."""
WHY = "not_sent_on"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Parts:
    days: int
    whole: Answers
    before: Answers
    after: Answers

    @property
    def enough(self) -> bool:
        parts = (self.before, self.after)
        answered = min(part.answered.sum() for part in parts)
        return bool(answered >= LEAST and min(len(np.unique(part.day)) for part in parts) >= FEWEST_DAYS)


def fit_by_answers(sources: TrainingSources, *, seed: int) -> Fitted | NoLabels:
    """Learn everybody's hours from the answers to messages, and backtest on the later 35% of them.

    Messages without a time of day teach weekdays only; all at one hour teach no hour.
    """
    tried = [_parts(sources, days) for days in HORIZONS]
    found = next((parts for parts in tried if parts.enough), None)
    if found is None:
        return NoLabels(reason=_too_few(tried[-1].whole))
    return _fitted(sources, found, seed=seed)


def _parts(sources: TrainingSources, days: int) -> _Parts:
    whole = answers(sources, days=days)
    if not len(whole.day):
        return _Parts(days=days, whole=whole, before=whole, after=whole)
    before, after = whole.split(later_share=LATER_SHARE, days=days)
    return _Parts(days=days, whole=whole, before=before, after=after)


def _too_few(whole: Answers) -> str:
    if not len(whole.day):
        return "no message is known whose receiver has a time zone (time_zone in the mapping)"
    days = len(np.unique(whole.day))
    return (
        f"{whole.answered.sum():.0f} of {len(whole.day)} messages on {days} days were answered; "
        f"{LEAST} answers on {FEWEST_DAYS} days of sending are needed on each side of the split by time"
    )


def _fitted(sources: TrainingSources, parts: _Parts, *, seed: int) -> Fitted:
    own = Own.learn(parts.before)
    week = learn_week(parts.before, own.left_out(parts.before), seed=seed)
    expected = own.known(parts.before, parts.after)
    scorer = _scorer(parts.whole, week)

    def rescore(other: SendTimeModel) -> FloatArray:
        return _foretold(other, parts.after, expected, sources)

    alike = _scorer(parts.whole, ALIKE)
    backtest = Backtest(
        metric="log_loss",
        direction="lower",
        statistic=log_loss,
        truth=parts.after.answered,
        scores={"send_time": rescore(scorer), "all_hours_alike": rescore(alike)},
        clusters=parts.after.day,
        model="send_time",
        baseline="all_hours_alike",
        drawn_by="days of sending",
    )
    table = pa.table({"day": parts.before.day, "hour": parts.before.hour, "answered": parts.before.answered})
    return Fitted(
        scorer=scorer,
        backtest=backtest,
        rescore=rescore,
        fingerprint=fingerprint(table, days=parts.days),
        trained_on=len(parts.before.day),
        facts=_facts(parts),
        inputs=(RHYTHM,),
        parameters={"days": parts.days, "from": "answers", "base": own.base, "strength": own.strength},
        caveat=_caveat(parts.whole),
        simpler=(Simpler("all_hours_alike", alike, "every hour alike: no better one was measured"),),
    )


def _scorer(whole: Answers, week: Week) -> SendTimeModel:
    """Return the scorer that multiplies by the week's ratios: a rhythm of elasticity one, met without delay."""
    slots = whole.slots
    learned = {"beta": 1.0, "delay_hours": 0.0, "chosen": 1.0}
    return SendTimeModel.of(
        everybodys(week.curve),
        sends=slots if slots.sum() else UNIFORM,
        sends_from="the sends so far" if slots.sum() else "all hours alike: no send carries a time of day",
        half_life_days=HALF_LIFE_DAYS,
        channels=dict.fromkeys(np.unique(whole.channel).tolist(), learned),
        why=WHY,
    )


def _foretold(scorer: SendTimeModel, after: Answers, expected: FloatArray, sources: TrainingSources) -> FloatArray:
    """Return P(answered) of each message under ``scorer``; one without a time of day by its weekday's mean."""
    unknown = pa.table({RHYTHM: pa.nulls(1, pa.list_(pa.float64()))})
    curves = scorer.curves(unknown)
    chances = np.empty(len(expected))
    for channel in np.unique(after.channel).tolist():
        multiplier = scorer.multiplier(curves, channel, sources.priors).reshape(7, 24)
        here = after.channel == channel
        part = after.of(here)
        timed = multiplier[part.weekday, part.hour]
        factor = np.where(part.timed, timed, multiplier[part.weekday].mean(axis=1))
        chances[here] = np.clip(expected[here] * factor, 1e-4, 0.95)
    return chances


def _caveat(whole: Answers) -> str:
    """Say what the hours are worth: they were chosen, and how many they were."""
    days, timed = len(np.unique(whole.day)), whole.of(whole.timed)
    hours = len(np.unique(timed.hour))
    if not len(timed.day):
        said = "messages carry dates without a time of day: weekdays only, no hour was learned"
    elif hours == 1:
        said = f"all messages were sent at {timed.hour[0]}:00 local time: no hour can be told from another"
    else:
        said = f"at {hours} different local hours"
    return (
        f"hours were chosen by the sender, not drawn: {len(whole.day)} messages on {days} days of sending, {said}"
    )


def _facts(parts: _Parts) -> Facts:
    return Facts(
        question="In which hours of the week are messages answered more often than by the same people else?",
        method=(
            "Answers per send over those expected of the same people, by local hour and weekday, for everybody; "
            "shrunk to no difference by left-out days of sending."
        ),
        data=(
            f"{len(parts.before.day)} messages to learn from, {len(parts.after.day)} later ones; an answer counts "
            f"within {parts.days} days."
        ),
        limits=(
            "The sender chose the hours: a good message makes its hour look good. Drawn hours would tell.",
            "Nobody's own hours: opens lean towards the hours that were sent at. Sessions or orders would tell.",
        ),
    )
