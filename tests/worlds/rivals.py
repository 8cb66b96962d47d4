"""Hand-made logs and small known worlds for the tests of rivals."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from benchmarks.world.rivals import Facts
from benchmarks.world.rivals.journal import Journal
from benchmarks.world.rivals.scene import Scene
from decisions.records import Scores
from features.contracts import EVENT_SCHEMA
from simulation.arena.opportunity import Opportunity
from simulation.arena.playing import Asked
from simulation.calendar import Calendar
from simulation.families import FAMILIES
from simulation.shop import CHANNELS, OFFERS, SHOP, ZONES
from simulation.world import START, World

if TYPE_CHECKING:
    from collections.abc import Iterator

CALENDAR = Calendar(START, ZONES, before=200, after=30)
HOURS = 72
LONDON = ZONES.index("Europe/London")
"""On UTC until the end of March: local hours of tests are hours of UTC."""


def facts(size: int = 3, *, zone: int = LONDON) -> Facts:
    """Customers of one zone."""
    return Facts(
        calendar=CALENDAR,
        zone=np.full(size, zone),
        margin=SHOP.margins,
        incentive=SHOP.incentives,
        cost=SHOP.costs,
    )


def event(kind: str, who: int, day: int, hour: float, **changes: Any) -> dict[str, Any]:
    """One event of ``who`` at an hour (UTC) of a day."""
    at = datetime.fromtimestamp(CALENDAR.midnight(day) + round(hour * 3600), UTC)
    plain = {
        "event_id": f"{kind}.{who}.{day}.{hour}.{changes.get('message_id')}",
        "customer_id": f"c{who}",
        "type": kind,
        "occurred_at": at,
        "automated": False,
        "properties": "{}",
    }
    return plain | changes


def message(
    who: int, day: int, *then: str, channel: str = "email", offer: int = 0, hour: float = 10, **changes: Any
):
    """One message that was sent and delivered, and what ``then`` happened to it an hour later."""
    about = {
        "channel": channel,
        "offer_id": OFFERS[offer].offer_id,
        "message_id": f"m{who}.{day}.{hour}.{channel}",
    }
    came = [event(kind, who, day, hour, **about) for kind in ("sent", "delivered")]
    return came + [event(kind, who, day, hour + 1, **about | changes) for kind in then]


def log(*events: Any) -> pa.Table:
    """A log of events, and of lists of them, however deep."""
    rows = [dict.fromkeys(EVENT_SCHEMA.names) | row for row in _flat(events)]
    return pa.Table.from_pylist(rows, schema=EVENT_SCHEMA)


def _flat(events: Any) -> Iterator[dict[str, Any]]:
    for each in events:
        if isinstance(each, dict):
            yield each
        else:
            yield from _flat(each)


def asked(size: int = 3, *, day: int = 0, free: Any = None) -> Asked:
    """Everybody is asked about, and everything is permitted where ``free`` does not say otherwise."""
    everything = np.ones((size, HOURS), dtype=np.bool_)
    reachable = np.ones((size, len(CHANNELS)), dtype=np.bool_)
    return Asked(day, np.arange(size), everything if free is None else free, reachable)


def awake(size: int = 3) -> Any:
    """Permission from 8 to 21 o'clock (UTC)."""
    hour = np.arange(HOURS) % 24
    return np.broadcast_to((hour >= 8) & (hour < 21), (size, HOURS))


def scene(*events: Any, size: int = 3, day: int = 0, free: Any = None) -> Scene:
    """What a rule looks at on ``day`` after ``events``."""
    journal = Journal()
    journal.hear(log(*events))
    return Scene.of(facts(size), journal, asked(size, day=day, free=free))


def known_world(customers: int = 200, *, history: int = 40, seed: int = 3) -> tuple[World, pa.Table]:
    """A world at day 0, and its log."""
    world = World.of(FAMILIES["clusters"], customers=customers, seed=seed, history=history)
    past = pa.concat_tables([day.events for day in world.past()])
    return world, past


RULES = Opportunity()


def all_alike(size: int) -> list[Scores]:
    """Models that think every message to everybody worth a euro."""
    return [
        Scores(
            customer_id=f"c{who}",
            engage=dict.fromkeys(CHANNELS, 0.1),
            multiplier=dict.fromkeys(CHANNELS, (1.0,) * 168),
            tau={f"{offer.offer_id}|{channel}": 1.0 for offer in OFFERS for channel in CHANNELS},
            redeem={offer.offer_id: 0.0 for offer in OFFERS},
            hazard=dict.fromkeys(CHANNELS, (0.0,)),
            response_loss=dict.fromkeys(CHANNELS, (0.0,)),
            reachable_value=dict.fromkeys(CHANNELS, 10.0),
        )
        for who in range(size)
    ]
