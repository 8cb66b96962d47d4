"""Who answers a push, at which time of day, and does a push make people walk? 37 people, 3,918 randomised pushes.

Yardstick: a person's own rate; person + slot, an additive logistic regression; for the effect, a regression on
the steps before with a level for each person.

Data: suggestions.parquet

    python -m benchmarks.heartsteps --data DIR

*Answering* (good or bad): learned on the first 60% of each person's pushes, judged on the last 40% by log-loss.
Ours are the channel model's own rate (pseudo-counts learned by likelihood), as it stands at the cut, and kept up
to the day before each push, which is what serving reads; and that rate times the send-time multiplier, a rhythm
of answered pushes with its beta learned from pushes, whose slot chance has chosen. Only what is kept up sees the
answers of the last 40% so far, so it is set beside a person's rate kept up as well (a person's rate: with one
pseudo-push of everybody's). *Walking*: off-policy values of "always push" and "never" from the design's 0.6, in
steps of the next 30 minutes. Intervals draw whole people. Kairos has no model of the five slots of a day as such:
only the rhythm over 168 hours.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.answer import Row, answer
from benchmarks.walking import walked
from decisions.priors import Priors
from decisions.scorers.base import FloatArray
from decisions.scorers.calibration import log_odds
from decisions.scorers.channel import own_rate
from features.vocabulary import HOURS_OF_WEEK
from measures.bootstrap import interval
from measures.proper import log_loss, log_loss_units
from measures.ranking import auc
from training.models.channel import fit_own_rate
from training.models.send_time.effect import Beta, Slots, learn_beta
from training.models.send_time.rhythm import History, learn_rhythm

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from benchmarks.answer import Measured

FILE = "suggestions.parquet"
EARLIER = 0.6
CUT, KEPT_UP, TIMED = "own rate at the cut", "own rate, kept up", "own rate, kept up × rhythm"
PAIRS = (
    *((CUT, name) for name in ("everybody's rate", "slot's rate", "person's rate", "person + slot")),
    *((KEPT_UP, name) for name in ("person's rate, kept up", "person + slot")),
    *((TIMED, name) for name in (KEPT_UP, "person + slot")),
)
"""What is set beside what. *Kept up*: answers up to the day before each push are known, at the cut: only the first
60%, which is all that *person + slot* ever sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushes:
    """All pushes, person by person in order; ``place`` in [0, 1) is how far into their own the push comes."""

    person: NDArray[np.int64]
    slot: NDArray[np.int64]
    hour: NDArray[np.int64]
    place: FloatArray
    answered: FloatArray
    sent_before: FloatArray
    answered_before: FloatArray
    """Counts up to the day before."""

    @property
    def later(self) -> NDArray[np.bool_]:
        """Whether the push is judged."""
        return self.place >= EARLIER

    def counts(self, rows: NDArray[np.bool_]) -> FloatArray:
        """Return the answered pushes among ``rows`` over each person's week, (people, 168)."""
        found = np.zeros((self.person.max() + 1, HOURS_OF_WEEK))
        np.add.at(found, (self.person[rows], self.hour[rows]), self.answered[rows])
        return found

    def totals(self, rows: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
        """Return each push's person's (sent, answered) among ``rows``."""
        people = self.person.max() + 1
        sent = np.bincount(self.person[rows], minlength=people).astype(np.float64)
        good = np.bincount(self.person[rows], self.answered[rows], minlength=people).astype(np.float64)
        return sent[self.person], good[self.person]


def pushes(table: pd.DataFrame) -> Pushes:
    """Return the pushes of ``table``. One without any reply counts as not answered, whatever became of it."""
    sent = table[(table["send"] == "True") & table["local_time"].notna()]
    sent = sent.sort_values(["user_index", "sugg_decision_utime"])
    sent = sent.assign(
        answered=sent["response"].isin(["good", "bad"]).astype(float),
        day=sent["sugg_decision_utime"].dt.floor("D"),
    )
    own = sent.groupby("user_index", sort=True)
    order = own.cumcount()
    daily = sent.groupby(["user_index", "day"])
    today = daily.cumcount()
    return Pushes(
        person=own.ngroup().to_numpy().astype(np.int64),
        slot=sent["sugg_select_slot"].to_numpy(np.int64),
        hour=(sent["local_time"].dt.dayofweek * 24 + sent["local_time"].dt.hour).to_numpy(np.int64),
        place=(order / own["answered"].transform("size")).to_numpy(np.float64),
        answered=sent["answered"].to_numpy(np.float64),
        sent_before=(order - today).to_numpy().astype(np.float64),
        answered_before=(own["answered"].cumsum() - daily["answered"].cumsum()).to_numpy(np.float64),
    )


def own_rates(sends: Pushes) -> dict[str, FloatArray]:
    """Return the channel model's own rate for every push, as at the cut and as the day before."""
    train = ~sends.later
    base, strength = fit_own_rate(sends.sent_before[train], sends.answered_before[train], sends.answered[train])
    return {
        CUT: own_rate(*sends.totals(train), base=base, strength=strength),
        KEPT_UP: own_rate(sends.sent_before, sends.answered_before, base=base, strength=strength),
    }


def rhythmic(sends: Pushes, rate: FloatArray, *, seed: int) -> tuple[FloatArray, Beta]:
    """Return ``rate`` times the send-time multiplier, and the beta behind it.

    Rhythm and beta are learned within the first 60%: from its first 60%, judged on its rest.
    """
    first, train = sends.place < EARLIER * EARLIER, ~sends.later
    between = train & ~first
    known = sends.counts(first)
    rhythm = learn_rhythm(History(earlier=known, later=sends.counts(between)), seed=seed)
    before = np.log(HOURS_OF_WEEK * rhythm.curves(known))[sends.person, sends.hour]
    slots = Slots(
        log_rhythm=before[between],
        engaged=sends.answered[between] > 0,
        offset=log_odds(rate[between]),
        weight=np.ones(int(between.sum())),
    )
    declared = Priors().of("push")
    beta = learn_beta(slots, prior=declared.beta, prior_sd=declared.beta_sd)
    curve = rhythm.curves(sends.counts(train))[sends.person, sends.hour] ** beta.mean
    usual = np.bincount(sends.person[train], curve[train]) / np.bincount(sends.person[train])
    return np.clip(rate * curve / usual[sends.person], 0.001, 0.999), beta


def yardsticks(sends: Pushes) -> dict[str, FloatArray]:
    """Return the rivals' probabilities for every push, learned on the first 60%."""
    train = ~sends.later
    overall = float(sends.answered[train].mean())
    sent, good = sends.totals(train)
    slot = np.bincount(sends.slot[train], sends.answered[train]) / np.maximum(np.bincount(sends.slot[train]), 1)
    return {
        "everybody's rate": np.full(len(sends.answered), overall),
        "slot's rate": slot[sends.slot],
        "person's rate": (good + overall) / (sent + 1),
        "person's rate, kept up": (sends.answered_before + overall) / (sends.sent_before + 1),
        "person + slot": _additive(sends, train),
    }


def _additive(sends: Pushes, train: NDArray[np.bool_]) -> FloatArray:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  # slow to import
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415  # as above
    from sklearn.preprocessing import OneHotEncoder  # noqa: PLC0415  # as above

    columns = np.column_stack([sends.person, sends.slot])
    line = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(max_iter=1000))
    line.fit(columns[train], sends.answered[train])
    return np.asarray(line.predict_proba(columns)[:, 1])


