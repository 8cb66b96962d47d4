"""What a world's log shows, in the figures of the public logs, and what only its truth shows.

Opens are counted on people whose mail no proxy opens, and machine opens and clicks are put aside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.arena.playing import channels, moments_of, numbers
from simulation.calendar import DAY, HOUR
from simulation.fit.logs import GAPS
from simulation.log.events import EMAIL
from simulation.messages import Messages

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.arena.opportunity import Opportunity
    from simulation.world import World

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

SETTLING_DAYS = 14
"""E-mails of a log's last days are left out: their opens have not come yet."""
FEWEST = 1
"""E-mails from which a person's own rate counts: more would choose those whom the sender chose."""


@dataclass(frozen=True, slots=True)
class Mails:
    """E-mails of a log.

    ``gap`` is days since the person's message before (inf: the first), ``opened`` after how many hours (nan: not).
    """

    who: Ints
    gap: Floats
    opened: Floats
    happened: Mapping[str, Flags]


def mails(events: pa.Table) -> Mails:
    """Return the e-mails of a log with what people (never machines) did about them."""
    events = events.filter(pc.invert(events["automated"]))
    sent = events.filter(pc.equal(events["type"], "sent")).sort_by(
        [("customer_id", "ascending"), ("occurred_at", "ascending")]
    )
    who, moments = numbers(sent), moments_of(sent)
    gap = np.r_[np.inf, np.where(who[1:] == who[:-1], (moments[1:] - moments[:-1]) / DAY, np.inf)]
    kept = (channels(sent) == EMAIL) & (moments < moments.max() - SETTLING_DAYS * DAY)
    found = _Found(events, sent["message_id"].combine_chunks())
    hard = pc.match_substring(events["properties"], "hard")
    happened = {
        **{name: found.of(pc.equal(events["type"], name)) for name in ("clicked", "unsubscribed", "complained")},
        "bounced_hard": found.of(pc.and_(pc.equal(events["type"], "bounced"), hard)),
        "bounced_soft": found.of(pc.and_not(pc.equal(events["type"], "bounced"), hard)),
    }
    opened = (found.when(pc.equal(events["type"], "opened")) - moments) / HOUR
    return Mails(who[kept], gap[kept], opened[kept], {name: flags[kept] for name, flags in happened.items()})


class _Found:
    """Finds events by the message they belong to."""

    def __init__(self, events: pa.Table, messages: pa.StringArray) -> None:
        self._events = events
        self._messages = messages

    def when(self, rows: pa.BooleanArray) -> Floats:
        """Return by message the moment of its event among ``rows`` (nan: none)."""
        events = self._events.filter(rows)
        index = pc.index_in(events["message_id"].combine_chunks(), self._messages).to_numpy(zero_copy_only=False)
        moments = np.full(len(self._messages), np.nan)
        moments[index.astype(np.int64)] = moments_of(events)
        return moments

    def of(self, rows: pa.BooleanArray) -> Flags:
        """Return by message whether it has an event among ``rows``."""
        return ~np.isnan(self.when(rows))


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its standard error from sampling (people, for what is counted by person)."""

    value: float
    error: float


def figures(log: Mails, proxy: Flags) -> Mapping[str, Figure]:
    """Return every figure of the public logs that ``log`` has; ``proxy`` says by person whose opens are hidden."""
    plain = ~proxy[log.who]
    opened = ~np.isnan(log.opened)
    return {
        "opened": _share(opened[plain], log.who[plain]),
        **{name: _share(flags, log.who) for name, flags in log.happened.items()},
        **{
            f"opened_gap_{low}_{high or 'up'}": _share(opened[rows], log.who[rows])
            for low, high in GAPS
            if (rows := plain & (log.gap >= low) & (log.gap < (high or np.inf))).any()
        },
        **_people(opened[plain], log.who[plain]),
        **_delays(log.opened[opened & plain]),
    }


def _share(flags: Flags, who: Ints) -> Figure:
    """Return a share of messages; its error counts people, whose messages are alike, and at least one event."""
    value, size = float(flags.mean()), len(flags)
    off = np.bincount(who, weights=flags - value)
    clustered = float(np.sqrt((off**2).sum()) / size)
    return Figure(value, max(clustered, float(np.sqrt(max(value, 1 / size) / size))))


def _people(opened: Flags, who: Ints) -> Mapping[str, Figure]:
    count = np.bincount(who)
    enough = count >= FEWEST
    rates = np.bincount(who, weights=opened)[enough] / count[enough]
    spread, size = float(rates.std()), max(1, len(rates))
    kurtosis = float(((rates - rates.mean()) ** 4).mean()) / max(spread, 1e-9) ** 4
    return {
        "person_mean": Figure(float(rates.mean()), spread / size**0.5),
        "person_spread": Figure(spread, spread * ((kurtosis - 1) / size) ** 0.5 / 2),
    }


def _delays(hours: Floats) -> Mapping[str, Figure]:
    size = max(1, len(hours))
    edges = {"within_1_hour": 1, "within_24_hours": 24, "within_7_days": 168}
    shares = {name: float((hours < edge).mean()) for name, edge in edges.items()}
    low, middle, high = np.quantile(hours, [0.5 - 0.5 / size**0.5, 0.5, 0.5 + 0.5 / size**0.5])
    return {
        **{name: Figure(share, (share * (1 - share) / size) ** 0.5) for name, share in shares.items()},
        "median_hours": Figure(float(middle), float(high - low) / 2),
    }


def send_time_reach(world: World, opportunity: Opportunity, who: Ints) -> Floats:
    """Return by person how much likelier an e-mail of the best permitted hour is seen than one of the average.

    Over the hours of one question asked today; 0.05 is five percent more. Nobody is under pressure.
    """
    moments = opportunity.moments(world.calendar, world.today)
    free = opportunity.awake(world.calendar, world.people, who, world.today)
    rows, hours = np.nonzero(np.ones_like(free))
    zeros = np.zeros(len(rows), dtype=np.int64)
    asked = Messages.of(who[rows], zeros, zeros + EMAIL, moments[hours])
    reaction, _ = world.expected(asked, pressure=np.zeros(len(rows)))
    seen = reaction.seen.reshape(free.shape)
    reach: Floats = np.where(free, seen, 0).max(axis=1) * free.sum(axis=1) / (seen * free).sum(axis=1) - 1
    return reach
