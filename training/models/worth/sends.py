"""The messages of the last months, one row each, with what came of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from decisions.worth.shifts import WEEKS, Sent
from features.tables.tally import outcomes
from features.vocabulary import DAYS_A_WEEK
from training.sets import MOMENT, numbers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import ibis.expr.types as ir
    from numpy.typing import NDArray

    from decisions.worth.model import WorthModel
    from training.looks import Look
    from training.sources import TrainingSources

_COLUMNS = (
    *("customer_id", "occurred_at", "channel", "offer_id", "pressure", "ripe"),
    *("machine", "bounced", "seen", "clicked", "converted"),
)
_DAY_SECONDS = 86_400.0


def lately(sources: TrainingSources, now: datetime) -> pa.Table:
    """Return the messages of the last :data:`WEEKS` before ``now``, a midnight, that name their channel."""
    return sources.collect(lambda events: _lately(events, now))


def _lately(events: ir.Table, now: datetime) -> ir.Table:
    each = outcomes(events, until=now.date())
    return each.filter(each.occurred_at >= now - timedelta(weeks=WEEKS)).select(*_COLUMNS)


def of_look(sent: pa.Table, look: Look, model: WorthModel, now: datetime) -> tuple[pa.Table, Sent]:
    """Return those messages of ``sent`` that went to the people of ``look``, and as the value model reads them."""
    who = places(sent["customer_id"], look.frame["customer_id"])
    sent, who = sent.filter(pa.array(who >= 0)), who[who >= 0]
    channel, offer = places(sent["channel"], look.channels), places(sent["offer_id"], look.offers)
    known = channel >= 0
    sent, who, channel, offer = sent.filter(pa.array(known)), who[known], channel[known], offer[known]
    moments = pc.cast(pc.cast(sent["occurred_at"], MOMENT), pa.int64()).to_numpy()
    days = (now.timestamp() - moments / 1e6) / _DAY_SECONDS
    worn = np.exp(-model.beliefs.drop * numbers(sent, "pressure"))
    return sent, Sent(
        who=who,
        channel=channel,
        offer=np.where(offer >= 0, offer, len(look.offers)),
        weeks=(days // DAYS_A_WEEK).astype(np.int64),
        exposed=numbers(sent, "ripe") * (numbers(sent, "bounced") == 0) * worn,
        shows=model.watched[channel] & (numbers(sent, "machine") == 0),
        seen=numbers(sent, "seen"),
        clicked=numbers(sent, "clicked"),
        ordered=numbers(sent, "converted"),
        silent=days < look.life.silent_days[who],
    )


def places(values: pa.ChunkedArray, names: Sequence[str] | pa.ChunkedArray) -> NDArray[np.int64]:
    """Return which of ``names`` each value is; −1: none."""
    known = names.combine_chunks() if isinstance(names, pa.ChunkedArray) else pa.array(names, pa.string())
    found = pc.fill_null(pc.index_in(values, value_set=known), -1)
    return np.asarray(found.to_numpy(), dtype=np.int64)
