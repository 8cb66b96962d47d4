"""At which local hours each offer does better, from the messages of everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from decisions.worth.dayparts import HOURS, hourly
from training.models.send_time.histories import local_slots, zones_of
from training.models.worth.sends import places
from training.sets import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from decisions.scorers.base import FloatArray
    from training.sources import TrainingSources

ALIKE = 0.001
"""Hours that differ by less are not worth writing down: the offer then has no factors of its own.

No factor is too small to choose the hour by: messages at one hour teach which offers do well there."""


def factors(
    sources: TrainingSources, sent: pa.Table, seen: FloatArray, offers: Sequence[str]
) -> Mapping[str, list[float]]:
    """Return by offer the factor on orders per message seen at each of 24 local hours, where hours differ.

    A message of ``sent`` (:func:`.sends.lately`), seen by the chance ``seen``, counts where it names its offer,
    its receiver's zone is known and it has a time of day.
    """
    timed = _timed(sources, sent.append_column("chance", pa.array(seen)))
    found = hourly(_by_hour(timed, offers, "converted"), _by_hour(timed, offers, "chance"))
    return {offer: row.tolist() for offer, row in zip(offers, found, strict=True) if np.ptp(row) > ALIKE}


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


def _by_hour(sent: pa.Table, offers: Sequence[str], what: str) -> FloatArray:
    values = numbers(sent, what)
    place, hour = places(sent["offer_id"], offers), numbers(sent, "hour").astype(np.int64)
    known = place >= 0
    counted = np.bincount(place[known] * HOURS + hour[known], values[known], minlength=len(offers) * HOURS)
    return np.asarray(counted, dtype=np.float64).reshape(len(offers), HOURS)
