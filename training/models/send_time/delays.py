"""How long after its arrival a message is met: what the rhythm is shifted by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from features.tables.messages import about, of_reports, reports
from training.sets import numbers

if TYPE_CHECKING:
    from decisions.priors import Priors
    from decisions.scorers.base import FloatArray
    from training.sources import TrainingSources

_LONGEST_MINUTES = 7 * 24 * 60
_STRENGTH = 20.0
"""Reactions that weigh as much as what is declared."""


def learn_delays(sources: TrainingSources) -> dict[str, float]:
    """Return the hours from sending to reaction by channel, where reactions name the message they answer."""
    seen = sources.collect(_minutes).drop_null()
    channels = np.asarray(seen["channel"].to_pylist(), dtype=np.str_)
    minutes, counts = numbers(seen, "minutes"), numbers(seen, "reactions")
    return {
        channel: _typical(minutes[channels == channel], counts[channels == channel], channel, sources.priors)
        for channel in np.unique(channels).tolist()
    }


def reactions(events: Any) -> Any:
    """Return the ``events`` (ibis) by which people, and no machines, answered a message."""
    return events.filter(events["type"].isin(["opened", "clicked"]) & ~events["automated"])


def delay_hours(median: float, reactions: float, *, declared: float) -> float:
    """Return the ``median`` hours of so many ``reactions``, drawn towards what is ``declared`` (in logs).

    Reactions are long-tailed: the median stands for them, and a day late is not a day's worth of evidence.
    """
    seen, believed = (np.log(max(hours, 1 / 60)) for hours in (median, declared))
    return float(np.exp((reactions * seen + _STRENGTH * believed) / (reactions + _STRENGTH)))


def _typical(minutes: FloatArray, counts: FloatArray, channel: str, priors: Priors) -> float:
    order = np.argsort(minutes)
    reached = np.cumsum(counts[order])
    median = minutes[order][np.searchsorted(reached, reached[-1] / 2)]
    return delay_hours(median / 60, float(reached[-1]), declared=priors.of(channel).open_delay_hours)


def _minutes(events: Any) -> Any:
    told = reports(events)
    sent = of_reports(told).select("customer_id", "message", "channel", sent_at="occurred_at")
    reacted = about(reactions(events), told)
    first = reacted.group_by("customer_id", "message").aggregate(at=reacted["occurred_at"].min())
    both = sent.inner_join(first, ["customer_id", "message"])
    timed = both.mutate(minutes=both["at"].delta(both["sent_at"], unit="minute"))
    near = timed.filter((timed["minutes"] >= 0) & (timed["minutes"] < _LONGEST_MINUTES))
    return near.group_by("channel", "minutes").aggregate(reactions=near.count())
