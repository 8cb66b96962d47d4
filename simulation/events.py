"""The log: what a shop and its delivery layer see of the truth, as events, with delays and losses.

Machine opens by a mail proxy hide whether a person opened; bots click within seconds. Some events are lost, some
come days late. What bears on permission (unsubscribes, complaints, bounces, sends) is neither lost nor late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import EVENT_SCHEMA
from simulation.calendar import DAY, HOUR
from simulation.draws import Purpose
from simulation.shop import CATEGORIES, CHANNELS, MARGIN_RATE, OFFERS, ORDER_MARGIN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from simulation.calendar import Calendar
    from simulation.draws import Draws
    from simulation.family import Noise
    from simulation.messages import Messages
    from simulation.outcomes import Outcome
    from simulation.population import Population

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

EMAIL = CHANNELS.index("email")
LATEST = 3
"""Days by which a late event may miss its day."""
_LOSABLE = ("delivered", "opened", "clicked", "session")
_PUNCTUAL = ("sent", "bounced", "unsubscribed", "complained")
_CHANNELS = pa.array(CHANNELS)
_CATEGORIES = pa.array([f'{{"category":"{category}","order_id":"' for category in CATEGORIES])
_OFFERS = pa.array([offer.offer_id for offer in OFFERS])
CURRENCY = "EUR"


def names(prefix: str, numbers: Ints) -> pa.StringArray:
    """Return ``prefix`` with each number."""
    return pc.binary_join_element_wise(prefix, pc.cast(pa.array(numbers), pa.string()), "")


def customer_ids(numbers: Ints) -> pa.StringArray:
    """Return what the log calls customers."""
    return names("c", numbers)


class EventLog:
    """Collects events as they happen and hands out, day by day, those that have arrived."""

    def __init__(self, ids: pa.StringArray, noise: Noise, draws: Draws, waiting: Iterable[pa.Table] = ()) -> None:
        self._ids = ids
        self._noise = noise
        self._draws = draws
        self._waiting = list(waiting)

    def fork(self) -> EventLog:
        """Return a log of its own with the same events on their way."""
        return EventLog(self._ids, self._noise, self._draws, self._waiting)

    def sessions(self, who: Ints, moments: Ints, *, day: int, turn: int) -> None:
        """Log visits."""
        self._add("session", who, moments, names(f"v{day}.{turn}.", who))

    def orders(
        self, people: Population, who: Ints, moments: Ints, category: Ints, *, size: Floats, day: int
    ) -> None:
        """Log ordinary orders; ``size`` in [0, 1) spreads their value around the person's own."""
        revenue = people.order_margin[who] / MARGIN_RATE * (0.5 + size)
        self._order(who, moments, names(f"o{day}.", who), category, revenue)

    def messages(self, people: Population, batch: Messages, outcome: Outcome, *, day: int, turn: int) -> None:
        """Log what the delivery layer and the shop see of messages."""
        message = names(f"m{day}.{turn}.", batch.customer)
        sent = batch.sent_at
        seen_at = sent + (np.nan_to_num(outcome.delay) * HOUR).astype(np.int64)
        bounced = outcome.bounced_hard | outcome.bounced_soft
        self._of(batch, message, "sent", np.ones(len(batch), dtype=np.bool_), sent)
        self._of(batch, message, "bounced", bounced, sent + 5, properties=_bounces(outcome.bounced_hard))
        self._of(batch, message, "delivered", outcome.delivered, sent + 2)
        self._reactions(people, batch, message, outcome, seen_at)
        # On the day of the message, so that whoever reads the log at midnight knows whom not to write to.
        withdrawn = np.minimum(np.where(outcome.seen, seen_at + 60, sent + 2 * HOUR), (sent // DAY + 1) * DAY - 1)
        self._of(batch, message, "unsubscribed", outcome.left, withdrawn)
        self._of(batch, message, "complained", outcome.complained, withdrawn)
        self._bought(people, batch, message, outcome, seen_at + 600)

    def _reactions(
        self, people: Population, batch: Messages, message: pa.StringArray, outcome: Outcome, seen_at: Ints
    ) -> None:
        """Log opens (of mail only) and clicks, those of machines among them."""
        mail = batch.channel == EMAIL
        hidden = mail & people.proxy[batch.customer]
        robot = mail & people.bot[batch.customer]
        self._of(batch, message, "opened", mail & outcome.seen & ~hidden, seen_at)
        self._of(batch, message, "opened", hidden & outcome.delivered, batch.sent_at + 40, by="machine")
        self._of(batch, message, "clicked", outcome.clicked, seen_at + 20)
        self._of(batch, message, "clicked", robot & outcome.delivered, batch.sent_at + 8, by="machine")

    def _bought(
        self, people: Population, batch: Messages, message: pa.StringArray, outcome: Outcome, moments: Ints
    ) -> None:
        """Log orders that follow a message: extra ones, and those that were coming and redeem the offer."""
        rows = outcome.bought | outcome.redeemed
        who, offer = batch.customer[rows], batch.offer[rows]
        margin = np.array([each.margin for each in OFFERS])[offer] * people.basket[who]
        revenue = np.where(outcome.bought[rows], margin, ORDER_MARGIN * people.basket[who]) / MARGIN_RATE
        orders = pc.binary_join_element_wise("p", message.filter(pa.array(rows)), "")
        self._order(who, moments[rows], orders, offer, revenue)
        values = np.zeros(len(batch))
        values[rows] = revenue
        self._of(batch, message, "converted", rows, moments + 1, value=values)

    def arriving(self, day: int, calendar: Calendar) -> pa.Table:
        """Return the events that arrive on ``day``, oldest first, and keep the others waiting.

        Events that happened on it and are punctual arrive on it; late ones up to ``LATEST`` days after.
        """
        end = calendar.midnight(day + 1)
        waiting = pa.concat_tables(self._waiting) if self._waiting else EMPTY
        here = pc.less(waiting["arrives"], end)
        self._waiting = [waiting.filter(pc.invert(here))]
        events = waiting.filter(here).sort_by([("seconds", "ascending"), ("event_id", "ascending")])
        return _contract(events)

    def _of(  # noqa: PLR0913 - what an event of a message is
        self,
        batch: Messages,
        message: pa.StringArray,
        kind: str,
        rows: NDArray[np.bool_],
        moments: Ints,
        *,
        by: str = "person",
        value: Floats | None = None,
        properties: pa.StringArray | None = None,
    ) -> None:
        if not rows.any():
            return
        picked = pa.array(rows)
        tag = kind if by == "person" else f"{kind}.{by}"
        self._add(
            kind,
            batch.customer[rows],
            moments[rows],
            pc.binary_join_element_wise(message.filter(picked), tag, "."),
            channel=_CHANNELS.take(pa.array(batch.channel[rows])),
            offer_id=_OFFERS.take(pa.array(batch.offer[rows])),
            message_id=message.filter(picked),
            decision_id=batch.decision.filter(picked),
            automated=by == "machine",
            value=None if value is None else pa.array(value[rows]),
            properties=None if properties is None else properties.filter(picked),
        )

    def _order(self, who: Ints, moments: Ints, orders: pa.StringArray, category: Ints, revenue: Floats) -> None:
        opening = _CATEGORIES.take(pa.array(category))
        properties = pc.binary_join_element_wise(opening, orders, '"}', "")
        self._add("purchased", who, moments, orders, value=pa.array(revenue.round(2)), properties=properties)

    def _add(  # noqa: PLR0913 - the columns of an event
        self,
        kind: str,
        who: Ints,
        moments: Ints,
        event_id: pa.StringArray,
        *,
        channel: pa.Array | None = None,
        offer_id: pa.Array | None = None,
        message_id: pa.Array | None = None,
        decision_id: pa.Array | None = None,
        automated: bool = False,
        value: pa.Array | None = None,
        properties: pa.Array | None = None,
    ) -> None:
        if not len(who):
            return
        size = len(who)

        def column(given: pa.Array | None, kind: pa.DataType = pa.string()) -> pa.Array:  # noqa: B008 - a constant
            return pa.nulls(size, kind) if given is None else given

        table = pa.table(
            {
                "event_id": event_id,
                "customer_id": self._ids.take(pa.array(who)),
                "type": pa.array([kind]).take(pa.array(np.zeros(size, dtype=np.int64))),
                "seconds": pa.array(moments),
                "channel": column(channel),
                "offer_id": column(offer_id),
                "message_id": column(message_id),
                "decision_id": column(decision_id),
                "automated": pa.array(np.full(size, automated)),
                "value": column(value, pa.float64()),
                "properties": pc.fill_null(column(properties), "{}"),
            }
        )
        self._waiting.append(self._travelled(table, kind, who, moments))

    def _travelled(self, table: pa.Table, kind: str, who: Ints, moments: Ints) -> pa.Table:
        """Return what of ``table`` gets through, with the moment it arrives.

        Fates belong to person, kind and moment, so that two policies lose the same events where they share them.
        """
        late = 0.0 if kind in _PUNCTUAL else self._noise.late
        lateness = self._draws.of_events(Purpose.LATENESS, kind, who, moments)
        days = np.where(lateness < late, 1 + np.floor(lateness / max(late, 1e-9) * LATEST), 0).astype(np.int64)
        arrives = table.append_column("arrives", pa.array(moments + days * DAY))
        if kind not in _LOSABLE:
            return arrives
        lost = self._draws.of_events(Purpose.LOSSES, kind, who, moments) < self._noise.lost
        return arrives.filter(pa.array(~lost))


def _bounces(hard: NDArray[np.bool_]) -> pa.StringArray:
    return pa.array(('{"bounce":"soft"}', '{"bounce":"hard"}')).take(pa.array(hard.astype(np.int64)))


def _contract(events: pa.Table) -> pa.Table:
    """Return ``events`` as the contract has them."""
    size = events.num_rows
    valued = pc.is_valid(events["value"])
    moments = pc.cast(pc.multiply(events["seconds"], 1_000_000), pa.timestamp("us", "UTC"))
    columns = {
        **{name: events[name] for name in ("event_id", "customer_id", "type")},
        "occurred_at": moments,
        **{name: events[name] for name in ("channel", "decision_id", "message_id")},
        "campaign_id": pa.nulls(size, pa.string()),
        "offer_id": events["offer_id"],
        "value": events["value"],
        "currency": pc.if_else(valued, CURRENCY, pa.scalar(None, pa.string())),
        "automated": events["automated"],
        "properties": events["properties"],
    }
    return pa.table(columns).cast(EVENT_SCHEMA)


_COLUMNS = {
    "event_id": pa.string(),
    "customer_id": pa.string(),
    "type": pa.string(),
    "seconds": pa.int64(),
    "channel": pa.string(),
    "offer_id": pa.string(),
    "message_id": pa.string(),
    "decision_id": pa.string(),
    "automated": pa.bool_(),
    "value": pa.float64(),
    "properties": pa.string(),
    "arrives": pa.int64(),
}
EMPTY = pa.schema(list(_COLUMNS.items())).empty_table()
"""No events."""
