"""Churn by a label that a snapshot declares: who left, told by a table's column, learned from attributes alone.

Where the label was recorded at several moments, the latest measures. A table of one date has no later time: whole
customers are then held out at random, and drift stays unseen, which the outcome says.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from decisions.scorers.artefact import Artefact
from decisions.scorers.attributes import Encoder
from decisions.scorers.base import FloatArray
from decisions.scorers.calibration import knots_as_json
from decisions.scorers.churn import MONEY, ChurnModel
from decisions.scoring import batch_of
from features.contracts.labels import LABEL_DAYS, LABEL_TYPE, LABELLED
from features.vocabulary import ATTRIBUTES
from measures.ranking import auc
from training.fitting import Boosting, Training, calibrate, cross_fit, fit_booster, fold_of
from training.models import Backtest, Facts, Fitted, NoLabels, Simpler
from training.sets import clusters, fingerprint
from training.tuning import tuned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.sources import TrainingSources

LEAST = 20
"""Customers of either answer, to learn from and to measure on."""
_PARTS = 3
"""One part in so many is held out where there is no later time."""
_TELLING = 0.99
"""An attribute that ranks the labelled as well as that by itself may be the label under another name."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Labelled:
    """Customers with a label, one row each and moment: attributes as they stood, and ``left`` (1.0 or 0.0)."""

    customers: pa.ChunkedArray
    moments: NDArray[np.int64]
    objects: tuple[dict[str, Any], ...]
    left: FloatArray
    days: NDArray[np.int64]

    def of(self, rows: NDArray[np.bool_]) -> Labelled:
        """Return the rows where ``rows`` is true."""
        return Labelled(
            customers=self.customers.filter(pa.array(rows)),
            moments=self.moments[rows],
            objects=tuple(each for each, kept in zip(self.objects, rows.tolist(), strict=True) if kept),
            left=self.left[rows],
            days=self.days[rows],
        )

    @property
    def enough(self) -> bool:
        """Whether there are so many of either answer that something can be told."""
        return bool(min(self.left.sum(), len(self.left) - self.left.sum()) >= LEAST)

    @property
    def frame(self) -> pa.Table:
        """What a scorer is asked with: attributes, and nothing the customers did."""
        texts = [json.dumps(each, sort_keys=True) if each else None for each in self.objects]
        nothing = {name: pa.nulls(len(texts), pa.float64()) for name in MONEY}
        return pa.table({"customer_id": self.customers, ATTRIBUTES: pa.array(texts, pa.string()), **nothing})


def labelled(sources: TrainingSources) -> Labelled:
    """Return everybody who was labelled before now, in order of customer and moment."""
    told = sources.events((LABEL_TYPE.format(name="churn"),), ("customer_id", "occurred_at", "properties"))
    objects = [json.loads(text) for text in told["properties"].to_pylist()]
    left = np.array([float(each.pop(LABELLED)) for each in objects], dtype=np.float64)
    days = np.array([int(each.pop(LABEL_DAYS)) for each in objects], dtype=np.int64)
    moments = told["occurred_at"].to_numpy().astype("datetime64[us]").astype(np.int64)
    return Labelled(customers=told["customer_id"], moments=moments, objects=tuple(objects), left=left, days=days)


def fit_by_label(
    sources: TrainingSources, boosting: Boosting, *, tune: int, seed: int
) -> Fitted | NoLabels | None:
    """Learn who leaves from the attributes of labelled customers; None where no label was declared."""
    every = labelled(sources)
    if not len(every.left):
        return None
    parts = _split(every, seed=seed)
    if not parts.train.enough or not parts.test.enough:
        return NoLabels(
            reason=f"the label says yes of {every.left.sum():.0f} and no of {(1 - every.left).sum():.0f}; "
            f"{LEAST} customers of each are needed to learn from and to measure on"
        )
    encoder = Encoder.learn(parts.train.objects)
    if not encoder.attributes:
        return NoLabels(reason="the labelled customers have no attributes that differ: map some (attributes: …)")
    return _fitted(sources, parts, encoder, boosting, tune=tune, seed=seed)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Parts:
    """What is learned from, what is measured on, and in words how the two were parted."""

    train: Labelled
    test: Labelled
    how: str


def _split(every: Labelled, *, seed: int) -> _Parts:
    last = every.moments == every.moments.max()
    if not last.all() and every.of(last).enough and every.of(~last).enough:
        return _Parts(train=every.of(~last), test=every.of(last), how="measured on the latest snapshot")
    held = fold_of(clusters(every.customers), folds=_PARTS, seed=seed) == 0
    return _Parts(
        train=every.of(~held),
        test=every.of(held),
        how="the label has one date: customers were held out at random, so how it holds later is not known",
    )


