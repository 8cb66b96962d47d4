"""The six models, and the one shape they share.

A model says what it learned and how it fared on later data; it promotes nothing. The gate (:mod:`training.gates`)
computes every interval from the held-out scores given here, so that all are judged alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from decisions.scorers.base import FloatArray, Kind, Scorer
from measures.statistic import UnitMean
from training.outcome import Direction

if TYPE_CHECKING:
    from training.sources import TrainingSources

Statistic = Callable[[FloatArray, FloatArray], float]
"""``statistic(truth, score) -> value of the metric`` over the units given to it."""

Draw = Callable[[Any], None]
"""Draws one plot into the matplotlib Axes it is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """How contenders fared on later data: one truth and one score per held-out unit and contender.

    ``statistic`` turns truth and score into ``metric``; for a metric that is a mean of per-unit losses or values,
    put those into ``scores`` and use :func:`mean_score`. ``scores`` holds the model under its own name
    (``model``), the ``baseline`` it must beat, and whatever else is reported beside them; those in ``also_beat``
    bar the way by being clearly better (and the outcome's reason says how it stands with them). ``clusters``
    numbers the customer (or household) behind each unit: intervals resample those. ``binary`` says that the
    model's scores are probabilities of a 0/1 truth, so that reliability and gains can be drawn. ``shrunk`` says
    that the model is counts shrunk to the baseline (a declared prior): it need only not be shown worse.
    ``drawn_by`` names what ``clusters`` numbers, in the plural.
    """

    metric: str
    direction: Direction
    statistic: Statistic
    truth: FloatArray
    scores: Mapping[str, FloatArray]
    clusters: NDArray[np.int64]
    model: str
    baseline: str
    also_beat: tuple[str, ...] = ()
    binary: bool = True
    shrunk: bool = False
    drawn_by: str = "customers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the model card says in words: the question, the method, the data, what it must not be used for."""

    question: str
    method: str
    data: str
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Simpler:
    """A plainer scorer of the same kind, measured on the same later data under ``name`` in ``Backtest.scores``.

    ``words`` say for the card and the outcome what it is: *everybody's measured rate*.
    """

    name: str
    scorer: Any
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A fitted model: the scorer that will be registered, and the backtest of exactly this scorer.

    ``rescore`` returns the per-unit scores of another scorer of this kind (the champion) on the same held-out
    units. ``caveat`` is set where the later data are not fit to judge decisions (``prediction gate only: …``); it
    is said in the outcome's reason. ``fingerprint`` identifies the training set
    (:func:`training.sets.fingerprint`). ``inputs`` are the frame's columns the scorer reads: the signature.
    ``simpler`` are plainer scorers from the plainest on: the first is the model's version nought, which decides
    until something beats it.
    """

    scorer: Scorer
    backtest: Backtest
    rescore: Callable[[Any], FloatArray]
    fingerprint: str
    trained_on: int
    facts: Facts
    inputs: tuple[str, ...] = ()
    parameters: Mapping[str, str | float | int] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    plots: Mapping[str, Draw] = field(default_factory=dict)
    caveat: str | None = None
    simpler: tuple[Simpler, ...] = ()

    def plainly(self, simpler: Simpler) -> Fitted:
        """Return the fit of ``simpler`` alone, as it is registered: the same later data, nothing of the richer."""
        return replace(
            self,
            scorer=simpler.scorer,
            backtest=replace(self.backtest, model=simpler.name),
            facts=replace(self.facts, method=f"{simpler.words[0].upper()}{simpler.words[1:]}."),
            parameters={"contender": simpler.name},
            metrics={},
            plots={},
            simpler=(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NoLabels:
    """The data cannot answer this model's question; ``reason`` says what is missing. Priors stay in use."""

    reason: str


class Model(Protocol):
    """One of the six. ``fit`` is deterministic in (sources, tune, seed)."""

    @property
    def name(self) -> Kind:
        """Which of the six."""
        ...

    def fit(self, sources: TrainingSources, *, tune: int = 0, seed: int) -> Fitted | NoLabels:
        """Learn from ``sources``, with ``tune`` Optuna trials (0: the defaults), and backtest on later time."""
        ...


def _score(_truth: ArrayLike, score: ArrayLike) -> FloatArray:
    return np.asarray(score, dtype=np.float64)


mean_score = UnitMean("mean_score", _score)
"""The mean of per-unit losses or values: the statistic of every metric that is one."""
