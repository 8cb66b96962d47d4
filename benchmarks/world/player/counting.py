"""From a log to what the value model counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.world.player.sends import Pressure, Sends
from benchmarks.world.rivals.journal import Events
from decisions.worth.dayparts import HOURS
from decisions.worth.life import Life
from decisions.worth.ripening import ripe
from decisions.worth.shifts import WEEKS, Sent
from decisions.worth.tally import Tally
from simulation.calendar import DAY
from simulation.shop import CHANNELS, OFFERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.world.rivals.facts import Facts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_SIGNS = ("session", "purchased")


class Counting:
    """Hears events and counts."""

    def __init__(self, facts: Facts, half_life_days: float) -> None:
        self._facts = facts
        self.sends = Sends()
        self.pressure = Pressure(facts.size, half_life_days)
        self.lost = np.zeros(len(CHANNELS))
        self._began: int | None = None
        self._orders, self._revenue, self._signs = (np.zeros(facts.size) for _ in range(3))
        self._last = np.zeros(facts.size, dtype=np.int64)

    def hear(self, events: pa.Table) -> None:
        """Take what arrived."""
        told, kinds = Events.read(events), events["type"].combine_chunks()
        of = {kind: told.take(_is(kinds, kind)) for kind in pc.unique(kinds).to_pylist()}
        none = told.take(np.zeros(len(told), dtype=np.bool_))
        if self._began is None and len(told):
            self._began = int(told.at.min())
        self._sent(of.get("sent", none))
        opened, clicked = of.get("opened", none), of.get("clicked", none)
        self.sends.mark("opened", opened.take(~opened.automated))
        self.sends.mark("hidden", opened.take(opened.automated))
        self.sends.mark("clicked", clicked.take(~clicked.automated))
        self.sends.mark("bounced", of.get("bounced", none))
        self.sends.mark("ordered", of.get("converted", none))
        self._live(of, none)
        dead = pc.match_substring(events["properties"], '"hard"').to_numpy()
        for lost in (told.take(dead), of.get("unsubscribed", none), of.get("complained", none)):
            self.lost += np.bincount(lost.channel, minlength=len(CHANNELS))

    def _sent(self, sent: Events) -> None:
        sent = sent.oldest_first()
        hour = self._facts.slot(sent.who, sent.at) % HOURS
        self.sends.hear(sent, self.pressure.weigh(sent.who, sent.at), hour)

    def _live(self, of: dict[str, Events], none: Events) -> None:
        """Count orders that follow no message (a shop's log holds the others, too), and signs of life."""
        bought, credited = of.get("purchased", none), of.get("converted", none)
        size = self._facts.size
        self._orders += bought.count(size) - credited.count(size)
        self._revenue += np.bincount(bought.who, bought.value, size)
        self._revenue -= np.bincount(credited.who, credited.value, size)
        for kind in _SIGNS:
            events = of.get(kind, none)
            self._signs += events.count(size)
            np.maximum.at(self._last, events.who, events.at)

    def life(self, now: int) -> Life:
        """Return how people live, as of ``now``."""
        began = now if self._began is None else self._began
        days = np.full(self._facts.size, (now - began) / DAY)
        return Life(
            orders=np.maximum(self._orders, 0),
            revenue=np.maximum(self._revenue, 0),
            days=days,
            signs=self._signs,
            silent_days=(now - np.maximum(self._last, began)) / DAY,
        )

    def tally(self, now: int) -> Tally:
        """Return what messages did, as of ``now``."""
        sends, flag = self.sends, self.sends.flag
        exposed = ripe((now - sends.at) / DAY) * ~flag("bounced")
        open_, hidden = ~flag("hidden"), flag("hidden")
        return Tally(
            exposed=self._sum(exposed * open_),
            pressed=self._sum(exposed * open_ * sends.pressure),
            hidden=self._sum(exposed * hidden),
            hidden_pressed=self._sum(exposed * hidden * sends.pressure),
            opened=self._sum(flag("opened") & open_),
            seen=self._sum(sends.shown & open_),
            clicked=self._sum(flag("clicked") & open_),
            hidden_clicked=self._sum(flag("clicked") & hidden),
            ordered=self._sum(flag("ordered") & open_),
            hidden_ordered=self._sum(flag("ordered") & hidden),
        )

    def sent_lately(self, watched: NDArray[np.bool_], drop: float, now: int) -> Sent:
        """Return the messages of the last weeks; ``drop`` is what a unit of pressure takes off attention."""
        sends, flag = self.sends, self.sends.flag
        weeks = (now - sends.at) // (7 * DAY)
        exposed = ripe((now - sends.at) / DAY) * ~flag("bounced") * np.exp(-drop * sends.pressure)
        late = weeks < WEEKS
        return Sent(
            who=sends.who[late],
            channel=sends.channel[late],
            offer=sends.offer[late],
            weeks=weeks[late],
            exposed=exposed[late],
            shows=(watched[sends.channel] & ~flag("hidden"))[late],
            seen=sends.shown[late].astype(np.float64),
            clicked=flag("clicked")[late].astype(np.float64),
            ordered=flag("ordered")[late].astype(np.float64),
            silent=(sends.at > self._last[sends.who])[late],
        )

    def seen(self, attention: Floats, watched: NDArray[np.bool_], now: int) -> Floats:
        """Return each message's chance of having been seen by ``now``.

        ``attention`` is of (people, channels); opens show on the channels that are ``watched``.
        """
        sends, flag = self.sends, self.sends.flag
        expected = attention[sends.who, sends.channel] * ripe((now - sends.at) / DAY) * ~flag("bounced")
        return np.where(watched[sends.channel] & ~flag("hidden"), sends.shown, expected)

    def sent(self) -> Floats:
        """Return how many messages went out, by channel."""
        return np.bincount(self.sends.channel, minlength=len(CHANNELS)).astype(np.float64)

    def _sum(self, values: NDArray[np.generic]) -> Floats:
        sends, shape = self.sends, (self._facts.size, len(CHANNELS), len(OFFERS))
        place = np.ravel_multi_index((sends.who, sends.channel, sends.offer), shape)
        found = np.bincount(place, values.astype(np.float64), minlength=int(np.prod(shape)))
        return np.asarray(found, dtype=np.float64).reshape(shape)


def _is(kinds: pa.Array, kind: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = pc.equal(kinds, kind).to_numpy(zero_copy_only=False)
    return found
