"""At which local hours each offer does better, from the messages of everybody."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from decisions.worth.dayparts import HOURS, hourly
from features.tables.tally import outcomes
from training.models.send_time.histories import local_slots, zones_of
from training.sets import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import ibis.expr.types as ir
    from numpy.typing import NDArray

    from decisions.scorers.base import FloatArray
    from decisions.worth.model import WorthModel
    from training.sources import TrainingSources

DAYS = 182
"""Messages so far back are read, one by one: an offer's part of the day is no older."""
ALIKE = 0.02
"""Hours that differ by less are not worth writing down: the offer then has no factors of its own."""
_COLUMNS = ("customer_id", "occurred_at", "channel", "offer_id", "ripe", "machine", "bounced", "seen", "converted")


def factors(
    sources: TrainingSources, model: WorthModel, channels: Sequence[str], offers: Sequence[str], now: datetime
) -> Mapping[str, list[float]]:
    """Return by offer the factor on orders per message seen at each of 24 local hours, where hours differ.

    A message counts where its receiver's zone is known and it has a time of day.
    """
    sent = _timed(sources, sources.collect(lambda events: _lately(events, now)))
    seen = _seen(sent, model, channels)
    found = hourly(_by_hour(sent, offers, numbers(sent, "converted")), _by_hour(sent, offers, seen))
    return {offer: row.tolist() for offer, row in zip(offers, found, strict=True) if np.ptp(row) > ALIKE}


def _lately(events: ir.Table, now: datetime) -> ir.Table:
    each = outcomes(events, until=now.date())
    return each.filter(each.occurred_at >= now - timedelta(days=DAYS), each.offer_id.notnull()).select(*_COLUMNS)


def _timed(sources: TrainingSources, sent: pa.Table) -> pa.Table:
    """Return the messages that have a local hour, with it."""
    placed = sent.append_column("zone", zones_of(sources, sent["customer_id"]))
    placed = placed.filter(pc.is_valid(placed["zone"]))
    parts = [_in_zone(placed, zone) for zone in pc.unique(placed["zone"]).to_pylist()]
    whole = pa.concat_tables(parts or [placed.append_column("hour", pa.nulls(0, pa.int64()))])
    return whole.filter(pc.is_valid(whole["hour"]))


def _in_zone(placed: pa.Table, zone: str) -> pa.Table:
    here = placed.filter(pc.equal(placed["zone"], zone))
    slots = pc.cast(local_slots(here["occurred_at"], zone), pa.int64())
    return here.append_column("hour", pc.subtract(slots, pc.multiply(pc.divide(slots, HOURS), HOURS)))


def _seen(sent: pa.Table, model: WorthModel, channels: Sequence[str]) -> FloatArray:
    """Return each message's chance of having been seen: what shows, and the mean of the channel elsewhere."""
    place = _places(sent["channel"], channels)
    known, level = np.append(model.watched, False), np.append(model.attention.level, 0.0)
    shows = known[place] & (numbers(sent, "machine") == 0)
    expected = level[place] * numbers(sent, "ripe") * (numbers(sent, "bounced") == 0)
    return np.where(shows, numbers(sent, "seen"), expected)


def _by_hour(sent: pa.Table, offers: Sequence[str], values: FloatArray) -> FloatArray:
    place, hour = _places(sent["offer_id"], offers), numbers(sent, "hour").astype(np.int64)
    known = place >= 0
    counted = np.bincount(place[known] * HOURS + hour[known], values[known], minlength=len(offers) * HOURS)
    return np.asarray(counted, dtype=np.float64).reshape(len(offers), HOURS)


def _places(values: pa.ChunkedArray, names: Sequence[str]) -> NDArray[np.int64]:
    """Return which of ``names`` each value is; −1: none."""
    found = pc.fill_null(pc.index_in(values, pa.array(names, pa.string())), -1)
    return np.asarray(found.to_numpy(), dtype=np.int64)
