"""What came to pass: labels that ripen by elapsed time, never by outcome."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.tables.messages import about, of_reports, reports
from training.sets import MOMENT, one_each, spine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.sources import TrainingSources

REACTIONS = ("opened", "clicked", "converted")
"""What counts as engaging with a message, automated ones put aside."""


def silence(
    sources: TrainingSources, cutoffs: Sequence[datetime], *, days: int, activity: Sequence[str]
) -> pa.Table:
    """Return per customer and cut-off whether the next ``days`` brought no event of the types ``activity``.

    A customer is asked about at a cut-off if there was such an event before it. Columns: the spine's, ``cutoff``
    (its number) and ``silent`` (1.0 or 0.0).

    Raises:
        ValueError: if an outcome window ends after ``sources.now``: such a label is not ripe.
    """
    window = timedelta(days=days)
    late = [cutoff for cutoff in cutoffs if cutoff + window > sources.now]
    if late:
        raise ValueError(f"the {days} days after {late[0].isoformat()} are not over at {sources.now.isoformat()}")
    seen = one_each(sources.collect(lambda events: _activity(events, cutoffs, window, activity)))
    return pa.concat_tables(_asked(seen, number, cutoff) for number, cutoff in enumerate(cutoffs))


def _activity(events: Any, cutoffs: Sequence[datetime], window: timedelta, activity: Sequence[str]) -> Any:
    relevant = events.filter(events["type"].isin(list(activity)))
    at = relevant["occurred_at"]
    within = {
        f"active_{number}": ((at >= cutoff) & (at < cutoff + window)).any()
        for number, cutoff in enumerate(cutoffs)
    }
    return relevant.group_by("customer_id").aggregate(first=at.min(), **within)


def _asked(seen: pa.Table, number: int, cutoff: datetime) -> pa.Table:
    present = seen.filter(pc.less(seen["first"], pa.scalar(cutoff, MOMENT)))
    return spine(
        present["customer_id"],
        pa.array([cutoff] * present.num_rows, MOMENT),
        cutoff=pa.array(np.full(present.num_rows, number)),
        silent=pc.cast(pc.invert(present[f"active_{number}"]), pa.float64()),
    )


def engagements(sources: TrainingSources, *, days: int) -> pa.Table:
    """Return each ripe message and whether the customer engaged with it within ``days``.

    A message counts once, however many sources told of it, by one rule for its facts
    (:mod:`features.tables.messages`). It is ripe when ``days`` have passed since it was sent. It was engaged with
    if the customer opened, clicked or converted, not automatically, on the same channel with the same message,
    decision or campaign, in that time.
    Where a machine ever opened mail of a customer on a channel, opens there are unknown for *all* their messages,
    and these have no label, whatever happened: they are left out. Columns: the spine's, ``channel``, ``engaged``.
    """
    messages = sources.collect(lambda events: _messages(events, sources.now, timedelta(days=days)))
    ordered = messages.sort_by(
        [("occurred_at", "ascending"), ("customer_id", "ascending"), ("message", "ascending")]
    )
    return spine(
        ordered["customer_id"],
        ordered["occurred_at"],
        channel=ordered["channel"],
        engaged=pc.cast(ordered["engaged"], pa.float64()),
    )


def _messages(events: Any, now: datetime, window: timedelta) -> Any:
    told = reports(events)
    every = of_reports(told)
    ripe = every.filter(every["channel"].notnull(), every["occurred_at"] <= now - window)
    engaged = _engaged(ripe, events, told, window)
    hidden = (
        events.filter(events["type"] == "opened", events["automated"]).select("customer_id", "channel").distinct()
    )
    return ripe.select(
        "message",
        "customer_id",
        "channel",
        "occurred_at",
        engaged=ripe["message"].isin(engaged["message"]),
    ).anti_join(hidden, ["customer_id", "channel"])


def _engaged(ripe: Any, events: Any, told: Any, window: timedelta) -> Any:
    reactions = events.filter(events["type"].isin(REACTIONS), ~events["automated"]).select(
        "customer_id", "channel", "decision_id", "message_id", "campaign_id", at="occurred_at"
    )
    named = about(reactions, told)
    return ripe.semi_join(named, _answers(ripe, named, "message", window)).union(
        ripe.semi_join(reactions, _answers(ripe, reactions, "campaign_id", window))
    )


def _answers(message: Any, reaction: Any, key: str, window: timedelta) -> list[Any]:
    return [
        message["customer_id"] == reaction["customer_id"],
        message[key] == reaction[key],
        (message["channel"] == reaction["channel"]) | reaction["channel"].isnull(),
        reaction["at"] >= message["occurred_at"],
        reaction["at"] - _interval(window) < message["occurred_at"],
    ]


def _interval(window: timedelta) -> Any:
    import ibis  # noqa: PLC0415  # slow to import, and only training needs it here

    return ibis.interval(days=window.days)
