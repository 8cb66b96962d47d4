"""From a feature frame to what the models say of each customer: one call per model, then records.

The models answer in arrays (:mod:`decisions.scorers.base`); only the last step makes a record per customer. An
answer that is the same for everybody is made into a tuple once and shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from decisions.records import Scores
from decisions.scorers.base import Batch, Effect, Engagement, Lifetime, Timing, Weariness

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from decisions.priors import Priors
    from decisions.scorers.base import FloatArray, Scorers
    from decisions.worth.news import News
    from features.contracts import Offer

COLD_START = "cold_start"
"""The note of a customer without any feature: every score is the peers'."""

_MOMENTS = ("features_as_of", "event_timestamp")
"""What the frame calls the snapshot's moment: online reads the first, training sets the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answers:
    timing: Timing
    engagement: Engagement
    effect: Effect
    weariness: Weariness
    lifetime: Lifetime

    @property
    def notes(self) -> tuple[str, ...]:
        parts = (self.timing, self.engagement, self.effect, self.weariness, self.lifetime)
        return tuple(note for part in parts for note in part.notes)


def score(
    frame: pa.Table,
    scorers: Scorers,
    *,
    priors: Priors,
    offers: Sequence[Offer],
    attributes: Sequence[str] = (),
    news: News | None = None,
) -> list[Scores]:
    """Return one record per row of ``frame``, in its order.

    ``frame`` is the feature frame: ``customer_id``, ``features_as_of`` or ``event_timestamp`` (null where there is
    no snapshot) and the vocabulary's columns. ``offers`` are the catalogue's; scores cover every channel they
    name. ``attributes`` are the columns that eligibility expressions name, carried along as values.
    ``news`` is what the frame's tally does not know yet.

    Raises:
        ValueError: if the frame lacks a column that a model or ``attributes`` needs.
    """
    batch = batch_of(frame, priors=priors, offers=offers, news=news)
    answers = _ask(batch, scorers)
    columns: dict[str, Iterable[Any]] = {
        "customer_id": frame["customer_id"].to_pylist(),
        "engage": _records(answers.engagement.probability, batch.size),
        "multiplier": _records(answers.timing.multiplier, batch.size),
        "tau": _records(answers.effect.tau, batch.size),
        "redeem": _records(answers.effect.redeem, batch.size),
        "hazard": _records(answers.weariness.hazard, batch.size),
        "response_loss": _records(answers.weariness.response_loss, batch.size),
        "reachable_value": _records(answers.lifetime.reachable, batch.size),
        "hourly": _records(answers.effect.hourly, batch.size),
        "cadence": _records(answers.effect.cadence, batch.size),
        "evidence": _told(answers.effect.evidence, batch.size),
        "churn": _or_none(answers.lifetime.churn, batch.size),
        "notes": _notes(answers.notes, batch.cold),
        "attributes": _attributes(frame, attributes),
        "features_as_of": _moments(frame),
    }
    shared: dict[str, Any] = {"incremental": answers.effect.incremental, "model_versions": scorers.versions}
    return [
        Scores(**dict(zip(columns, row, strict=True)), **shared) for row in zip(*columns.values(), strict=True)
    ]


def batch_of(frame: pa.Table, *, priors: Priors, offers: Sequence[Offer], news: News | None = None) -> Batch:
    """Return the question put to every scorer."""
    channels = tuple(sorted({channel for offer in offers for channel in offer.channels}))
    return Batch(frame=frame, offers=tuple(offers), channels=channels, priors=priors, cold=_cold(frame), news=news)


def _ask(batch: Batch, scorers: Scorers) -> _Answers:
    engagement = scorers.channel.predict(batch)
    effect = scorers.offer.predict(batch, engagement).counting(scorers.worth.predict(batch))
    return _Answers(
        timing=scorers.send_time.predict(batch),
        engagement=engagement,
        effect=effect,
        weariness=scorers.fatigue.predict(batch, effect),
        lifetime=scorers.churn.predict(batch),
    )


def _cold(frame: pa.Table) -> NDArray[np.bool_]:
    cold = np.ones(frame.num_rows, dtype=np.bool_)
    for field in frame.schema:
        # Text columns say who a customer is (contact states), not what they did.
        if pa.types.is_floating(field.type) or pa.types.is_nested(field.type):
            cold &= pc.is_null(frame[field.name]).to_numpy()
    return cold


def _records(answers: Mapping[str, FloatArray], size: int) -> Iterable[dict[str, Any]]:
    """Return one mapping per customer; where all answers are shared, one mapping for all."""
    if all(len(array) == 1 for array in answers.values()):
        return [{name: _values(array)[0] for name, array in answers.items()}] * size
    columns = [_values(array) if len(array) > 1 else _values(array) * size for array in answers.values()]
    names = tuple(answers)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _told(evidence: Mapping[str, FloatArray], size: int) -> Iterable[dict[str, Any]]:
    """Return one mapping per customer, of those pairs of which anything was counted."""
    each: list[dict[str, Any]] = [{} for _ in range(size)]
    for pair, counted in evidence.items():
        for row in np.flatnonzero(counted.any(axis=1)).tolist():
            each[row][pair] = tuple(counted[row].tolist())
    return each


def _values(array: FloatArray) -> list[Any]:
    rows: list[Any] = array.tolist()
    return [tuple(row) for row in rows] if array.ndim > 1 else rows


def _or_none(array: FloatArray, size: int) -> Iterable[float | None]:
    values = [None if np.isnan(value) else value for value in array.tolist()]
    return values if len(values) == size else values * size


def _notes(common: tuple[str, ...], cold: NDArray[np.bool_]) -> Iterable[tuple[str, ...]]:
    with_start = (*common, COLD_START)
    return [with_start if is_cold else common for is_cold in cold.tolist()]


def _attributes(frame: pa.Table, names: Sequence[str]) -> Iterable[dict[str, Any]]:
    missing = [name for name in names if name not in frame.column_names]
    if missing:
        raise ValueError(
            f"eligibility names {missing!r}, which the feature frame does not have; mend the expression"
        )
    if not names:
        return [{}] * frame.num_rows
    rows: list[dict[str, Any]] = frame.select(list(names)).to_pylist()
    return rows


def _moments(frame: pa.Table) -> Iterable[Any]:
    name = next((name for name in _MOMENTS if name in frame.column_names), None)
    return frame[name].to_pylist() if name else repeat(None, frame.num_rows)
