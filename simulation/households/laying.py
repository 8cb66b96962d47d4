"""Real households under a simulated messaging truth: half simulated, and named so wherever it is shown.

Who they are, what they bought, when and for how much is real, and so are the shop's offers. How they attend to
messages and what messages do to them is drawn from a family; a sender of the time before Kairos writes to them on
e-mail, push and SMS, and they react. Nobody lives an ordinary day here: that has happened already, so a message
can neither put an order off nor drive anybody away. What it adds is an order more. Everything simulated carries
:data:`MARK`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import CONSENT_SCHEMA, CUSTOMER_SCHEMA, EVENT_SCHEMA
from simulation.arena.playing import numbers
from simulation.calendar import Calendar
from simulation.draws import Draws
from simulation.households.purchases import YEAR, Bought
from simulation.people.population import people
from simulation.shop import CHANNELS
from simulation.world import HISTORY_DAYS, World

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from simulation.family import Family
    from simulation.living import Habits
    from simulation.log.events import EventLog
    from simulation.people.population import Population
    from simulation.shop import Shop
    from simulation.state import State

    Flags = NDArray[np.bool_]

HALF_SIMULATED = "half simulated"
"""What such a world is called."""
MARK = "simulated:"
"""Begins the id of every simulated event, message and order, and the source of every simulated consent."""
_SETTLED = ("valid", "soft_bounced")
"""Contact states in which somebody can be written to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """What is to be laid over the real data, as contracts.

    ``customers`` are all of the real ones with their contacts on simulated channels; ``consents`` and ``events``
    are simulated.
    """

    customers: pa.Table
    consents: pa.Table
    events: pa.Table


class Elsewhere:
    """The ordinary life of people whose life is real: it is not lived here."""

    def begin(self, people: Population, state: State, log: EventLog, day: int, habits: Habits) -> None:
        """Let ``day`` begin without a visit, an order or anybody leaving."""


def lay_over(
    customers: pa.Table,
    purchases: pa.Table,
    *,
    shop: Shop,
    family: Family,
    seed: int,
    start: date,
    history: int = HISTORY_DAYS,
) -> Overlay:
    """Simulate the messages of the ``history`` days before ``start`` to ``customers`` (``CUSTOMER_SCHEMA``).

    ``purchases`` are their real ``purchased`` events, from which the shop's ``order_margin`` is taken. The same
    input gives the same overlay, in whatever order it comes. Who has a contact state on a channel keeps it, and is
    taken to have consented where it is valid; on the other channels both are drawn.

    Raises:
        ValueError: nobody bought anything in the year before ``start``.
    """
    customers = customers.sort_by("customer_id")
    contacts = [orjson.loads(row) for row in customers["contacts"].to_pylist()]
    draws = Draws(f"{family.name}/{HALF_SIMULATED}", seed)
    population = households(customers, purchases, shop=shop, family=family, draws=draws, start=start)
    population = _allowed(population, contacts)
    world = World(family, population, draws, history=history, start=start, life=Elsewhere())
    first = world.calendar.moment(world.today)
    events = pa.concat_tables([EVENT_SCHEMA.empty_table(), *(day.events for day in world.past())])
    return Overlay(
        customers=_with_contacts(customers, contacts, population.consent),
        consents=_consents(customers, contacts, population.consent, pa.scalar(first, pa.timestamp("us", "UTC"))),
        events=_named(events, customers["customer_id"]),
    )


def households(
    customers: pa.Table, purchases: pa.Table, *, shop: Shop, family: Family, draws: Draws, start: date
) -> Population:
    """Return them as people: orders, baskets, tastes, hours and zones are their own, all else as ``family`` says.

    Messages put nobody off, drive nobody away and are redeemed with no order that was coming: what is real stays.
    """
    zone = pc.index_in(customers["time_zone"], pa.array(shop.zones))
    number = pc.fill_null(zone, 0).to_numpy().astype(np.int64)
    bought = Bought.of(
        purchases,
        customers["customer_id"],
        number,
        categories=shop.categories,
        calendar=Calendar(start, shop.zones),
    )
    shop = replace(shop, order_margin=shop.margin_rate * bought.mean_order)
    matched = _matched(people(family, draws, len(customers), shop=shop), bought)
    return replace(
        matched,
        zone=number,
        zone_known=pc.is_valid(zone).to_numpy(),
        household=np.arange(matched.size),
        sessions=np.zeros(matched.size),
        lift=np.maximum(matched.lift, 0.0),
        redeem=np.zeros_like(matched.redeem),
        pushed=np.zeros(matched.size),
    )


