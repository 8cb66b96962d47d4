"""Drift of features and calibration of the channel model, on a sample of customers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from decisions.scoring import batch_of
from measures.drift import stability_index
from measures.intervals import wilson
from measures.outcome import Interval
from pipelines.jobs.building import store_of, vocabulary_of
from pipelines.jobs.training import sources_of
from pipelines.monitor.records import Calibration, Drift
from runtime.lake import lake_of
from training.labels import engagements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runtime.build import Kairos

GROWS = ("tenure_days",)
"""Features that move with the calendar by their nature."""

SAMPLE = 2000
"""Customers on whom drift is measured."""


def drift(kairos: Kairos, now: datetime, days: int) -> list[Drift]:
    """Return every daily feature's stability index between ``days`` days ago and now, the largest first."""
    ids, vocabulary = _some_customers(kairos), vocabulary_of(kairos)
    then, today = (_frame(kairos, ids, moment) for moment in (now - timedelta(days=days), now))
    indices = {
        name: stability_index(_numbers(then, name), _numbers(today, name))
        for name in (*vocabulary.activity, *vocabulary.pressure)
        if name not in GROWS
    }
    found = [Drift(feature=name, index=index) for name, index in indices.items() if index is not None]
    return sorted(found, key=lambda each: -each.index)


def _some_customers(kairos: Kairos) -> list[str]:
    lake = lake_of(kairos.settings)
    share = max(1, SAMPLE // lake.buckets)
    return [each for bucket in range(lake.buckets) for each in lake.customer_ids(bucket)[:share]]


def _frame(kairos: Kairos, ids: Sequence[str], moment: datetime) -> pa.Table:
    moments = pa.array([moment] * len(ids), pa.timestamp("us", "UTC"))
    return store_of(kairos).training_set(pa.table({"customer_id": ids, "event_timestamp": moments}))


def _numbers(frame: pa.Table, name: str) -> Any:
    return pc.cast(frame[name], pa.float64()).to_numpy(zero_copy_only=False)


def calibration(kairos: Kairos, now: datetime, days: int) -> Iterator[Calibration]:
    """Compare what the channel model says of the latest ripe messages, as of their sending, with what came."""
    messages = engagements(sources_of(kairos, now=now), days=days)
    ripe = messages.filter(
        pc.greater_equal(messages["event_timestamp"], pa.scalar(now - timedelta(days=2 * days)))
    )
    if ripe.num_rows == 0:
        return
    frame = store_of(kairos).training_set(ripe)
    batch = batch_of(frame, priors=kairos.policy.priors, offers=kairos.catalogue.offers)
    said = kairos.champions.current().channel.predict(batch).probability
    of, engaged = np.asarray(frame["channel"].to_pylist()), _numbers(frame, "engaged")
    for channel in sorted(set(of) & set(said)):
        predicted = np.broadcast_to(said[channel], len(of))[of == channel]
        yield from _compared(str(channel), predicted, engaged[of == channel])


def _compared(channel: str, predicted: Any, engaged: Any) -> Iterator[Calibration]:
    observed = wilson(float(engaged.sum()), len(engaged))
    if isinstance(observed, Interval):
        yield Calibration(
            channel=channel,
            messages=len(engaged),
            predicted=float(predicted.mean()),
            observed=observed.estimate,
            low=observed.low,
            high=observed.high,
        )
