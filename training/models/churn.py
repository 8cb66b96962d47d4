"""Churn: who will be silent for the next N days, learned from how earlier snapshots went on.

Snapshots are taken at six cut-offs, four weeks apart; the outcome windows of all of them end before the test's
cut-off, which lies N days before the last midnight. A cut-off needs 90 days of events before it, so that no window
among the features is cut short; where there are fewer, features of longer windows stay out. So do features over a
year and the tenure: in a store of events that is itself young they tell the age of the store.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from decisions.scorers.artefact import Artefact
from decisions.scorers.base import Kind, matrix
from decisions.scorers.calibration import knots_as_json
from decisions.scorers.churn import MONEY, ChurnModel
from decisions.scorers.lifetime import yearly_spend
from decisions.scoring import batch_of
from features.vocabulary import LONG_WINDOW, WINDOWS
from measures.ranking import auc
from training.bgnbd import BgNbd, History
from training.fitting import CAREFUL, Boosting, Training, calibrate, cross_fit, fit_booster
from training.labels import silence
from training.models import Backtest, Facts, Fitted, NoLabels, Simpler
from training.models.labelled import fit_by_label
from training.sets import at_least, at_midnight, clusters, fingerprint, numbers, rows, with_features
from training.spans import first_of, horizons, shortened, spanned
from training.tuning import tuned

if TYPE_CHECKING:
    import pyarrow as pa

    from decisions.scorers.base import FloatArray
    from features.vocabulary import Vocabulary
    from training.sources import TrainingSources

_LEAST_HISTORY = 30
"""Days before a cut-off, at least, to tell silence of as many days or more."""
_RISING = ("recency_days", "overdue")
"""Longer silence never lowers the risk: a constraint, not a hope."""


def churn_features(vocabulary: Vocabulary, *, history: int = max(WINDOWS)) -> tuple[str, ...]:
    """Return the columns the model learns from, where there are ``history`` days of events before each cut-off."""
    long = tuple(f"_{days}d" for days in (*WINDOWS, LONG_WINDOW) if days > history)
    return tuple(name for name in vocabulary.activity if not name.endswith(long) and name != "tenure_days")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainChurn:
    """The churn model. ``days`` is N; ``activity`` the event types whose absence is churn.

    A cut-off has ``history`` days of events before it; features of longer windows are left out. Where N or the
    history does not fit, shorter ones are taken, N only where it is not ``exact``.
    """

    name: Kind = "churn"
    days: int = 56
    exact: bool = False
    history: int = max(WINDOWS)
    cutoffs: int = 6
    step_days: int = 28
    activity: tuple[str, ...] = ("purchased",)
    boosting: Boosting = CAREFUL

    def fit(self, sources: TrainingSources, *, tune: int = 0, seed: int) -> Fitted | NoLabels:
        """Learn from silence, or where events do not tell it from a label that was declared, and backtest."""
        by_silence = self._by_silence(sources, tune=tune, seed=seed)
        if isinstance(by_silence, Fitted):
            return by_silence
        by_label = fit_by_label(sources, self.boosting, tune=tune, seed=seed)
        if by_label is None:
            return by_silence
        if isinstance(by_label, NoLabels):
            return NoLabels(reason=f"{by_label.reason}; nor by silence: {by_silence.reason}")
        return by_label

    def _by_silence(self, sources: TrainingSources, *, tune: int, seed: int) -> Fitted | NoLabels:
        first = first_of(sources, self.activity)
        if first is None:
            return NoLabels(reason=self._nothing())
        fitting = self.fitting(first, sources.now)
        if fitting is None:
            return NoLabels(reason=self._too_short(first, sources.now))
        return fitting.learned(sources, first, wanted=self.days, tune=tune, seed=seed)

    def fitting(self, first: datetime, now: datetime) -> TrainChurn | None:
        """Return the model with the longest N, and for it the longest history, that fit; None: none does."""
        tried = (
            replace(self, days=days, history=history)
            for days in horizons(self.days, exact=self.exact)
            for history in sorted((each for each in WINDOWS if each <= self.history), reverse=True)
            if history >= min(days, _LEAST_HISTORY)
        )
        return next((each for each in tried if len(each.cutoffs_from(first, now)) > 1), None)

    def learned(
        self, sources: TrainingSources, first: datetime, *, wanted: int, tune: int, seed: int
    ) -> Fitted | NoLabels:
        """Learn with exactly these days and this history, and say where they are not those ``wanted``."""
        labelled = silence(sources, self.cutoffs_from(first, sources.now), days=self.days, activity=self.activity)
        table = with_features(sources.store, labelled)
        test = rows(table, numbers(table, "cutoff") == 0)
        train = rows(table, numbers(table, "cutoff") > 0)
        if any(len(np.unique(numbers(part, "silent"))) < 2 for part in (train, test)):  # noqa: PLR2004  # both classes
            return NoLabels(
                reason=f"nobody, or everybody, was silent for {self.days} days: nothing to tell apart; "
                "another horizon may (kairos train churn --days N)"
            )
        fitted = self._fitted(sources, train, test, tune=tune, seed=seed)
        said = [
            shortened(first, sources.now, "churn", days=self.days, wanted=wanted),
            f"{self.history} days of history before each cut-off" if self.history < max(WINDOWS) else None,
        ]
        return replace(fitted, caveat="; ".join(filter(None, said)) or None)

    def moments(self, sources: TrainingSources) -> list[datetime]:
        """Return the cut-offs, the test's first, as far back as there is history."""
        first = first_of(sources, self.activity)
        return [] if first is None else self.cutoffs_from(first, sources.now)

    def cutoffs_from(self, first: datetime, now: datetime) -> list[datetime]:
        """Return :meth:`moments`, where the first event was at ``first`` and it is ``now``."""
        test = at_midnight(now) - timedelta(days=self.days)
        latest = test - timedelta(days=self.days)
        wanted = [test, *(latest - timedelta(days=self.step_days * number) for number in range(self.cutoffs))]
        earliest = first + timedelta(days=self.history)
        return [moment for moment in wanted if moment >= earliest]

    def _fitted(
        self, sources: TrainingSources, train: pa.Table, test: pa.Table, *, tune: int, seed: int
    ) -> Fitted:
        names = churn_features(sources.vocabulary, history=self.history)
        training = _training(train, names)
        boosting = tuned(training, self.boosting, trials=tune, seed=seed)
        scorer = self._scorer(train, training, boosting, seed=seed)
        rivals, facts = self._rivals(train, test, training.names)

        everybody = _everybody(scorer)

        def rescore(other: ChurnModel) -> FloatArray:
            return other.churn(batch_of(test, priors=sources.priors, offers=sources.offers))

        backtest = Backtest(
            metric="auc",
            direction="higher",
            statistic=auc,
            truth=numbers(test, "silent"),
            scores={"churn": rescore(scorer), "recency": numbers(test, "recency_days"), **rivals}
            | {"everybody": rescore(everybody)},
            clusters=clusters(test["customer_id"]),
            model="churn",
            baseline="recency",
            also_beat=("bg_nbd",),
        )
        return Fitted(
            scorer=scorer,
            backtest=backtest,
            rescore=rescore,
            fingerprint=fingerprint(train, days=self.days, activity=self.activity),
            trained_on=train.num_rows,
            facts=self._facts(train, test),
            inputs=tuple(dict.fromkeys((*training.names, *MONEY))),
            parameters={"days": self.days, **boosting.as_parameters(), **facts},
            simpler=(Simpler("everybody", everybody, _rate_in_words(everybody)),),
        )

    def _scorer(self, train: pa.Table, training: Training, boosting: Boosting, *, seed: int) -> ChurnModel:
        booster = fit_booster(training, boosting, seed=seed)
        knots = calibrate(cross_fit(training, boosting, seed=seed), training.labels)
        spend, tenure = matrix(train, MONEY).T
        facts = {
            "days": self.days,
            "knots": knots_as_json(knots),
            "peer_churn": float(training.labels.mean()),
            "peer_spend": float(np.mean(yearly_spend(spend, tenure, peers=_spend_rate(spend, tenure)))),
        }
        return ChurnModel(
            Artefact(kind="churn", facts=facts, features=training.names, boosters={"booster": booster})
        )

    def _rivals(
        self, train: pa.Table, test: pa.Table, names: tuple[str, ...]
    ) -> tuple[dict[str, FloatArray], dict[str, float]]:
        bgnbd = BgNbd.fit(history_of(train))
        scores = {
            "logistic": _logistic(train, test, names),
            "bg_nbd": bgnbd.silence(history_of(test), self.days),
        }
        return scores, bgnbd.as_parameters()

    def _facts(self, train: pa.Table, test: pa.Table) -> Facts:
        return Facts(
            question=f"Will this customer bring no {' or '.join(self.activity)} in the next {self.days} days?",
            method="Strongly regularised LightGBM on shifted snapshots, calibrated out of fold.",
            data=f"{train.num_rows} customer-snapshots to learn from, {test.num_rows} later ones to measure on.",
            limits=(
                "Risk is not effect: who is likely to leave is not who a message would keep.",
                "Silence of this length is not always leaving; remaining value errs on the careful side.",
            ),
        )

    def _nothing(self) -> str:
        return (
            f"there is no {' or '.join(self.activity)} event, and churn is their absence: import orders, or "
            "where a table says who left, declare it in the mapping (labels: {churn: …})"
        )

    def _too_short(self, first: datetime, now: datetime) -> str:
        shortest = horizons(self.days, exact=self.exact)[-1]
        return (
            f"{spanned(first, now)}: two cut-offs {shortest} days apart, with "
            f"{min(WINDOWS) if shortest < _LEAST_HISTORY else _LEAST_HISTORY} days of {', '.join(self.activity)} "
            f"before and {shortest} after, do not fit; wait, or "
            + ("give fewer --days" if self.exact else "import what is older")
        )


