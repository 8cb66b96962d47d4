"""What the sends so far say of the hour: were messages answered more often that met livelier hours of theirs?

Each send is compared with the others to the same person on the same channel, so that people who answer more do not
pass for hours that are better. Their hours were chosen by a sender and not drawn: this is a word beside the gate,
and moves no decision. Only drawn slots do (:mod:`training.models.send_time.effect`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from decisions.scorers.base import FloatArray
from training.models.send_time.effect import Slots, learn_beta
from training.models.send_time.histories import local_slots
from training.sets import numbers

if TYPE_CHECKING:
    from datetime import datetime

    from decisions.scorers.send_time import SendTimeModel
    from training.models.send_time.effect import Beta
    from training.sources import TrainingSources

LEAST = 50
"""Answered sends below which nothing is said."""
NOTHING = "nothing to gain by the hour"
_REACTIONS = ("opened", "clicked")


def observed_beta(
    sources: TrainingSources, scorer: SendTimeModel, frame: pa.Table, *, since: datetime
) -> Beta | None:
    """Return the elasticity of P(answer) to the rhythm in the sends from ``since`` on (a wide prior around 0).

    ``frame`` holds the rhythms as they stood at ``since``. None where fewer than :data:`LEAST` were answered.
    """
    sends = _placed(sources, frame, since)
    lively = _lively(sources, scorer, frame, sends)
    return learn_beta(lively, prior=0.0, prior_sd=1.0) if lively.engaged.sum() >= LEAST else None


def in_words(beta: Beta | None) -> str:
    """Return what the sends say, in a clause for the outcome's reason."""
    if beta is None:
        return "the sends so far are too few to say whether the hour matters"
    low, high = beta.interval
    found = f"({beta.mean:+.3f}, {low:+.3f} … {high:+.3f}; {beta.sends} sends, not randomised)"
    if low > 0:
        return f"sends that met a livelier hour were answered more {found}"
    return f"{NOTHING} of a send is shown {found}"


def _placed(sources: TrainingSources, frame: pa.Table, since: datetime) -> pa.Table:
    """Return the sends to the people of ``frame``: row, channel, local hour of the week, whether answered."""
    sends = sources.collect(lambda events: _answered(events, since))
    zones = sources.collect_customers(lambda table: table.select("customer_id", "time_zone"))
    known = sends.join(zones, "customer_id", join_type="inner")
    row = pc.index_in(known["customer_id"], value_set=frame["customer_id"].combine_chunks())
    placed = known.append_column("row", row).drop_null()
    parts = [_in_zone(placed, name) for name in pc.unique(placed["time_zone"]).to_pylist()]
    return pa.concat_tables(parts or [placed.append_column("slot", pa.array([], pa.int64()))]).drop_null()


def _in_zone(placed: pa.Table, zone: str) -> pa.Table:
    here = placed.filter(pc.equal(placed["time_zone"], zone))
    return here.append_column("slot", local_slots(here["occurred_at"], zone))


def _answered(events: Any, since: datetime) -> Any:
    sent = events.filter((events["type"] == "sent") & (events["occurred_at"] >= since))
    sent = sent.filter(sent["message_id"].notnull()).select("customer_id", "channel", "message_id", "occurred_at")
    reacted = events.filter(events["type"].isin(_REACTIONS) & ~events["automated"])
    answered = reacted.select(answered="message_id").distinct()
    both = sent.left_join(answered, sent["message_id"] == answered["answered"])
    return both.select("customer_id", "channel", "occurred_at", engaged=both["answered"].notnull())


def _lively(sources: TrainingSources, scorer: SendTimeModel, frame: pa.Table, sends: pa.Table) -> Slots:
    """Return how lively each send's hour was, less the mean of its person's on the channel.

    A channel on which all or none were answered says nothing.
    """
    curves, parts = scorer.curves(frame), list[tuple[FloatArray, FloatArray, FloatArray]]()
    for channel in pc.unique(sends["channel"]).to_pylist():
        here = sends.filter(pc.equal(sends["channel"], channel))
        row, slot, engaged = (numbers(here, name).astype(np.int64) for name in ("row", "slot", "engaged"))
        if 0 < engaged.mean() < 1:
            lively = np.log(scorer.met(curves, channel, sources.priors))[row, slot]
            odds = np.log(engaged.mean() / (1 - engaged.mean()))
            parts.append((_within(lively, row), engaged.astype(np.float64), np.full(len(row), odds)))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] or [np.zeros(0)] * 3
    lively, engaged, offset = columns
    return Slots(log_rhythm=lively, engaged=engaged > 0, offset=offset, weight=np.ones(len(offset)))


def _within(values: FloatArray, group: Any) -> FloatArray:
    count = np.bincount(group)
    mean = np.bincount(group, weights=values) / np.maximum(count, 1)
    return values - mean[group]