def _matched(drawn: Population, bought: Bought) -> Population:
    """Return who was drawn, dealt out to those who bought.

    Who orders most is given the traits of who would order most in the family, and so on down, so that what goes
    with ordering there (attention, effects, being written to) goes with it here.
    """
    rank = np.empty(drawn.size, dtype=np.int64)
    rank[np.argsort(bought.orders, kind="stable")] = np.argsort(drawn.orders, kind="stable")
    traits = {each.name: getattr(drawn, each.name)[rank] for each in fields(drawn) if each.name != "shop"}
    return replace(
        replace(drawn, **traits),
        mix=bought.mix,
        other_mix=bought.mix,  # a year's hours hold no turn of habits
        orders=bought.orders,
        basket=bought.basket,
        taste=bought.taste,
        life_value=bought.orders * bought.basket * drawn.shop.order_margin * YEAR,
    )


def _allowed(population: Population, contacts: list[Mapping[str, str]]) -> Population:
    """Return it with the consents that the real data settle."""
    settled = np.array([[channel in each for channel in CHANNELS] for each in contacts])
    valid = np.array([[each.get(channel) in _SETTLED for channel in CHANNELS] for each in contacts])
    return replace(population, consent=np.where(settled, valid, population.consent))


def _with_contacts(customers: pa.Table, contacts: list[Mapping[str, str]], consent: Flags) -> pa.Table:
    """Return ``customers`` with a contact state on every channel; those they had stay as they are."""
    rows = [
        orjson.dumps({**_drawn(row), **known}).decode()
        for known, row in zip(contacts, consent.tolist(), strict=True)
    ]
    index = customers.schema.get_field_index("contacts")
    return customers.set_column(index, "contacts", pa.array(rows)).cast(CUSTOMER_SCHEMA)


def _drawn(consent: list[bool]) -> dict[str, str]:
    return dict(zip(CHANNELS, ("valid" if has else "absent" for has in consent), strict=True))


def _consents(
    customers: pa.Table, contacts: list[Mapping[str, str]], consent: Flags, at: pa.TimestampScalar
) -> pa.Table:
    """Return the consents that were drawn (``CONSENT_SCHEMA``); what is settled is on record already."""
    free = np.array([[channel not in each for channel in CHANNELS] for each in contacts])
    who, channel = np.nonzero(consent & free)
    size = len(who)
    columns = {
        "customer_id": customers["customer_id"].take(pa.array(who)),
        "channel": pa.array(CHANNELS).take(pa.array(channel)),
        "purpose": pa.repeat("marketing", size),
        "status": pa.repeat("granted", size),
        "at": pa.repeat(at, size),
        "source": pa.repeat(f"{MARK}{HALF_SIMULATED}", size),
        "evidence": pa.repeat("Simulated, not given - drawn for a demonstration.", size),
    }
    return pa.table(columns).cast(CONSENT_SCHEMA)


def _named(events: pa.Table, ids: pa.ChunkedArray) -> pa.Table:
    """Return ``events`` of a world under real customers' ids, with the mark on whatever is simulated."""
    orders = pc.replace_substring(events["properties"], '"order_id":"', f'"order_id":"{MARK}')
    renamed = {
        "event_id": _marked(events["event_id"]),
        "customer_id": ids.take(pa.array(numbers(events))),
        "message_id": _marked(events["message_id"]),
        "properties": orders,
    }
    columns = {name: renamed.get(name, events[name]) for name in events.column_names}
    return pa.table(columns).cast(EVENT_SCHEMA)


def _marked(names: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(MARK, names, "")