def _everybody(scorer: ChurnModel) -> ChurnModel:
    """Return the scorer that gives everybody the peers' rate."""
    facts = {name: fact for name, fact in scorer.artefact.facts.items() if name != "knots"}
    return ChurnModel(Artefact(kind="churn", facts=facts))


def _rate_in_words(everybody: ChurnModel) -> str:
    return f"everybody's measured rate ({everybody.artefact.facts['peer_churn']:.1%})"


def history_of(table: pa.Table) -> History:
    """Return what BG/NBD reads: days with an order in the last year, the first of them as the beginning.

    Raises:
        CustomerFault: where a customer is younger than nothing.
    """
    observed = np.minimum(at_least(table, "tenure_days", 0.0), LONG_WINDOW)
    last = np.clip(observed - numbers(table, "recency_days"), 0.0, observed)
    repeats = np.maximum(np.nan_to_num(numbers(table, f"active_days_{LONG_WINDOW}d")) - 1.0, 0.0)
    return History(repeats, np.nan_to_num(last), np.nan_to_num(observed))


def _training(table: pa.Table, names: tuple[str, ...]) -> Training:
    return Training(
        columns=matrix(table, names),
        names=names,
        labels=numbers(table, "silent"),
        groups=clusters(table["customer_id"]),
        rising=tuple(int(name in _RISING) for name in names),
    )


def _spend_rate(spend: FloatArray, tenure_days: FloatArray) -> float:
    return float(np.nansum(spend) * 365.0 / np.nansum(np.minimum(tenure_days, 365.0)))


def _logistic(train: pa.Table, test: pa.Table, names: tuple[str, ...]) -> FloatArray:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  # slow to import
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415  # as above
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415  # as above

    line = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    line.fit(_tame(train, names), numbers(train, "silent"))
    return np.asarray(line.predict_proba(_tame(test, names))[:, 1])


def _tame(table: pa.Table, names: tuple[str, ...]) -> FloatArray:
    return np.asarray(np.log1p(np.nan_to_num(np.maximum(matrix(table, names), 0.0))))