def run(table: pd.DataFrame, *, seed: int = 0) -> Measured:
    """Return both parts: answering, and walking."""
    rows, more = answering(pushes(table), seed=seed)
    walking, beside = walked(table)
    return [*rows, *walking], {**more, **beside}


def answering(sends: Pushes, *, seed: int) -> tuple[list[Row], dict[str, Any]]:
    """Return ours beside every yardstick on the last 40% of each person's pushes."""
    rates = own_rates(sends)
    timed, beta = rhythmic(sends, rates[KEPT_UP], seed=seed)
    ours, theirs = {**rates, TIMED: timed}, yardsticks(sends)
    rows = [_row(sends, case, ours[case], name, (theirs | ours)[name]) for case, name in PAIRS]
    truth = sends.answered[sends.later]
    return rows, {
        "answering": {
            name: {
                "log_loss": float(log_loss(truth, p[sends.later])),
                "auc": float(auc(truth, p[sends.later])),
            }
            for name, p in {**theirs, **ours}.items()
        },
        "beta": {"mean": beta.mean, "sd": beta.sd, "pushes": beta.sends},
    }


def _row(sends: Pushes, case: str, ours: FloatArray, yardstick: str, theirs: FloatArray) -> Row:
    truth = sends.answered[sends.later]
    one, other = (log_loss_units(truth, p[sends.later]) for p in (ours, theirs))
    ratio = interval(
        lambda first, second: float(first.mean() / second.mean()),
        (one, other),
        clusters=sends.person[sends.later],
        seed=0,
    )
    return Row.of(
        ratio, theirs=float(other.mean()), case=case, measure="log-loss", better="lower", yardstick=yardstick
    )


def measure(data: Path, given: argparse.Namespace) -> Measured:
    """Return the rows of the data set in ``data``."""
    del given
    return run(pd.read_parquet(data / FILE))


if __name__ == "__main__":
    sys.exit(answer(__doc__, measure))
