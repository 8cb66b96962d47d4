"""What the sends so far say of the hour: were messages answered more often that met livelier hours of theirs?

Each send is compared with the others to the same person on the same channel, so that people who answer more do not
pass for hours that are better. Their hours were chosen by a sender and not drawn: how far an hour moves a message
is learned from drawn slots alone (:mod:`training.models.send_time.effect`). What this says decides whether a
declared elasticity may move messages at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.tables.messages import about, of_reports, reports
from training.models.send_time.delays import reactions
from training.models.send_time.effect import Slots, learn_beta
from training.models.send_time.histories import local_slots, zones_of
from training.sets import MOMENT, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from decisions.scorers.base import FloatArray
    from decisions.scorers.send_time import SendTimeModel
    from training.models.send_time.effect import Beta
    from training.models.send_time.histories import Rhythms
    from training.sources import TrainingSources

LEAST = 50
"""Answered sends below which nothing is said."""
SMALL = 0.1
"""An elasticity below which there is nothing to gain: what priors declare by default, where nothing was learned.

Published effects of the hour are 2–12%: with 0.1 an hour three times as lively is answered 12% more often.
"""
NOTHING = "nothing to gain by the hour"
_ALIKE = 1e-9
"""Less than this is rounding in a difference of two logs, not another hour."""


def observed_beta(sources: TrainingSources, scorer: SendTimeModel, found: Rhythms) -> Beta | None:
    """Return the elasticity of P(answer) to the rhythm in all sends since ``found.eras.start``; its prior is wide.

    A send meets its receiver's rhythm as it stood when the send's era began: nothing they did later is in it. Only
    what all people share (the blend's few weights, the channels' delays) was learned from behaviour in these eras,
    too. It says how sharp curves are and not whose hours were answered.

    ``sends`` of the answer are those that can tell anything: their hour is not as lively as all the others' to the
    person on the channel in the era. None where fewer than :data:`LEAST` of them were answered.
    """
    sends, middle = _sends(sources, found.eras.start), pa.scalar(found.eras.middle, MOMENT)
    parts = [
        *_lively(sources, scorer, found.start, sends.filter(pc.less(sends["occurred_at"], middle))),
        *_lively(sources, scorer, found.middle, sends.filter(pc.greater_equal(sends["occurred_at"], middle))),
    ]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] or [np.zeros(0)] * 3
    lively, engaged, offset = columns
    slots = Slots(log_rhythm=lively, engaged=engaged > 0, offset=offset, weight=np.ones(len(offset)))
    return learn_beta(slots, prior=0.0, prior_sd=1.0) if slots.engaged.sum() >= LEAST else None


def pays(beta: Beta | None) -> bool:
    """Tell whether a rhythm may move messages by a declared beta: not where sends told and showed nothing.

    Where nothing was told (None) what is declared stands. Elsewhere hours are better drawn, until they tell: who
    sends all at the hour that is believed best never learns of the others, nor when each offer does better.
    """
    return beta is None or beta.interval[0] > 0


def in_words(beta: Beta | None) -> str:
    """Return what the sends say, in a clause for the outcome's reason.

    Nothing is said to be gained only where the whole interval lies below :data:`SMALL`: a wide one says nothing.
    """
    if beta is None:
        return "the sends so far are too few to say whether the hour matters"
    low, high = beta.interval
    found = f"({beta.mean:+.3f}, {low:+.3f} … {high:+.3f}; {beta.sends} sends, not randomised)"
    if low > 0:
        return f"sends that met a livelier hour were answered more {found}"
    if high < SMALL:
        return f"{NOTHING} of a send {found}"
    return f"whether the hour of a send matters cannot be told {found}: hours are drawn until it can"


def _sends(sources: TrainingSources, since: datetime) -> pa.Table:
    """Return the sends since then whose receiver's zone is known, and whether they were answered."""
    sends = sources.collect(lambda events: _answered(events, since))
    return sends.append_column("time_zone", zones_of(sources, sends["customer_id"])).drop_null()


def _placed(sends: pa.Table, frame: pa.Table) -> pa.Table:
    """Return those of ``sends`` that went to people of ``frame``, with their row and local hour of the week."""
    row = pc.index_in(sends["customer_id"], value_set=frame["customer_id"].combine_chunks())
    placed = sends.append_column("row", row).drop_null()
    parts = [_in_zone(placed, name) for name in pc.unique(placed["time_zone"]).to_pylist()]
    return pa.concat_tables(parts or [placed.append_column("slot", pa.array([], pa.int64()))]).drop_null()


def _in_zone(placed: pa.Table, zone: str) -> pa.Table:
    here = placed.filter(pc.equal(placed["time_zone"], zone))
    return here.append_column("slot", local_slots(here["occurred_at"], zone))


def _answered(events: Any, since: datetime) -> Any:
    told = reports(events)
    every = of_reports(told)
    # A message without a name could not have been answered.
    sent = every.filter(
        every["decision_id"].notnull() | every["message_id"].notnull(), every["occurred_at"] >= since
    )
    answered = about(reactions(events), told)
    engaged = sent["message"].isin(answered["message"])
    return sent.select("customer_id", "occurred_at", "channel", "message", engaged=engaged)


def _lively(
    sources: TrainingSources, scorer: SendTimeModel, frame: pa.Table, sends: pa.Table
) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    """Give by channel how lively each send's hour was, less the mean of its person's; whether answered; log-odds.

    Sends that met no other hour than the person's rest say nothing, nor does a channel of which all or none of the
    others were answered: they are left out.
    """
    curves, sends = scorer.curves(frame), _placed(sends, frame)
    for channel in pc.unique(sends["channel"]).to_pylist():
        here = sends.filter(pc.equal(sends["channel"], channel))
        row, slot, engaged = (numbers(here, name).astype(np.int64) for name in ("row", "slot", "engaged"))
        lively = _within(np.log(scorer.met(curves, channel, sources.priors))[row, slot], row)
        telling = np.abs(lively) > _ALIKE
        answered = engaged[telling].astype(np.float64)
        if 0 < answered.sum() < len(answered):
            odds = np.log(answered.mean() / (1 - answered.mean()))
            yield lively[telling], answered, np.full(len(answered), odds)


def _within(values: FloatArray, group: Any) -> FloatArray:
    count = np.bincount(group)
    mean = np.bincount(group, weights=values) / np.maximum(count, 1)
    return cast("FloatArray", values - mean[group])
