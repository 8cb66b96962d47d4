"""What came to pass: labels that ripen by elapsed time, never by outcome."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from training.sets import MOMENT, spine

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
    seen = sources.collect(lambda events: _activity(events, cutoffs, window, activity))
    return pa.concat_tables(_asked(seen, number, cutoff) for number, cutoff in enumerate(cutoffs))


def _activity(events: Any, cutoffs: Sequence[datetime], window: timedelta, activity: Sequence[str]) -> Any:
    relevant = events.filter(events["type"].isin(list(activity)))
    at = relevant["occurred_at"]
    within = {
        f"active_{number}": ((at >= cutoff) & (at < cutoff + window)).any()
        for number, cutoff in enumerate(cutoffs)
    }
    return relevant.group_by("customer_id").aggregate(first=at.min(), **within).order_by("customer_id")


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

    A message is ripe when ``days`` have passed since it was sent. It was engaged with if the customer opened,
    clicked or converted, not automatically, on the same channel with the same message, decision or campaign, in
    that time.
    Where a machine ever opened mail of a customer on a channel, opens there are unknown for *all* their messages,
    and these have no label, whatever happened: they are left out. Columns: the spine's, ``channel``, ``engaged``.
    """
    messages = sources.collect(lambda events: _messages(events, sources.now, timedelta(days=days)))
    ordered = messages.sort_by(
        [("occurred_at", "ascending"), ("customer_id", "ascending"), ("event_id", "ascending")]
    )
    return spine(
        ordered["customer_id"],
        ordered["occurred_at"],
        channel=ordered["channel"],
        engaged=pc.cast(ordered["engaged"], pa.float64()),
    )


def _messages(events: Any, now: datetime, window: timedelta) -> Any:
    sent = events.filter(
        events["type"] == "sent", events["channel"].notnull(), events["occurred_at"] <= now - window
    )
    engaged = _engaged(sent, events, window)
    hidden = (
        events.filter(events["type"] == "opened", events["automated"]).select("customer_id", "channel").distinct()
    )
    return sent.select(
        "event_id",
        "customer_id",
        "channel",
        "occurred_at",
        engaged=sent["event_id"].isin(engaged["event_id"]),
    ).anti_join(hidden, ["customer_id", "channel"])


def _engaged(sent: Any, events: Any, window: timedelta) -> Any:
    reaction = events.filter(events["type"].isin(REACTIONS), ~events["automated"]).view()
    same = [sent[key] == reaction[key] for key in ("message_id", "decision_id", "campaign_id")]
    on = [
        sent["customer_id"] == reaction["customer_id"],
        same[0] | same[1] | same[2],
        (sent["channel"] == reaction["channel"]) | reaction["channel"].isnull(),
        reaction["occurred_at"] >= sent["occurred_at"],
        reaction["occurred_at"] - _interval(window) < sent["occurred_at"],
    ]
    return sent.semi_join(reaction, on)


def _interval(window: timedelta) -> Any:
    import ibis  # noqa: PLC0415  # slow to import, and only training needs it here

    return ibis.interval(days=window.days)
