"""The log: what a shop and its delivery layer see of the truth, as events, with delays and losses.

Machine opens by a mail proxy hide whether a person opened; bots click within seconds. Some events are lost, some
come days late. What bears on permission (unsubscribes, complaints, bounces, sends) is neither lost nor late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.calendar import DAY, HOUR
from simulation.log.claims import Claimable, kept
from simulation.log.wire import FIRST_CATEGORY, HARD, ROW, SOFT, logged, rows, travelled
from simulation.shop import CHANNELS, SHOP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from simulation.calendar import Calendar
    from simulation.draws import Draws
    from simulation.family import Noise
    from simulation.log.wire import Rows
    from simulation.messages import Messages
    from simulation.outcomes import Outcome
    from simulation.people.population import Population
    from simulation.shop import Shop

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

EMAIL = CHANNELS.index("email")


def names(prefix: str, numbers: Ints) -> pa.StringArray:
    """Return ``prefix`` with each number."""
    return pc.binary_join_element_wise(prefix, pc.cast(pa.array(numbers), pa.string()), "")


def customer_ids(numbers: Ints) -> pa.StringArray:
    """Return what the log calls customers."""
    return names("c", numbers)


class EventLog:
    """Collects events as they happen and hands out, day by day, those that have arrived."""

    def __init__(
        self,
        noise: Noise,
        draws: Draws,
        waiting: Iterable[Rows] = (),
        arrives: Iterable[Ints] = (),
        *,
        shop: Shop = SHOP,
        claimable: Claimable | None = None,
    ) -> None:
        self._shop = shop
        self._noise = noise
        self._draws = draws
        self._claimable = claimable or Claimable()
        self._new: list[Rows] = []
        self._waiting = list(waiting)
        self._arrives = list(arrives)

    def fork(self) -> EventLog:
        """Return a log of its own with the same events on their way. Between two days nothing is new."""
        claimable = self._claimable.fork()
        return EventLog(
            self._noise, self._draws, self._waiting, self._arrives, shop=self._shop, claimable=claimable
        )

    def sessions(self, who: Ints, moments: Ints, *, day: int, turn: int) -> None:
        """Log visits."""
        self._new.append(rows("session", who, moments, day=day, turn=turn))

    def orders(
        self, people: Population, who: Ints, moments: Ints, category: Ints, *, size: Floats, day: int
    ) -> None:
        """Log ordinary orders; ``size`` in [0, 1) spreads their value around the person's own."""
        revenue = people.order_margin[who] / people.shop.margin_rate * (0.5 + size)
        detail = FIRST_CATEGORY + category
        bought = rows("purchased", who, moments, day=day, detail=detail, value=revenue.round(2))
        self._new += [bought, self._claimable.claims(bought, self._noise, self._draws)]

    def messages(self, people: Population, batch: Messages, outcome: Outcome, *, day: int, turn: int) -> None:
        """Log what the delivery layer and the shop see of messages."""
        seen = _Seen(batch, outcome, day, turn)
        bounced = outcome.bounced_hard | outcome.bounced_soft
        # On the day of the message, so that whoever reads the log at midnight knows whom not to write to.
        midnight = (batch.sent_at // DAY + 1) * DAY - 1
        withdrawn = np.minimum(np.where(outcome.seen, seen.at + 60, batch.sent_at + 2 * HOUR), midnight)
        self._new += [
            seen.rows("sent", np.ones(len(batch), dtype=np.bool_), batch.sent_at),
            seen.rows("bounced", bounced, batch.sent_at + 5, detail=np.where(outcome.bounced_hard, HARD, SOFT)),
            seen.rows("delivered", outcome.delivered, batch.sent_at + 2),
            seen.rows("unsubscribed", outcome.left, withdrawn),
            seen.rows("complained", outcome.complained, withdrawn),
            *_reactions(people, seen),
            *self._bought(people, seen),
        ]

    def _bought(self, people: Population, seen: _Seen) -> list[Rows]:
        """Return orders that follow a message, and what names it; the other messages may be claimed."""
        orders, named = _bought(people, seen)
        if self._noise.claimed:
            self._claimable.hear(seen.rows("sent", ~seen.ordered, seen.batch.sent_at))
        return [orders, kept(named, self._noise, self._draws)]

    def arriving(self, day: int, calendar: Calendar) -> pa.Table:
        """Return the events that arrive on ``day``, oldest first, and keep the others waiting.

        Events that happened on it and are punctual arrive on it; late ones up to ``wire.LATEST`` days after.
        """
        through, at = travelled(np.concatenate([np.zeros(0, dtype=ROW), *self._new]), self._noise, self._draws)
        waiting, arrives = np.concatenate([*self._waiting, through]), np.concatenate([*self._arrives, at])
        here = arrives < calendar.midnight(day + 1)
        self._new, self._waiting, self._arrives = [], [waiting[~here]], [arrives[~here]]
        return logged(waiting[here], self._shop)


class _Seen:
    """Messages with what came of them, as rows of the log."""

    def __init__(self, batch: Messages, outcome: Outcome, day: int, turn: int) -> None:
        self.batch = batch
        self.outcome = outcome
        self.at = batch.sent_at + (np.nan_to_num(outcome.delay) * HOUR).astype(np.int64)
        self._named = {"day": day, "turn": turn}
        self._decision = batch.decision.to_numpy(zero_copy_only=False)
        self.ordered = outcome.bought | outcome.redeemed

    def rows(self, kind: str, which: Flags, moments: Ints, **columns: NDArray[Any]) -> Rows:
        """Return events of ``which`` messages, all columns given for all messages."""
        about = {"channel": self.batch.channel, "offer": self.batch.offer, "decision": self._decision, **columns}
        picked: dict[str, Any] = {name: values[which] for name, values in about.items()}
        return rows(kind, self.batch.customer[which], moments[which], **self._named, **picked)

    def orders(self, which: Flags, moments: Ints, values: Floats) -> Rows:
        """Return orders that follow ``which`` messages; the shop does not know what they follow."""
        picked: dict[str, Any] = {"detail": FIRST_CATEGORY + self.batch.offer[which], "value": values[which]}
        return rows("purchased.extra", self.batch.customer[which], moments[which], **self._named, **picked)


def _reactions(people: Population, seen: _Seen) -> list[Rows]:
    """Return opens (of mail only) and clicks, those of machines among them."""
    sent, outcome = seen.batch.sent_at, seen.outcome
    mail = seen.batch.channel == EMAIL
    hidden = mail & people.proxy[seen.batch.customer]
    robot = mail & people.bot[seen.batch.customer]
    return [
        seen.rows("opened", mail & outcome.seen & ~hidden, seen.at),
        seen.rows("opened.machine", hidden & outcome.delivered, sent + 40),
        seen.rows("clicked", outcome.clicked, seen.at + 20),
        seen.rows("clicked.machine", robot & outcome.delivered, sent + 8),
    ]


def _bought(people: Population, seen: _Seen) -> tuple[Rows, Rows]:
    """Return orders that follow a message (extra ones, and those that redeem it), and what names it."""
    who, outcome = seen.batch.customer, seen.outcome
    margin = people.shop.margins[seen.batch.offer]
    margin = np.where(outcome.bought, margin, people.shop.order_margin) * people.basket[who]
    revenue = (margin / people.shop.margin_rate).round(2)
    return (
        seen.orders(seen.ordered, seen.at + 600, revenue),
        seen.rows("converted", seen.ordered, seen.at + 601, value=revenue),
    )