def _fitted(
    sources: TrainingSources, parts: _Parts, encoder: Encoder, boosting: Boosting, *, tune: int, seed: int
) -> Fitted:
    train, test = parts.train, parts.test
    training = _training(train, encoder)
    careful = replace(boosting, min_child=min(boosting.min_child, max(10, len(train.left) // 20)))
    chosen = tuned(training, careful, trials=tune, seed=seed)
    scorer = _scorer(train, training, encoder, chosen, seed=seed)
    plain = _plain(train, training, encoder)
    frame = test.frame

    def rescore(other: ChurnModel) -> FloatArray:
        return other.churn(batch_of(frame, priors=sources.priors, offers=sources.offers))

    backtest = Backtest(
        metric="auc",
        direction="higher",
        statistic=auc,
        truth=test.left,
        scores={"churn": rescore(scorer), **{each.name: rescore(each.scorer) for each in plain}},
        clusters=clusters(test.customers),
        model="churn",
        baseline="everybody",
    )
    said = f"learned from a declared label and attributes, not from behaviour; {parts.how}"
    return Fitted(
        scorer=scorer,
        backtest=backtest,
        rescore=rescore,
        fingerprint=fingerprint(train.frame, left=train.left.tolist()),
        trained_on=len(train.left),
        facts=_words(train, test, encoder),
        parameters={"days": int(train.days.max()), "from": "label", **chosen.as_parameters()},
        caveat="; ".join([said, *_suspects(train)]),
        simpler=plain,
    )


def _plain(train: Labelled, training: Training, encoder: Encoder) -> tuple[Simpler, ...]:
    facts = _facts_of(train)
    line = facts | {"attributes": encoder.as_json(), "line": _line(training)}
    return (
        Simpler(
            "everybody",
            ChurnModel(Artefact(kind="churn", facts=facts)),
            f"everybody's measured rate ({train.left.mean():.1%})",
        ),
        Simpler(
            "logistic", ChurnModel(Artefact(kind="churn", facts=line)), "a logistic regression on the attributes"
        ),
    )


def _training(train: Labelled, encoder: Encoder) -> Training:
    columns = encoder.matrix(train.objects)
    return Training(
        columns=columns,
        names=tuple(f"attribute_{number}" for number in range(columns.shape[1])),
        labels=train.left,
        groups=clusters(train.customers),
    )


def _facts_of(train: Labelled) -> dict[str, Any]:
    return {"days": int(train.days.max()), "peer_churn": float(train.left.mean()), "peer_spend": None}


def _scorer(train: Labelled, training: Training, encoder: Encoder, boosting: Boosting, *, seed: int) -> ChurnModel:
    knots = calibrate(cross_fit(training, boosting, seed=seed), training.labels)
    facts = _facts_of(train) | {"knots": knots_as_json(knots), "attributes": encoder.as_json()}
    booster = fit_booster(training, boosting, seed=seed)
    return ChurnModel(Artefact(kind="churn", facts=facts, features=training.names, boosters={"booster": booster}))


def _suspects(train: Labelled) -> list[str]:
    """Name the attributes that tell the label by themselves: they may have been written after it."""
    encoder = Encoder.learn(train.objects)
    columns = np.nan_to_num(encoder.matrix(train.objects))
    ranks = [float(auc(train.left, column)) for column in columns.T]
    found = [name for name, rank in zip(encoder.columns, ranks, strict=True) if max(rank, 1 - rank) >= _TELLING]
    return [f"{name!r} tells the label by itself: was it known before?" for name in found]


def _line(training: Training) -> dict[str, Any]:
    """Return a ridge-like logistic regression as weights of the columns as they are."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  # slow to import

    fill = np.nan_to_num(np.nanmean(training.columns, axis=0))
    filled = np.where(np.isnan(training.columns), fill, training.columns)
    scale = np.where(filled.std(axis=0) > 0, filled.std(axis=0), 1.0)
    line = LogisticRegression(C=0.1, max_iter=1000).fit((filled - fill) / scale, training.labels)
    weights = line.coef_[0] / scale
    intercept = float(line.intercept_[0] - fill @ weights)
    return {"fill": fill.tolist(), "weights": weights.tolist(), "intercept": intercept}


def _words(train: Labelled, test: Labelled, encoder: Encoder) -> Facts:
    names: Sequence[str] = [each.name for each in encoder.attributes]
    return Facts(
        question=f"Is this customer labelled as leaving within {int(train.days.max())} days?",
        method="Strongly regularised LightGBM on the attributes as they stood, calibrated out of fold.",
        data=f"{len(train.left)} labelled customers to learn from, {len(test.left)} others to measure on; "
        f"attributes: {', '.join(names)}.",
        limits=(
            "What a label means, and within how many days, was declared and not observed.",
            "Attributes written after the label would tell it; nothing here can see when they were written.",
            "Risk is not effect: who is likely to leave is not who a message would keep.",
        ),
    )
