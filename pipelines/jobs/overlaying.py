"""Lay a simulated messaging truth over the real households of the lake: half simulated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from features.lake import connect
from features.progress import Progress, quiet
from pipelines.jobs.everywhere import Everywhere
from pipelines.jobs.taking_turns import taking_turns
from runtime.lake import lake_of
from simulation.families import named
from simulation.households.laying import MARK, Overlay, lay_over
from simulation.shop import CHANNELS, Shop
from simulation.world import HISTORY_DAYS

if TYPE_CHECKING:
    from features.lake import Lake
    from runtime.build import Kairos

FAMILY = "clusters"
SEED = 1
OFFICE = (12, 17)
"""UTC hours in which the sender writes: 7 to 12 on the east coast in winter, and follow-ups in the afternoon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlaid:
    """What was simulated: events by type, messages by channel, and consents."""

    family: str
    seed: int
    events: Mapping[str, int]
    messages: Mapping[str, int]
    consents: int


def overlay(
    kairos: Kairos,
    *,
    family: str = FAMILY,
    seed: int = SEED,
    history: int = HISTORY_DAYS,
    progress: Progress = quiet,
) -> Overlaid:
    """Simulate the messages of the ``history`` days before today, into lake and ledger beside what is real.

    Doing it again changes nothing.

    Raises:
        ValueError: the lake holds no purchase of the year before today.
    """
    lake, now = lake_of(kairos.settings), kairos.clock.now()
    with taking_turns(kairos.settings):
        progress("simulate", 0, 2)
        customers, purchases = _real(lake, kairos.settings.memory_limit)
        laid = lay_over(
            customers,
            purchases,
            shop=_shop(kairos, customers),
            family=named(family),
            seed=seed,
            start=now.date(),
            history=history,
        )
        progress("simulate", 1, 2)
        _put(laid, Everywhere(lake, kairos.ledger, now))
        lake.compact(progress)
        progress("simulate", 2, 2)
    return Overlaid(
        family=family,
        seed=seed,
        events=_counted(laid.events["type"]),
        messages=_counted(laid.events.filter(pc.equal(laid.events["type"], "sent"))["channel"]),
        consents=laid.consents.num_rows,
    )


def _put(laid: Overlay, sink: Everywhere) -> None:
    """Hand it over: who may be written to before what withdraws it."""
    sink.customers(laid.customers)
    sink.consents(laid.consents)
    sink.events(laid.events)


def _real(lake: Lake, memory_limit: str) -> tuple[pa.Table, pa.Table]:
    """Return the lake's customers and their purchases, those of an earlier overlay left out."""
    connection = connect(memory_limit=memory_limit)
    try:
        buckets = range(lake.buckets)
        customers = [lake.customers(connection, bucket).to_pyarrow() for bucket in buckets]
        events = [lake.events(connection, bucket) for bucket in buckets]
        real = [each.filter((each.type == "purchased") & ~each.event_id.startswith(MARK)) for each in events]
        purchases = [each.to_pyarrow() for each in real]
    finally:
        connection.disconnect()
    return pa.concat_tables(customers), pa.concat_tables(purchases)


def _shop(kairos: Kairos, customers: pa.Table) -> Shop:
    """Return the shop that the catalogue and the policy describe, where its customers live."""
    offers = kairos.catalogue.offers
    zones = {zone for zone in customers["time_zone"].unique().to_pylist() if zone}
    return Shop(
        offers=offers,
        zones=tuple(sorted(zones)) or ("UTC",),
        send_cost={name: max(offer.send_cost.get(name, 0.0) for offer in offers) for name in CHANNELS},
        order_margin=0.0,  # the overlay takes it from the purchases
        margin_rate=kairos.policy.priors.gross_margin,
        currency=kairos.policy.currency,
        office=OFFICE,
    )


def _counted(values: pa.ChunkedArray) -> dict[str, int]:
    return dict(sorted(Counter(values.to_pylist()).items()))
