"""What is known of people from the start: customers and their consents, as contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import CONSENT_SCHEMA, CUSTOMER_SCHEMA
from simulation.log.events import customer_ids, names
from simulation.shop import CHANNELS, COUNTRIES, ZONES

if TYPE_CHECKING:
    from simulation.world import World


def customers(world: World) -> pa.Table:
    """Return everybody (``CUSTOMER_SCHEMA``), as of the first day of history.

    Where the zone is not known, neither is the country.
    """
    people, size = world.people_on(world.began), world.state.size
    hidden = pa.array(~people.zone_known)
    registered = pa.scalar(world.calendar.moment(world.began), pa.timestamp("us", "UTC"))
    columns = {
        "customer_id": customer_ids(np.arange(size)),
        "household_id": names("h", people.household),
        "time_zone": _or_null(pa.array(ZONES).take(pa.array(people.zone)), hidden),
        "country": _or_null(pa.array(COUNTRIES).take(pa.array(people.zone)), hidden),
        "locale": pa.nulls(size, pa.string()),
        "registered_at": pa.array([registered.as_py()] * size, pa.timestamp("us", "UTC")),
        "birthday": pa.nulls(size, pa.date32()),
        "attributes": pa.array(["{}"] * size),
        "contacts": pa.array([_contacts(row) for row in people.consent.tolist()]),
    }
    return pa.table(columns).cast(CUSTOMER_SCHEMA)


def consents(world: World) -> pa.Table:
    """Return who may be written to for marketing (``CONSENT_SCHEMA``), as of the first day of history."""
    who, channel = np.nonzero(world.people_on(world.began).consent)
    size, at = len(who), world.calendar.moment(world.began)
    columns = {
        "customer_id": customer_ids(who),
        "channel": pa.array(CHANNELS).take(pa.array(channel)),
        "purpose": pa.array(["marketing"] * size),
        "status": pa.array(["granted"] * size),
        "at": pa.array([at] * size, pa.timestamp("us", "UTC")),
        "source": pa.array(["simulation"] * size),
        "evidence": pa.nulls(size, pa.string()),
    }
    return pa.table(columns).cast(CONSENT_SCHEMA)


def _or_null(values: pa.Array, hidden: pa.Array) -> pa.Array:
    return pc.if_else(hidden, pa.scalar(None, values.type), values)


def _contacts(channels: list[bool]) -> str:
    states = ("valid" if has else "absent" for has in channels)
    return orjson.dumps(dict(zip(CHANNELS, states, strict=True))).decode()
