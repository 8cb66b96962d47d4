"""Messages with the pressure they met and whether they lost the channel, from the lake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from decisions.scorers.base import LEVELS
from features.tables.messages import messages
from training.sets import clusters

if TYPE_CHECKING:
    from training.sources import TrainingSources

LOSSES = ("unsubscribed", "complained")
PRESSURE_DAYS = 7
DAY = 24 * 3600 * 1_000_000
"""In microseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends:
    """Messages in order of customer, channel and time; ``at`` in microseconds since 1970."""

    customer: NDArray[np.int64]
    channel: NDArray[np.str_]
    at: NDArray[np.int64]
    level: NDArray[np.int64]
    lost: NDArray[np.bool_]

    def of(self, rows: NDArray[np.bool_]) -> Sends:
        """Return the rows where ``rows`` is true."""
        return Sends(
            customer=self.customer[rows],
            channel=self.channel[rows],
            at=self.at[rows],
            level=self.level[rows],
            lost=self.lost[rows],
        )


def ripe_sends(sources: TrainingSources, *, days: int) -> Sends:
    """Return the messages whose ``days`` after are over (see :func:`labelled`), each once, whoever told of it."""
    columns = ["customer_id", "channel", "occurred_at"]
    sent = sources.collect(lambda events: messages(events).select(*columns))
    lost = sources.events(list(LOSSES), columns)
    return labelled(sent.drop_null(), lost.drop_null(), days=days, now=sources.now)


def labelled(sent: pa.Table, lost: pa.Table, *, days: int, now: datetime) -> Sends:
    """Return the messages ripe at ``now``, with the pressure they met and whether they lost the channel.

    Tables hold ``customer_id``, ``channel`` and ``occurred_at``. Pressure counts messages of the same customer and
    channel in the seven days before, the message itself left out. A loss is laid to the last message before it, if
    that is less than ``days`` old.
    """
    sent = sent.sort_by([(name, "ascending") for name in ("customer_id", "channel", "occurred_at")])
    at, lost_at = _microseconds(sent), _microseconds(lost)
    of_sent, of_lost = _numbered(sent, lost)
    ripe = at < _moment(now) - days * DAY
    return Sends(
        customer=clusters(sent["customer_id"]),
        channel=np.asarray(sent["channel"].to_pylist(), dtype=np.str_),
        at=at,
        level=_levels(of_sent, at),
        lost=_blamed(of_sent, at, of_lost, lost_at, within=days * DAY),
    ).of(ripe)


def _levels(of: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.int64]:
    first = _up_to(of, at, of, at - PRESSURE_DAYS * DAY)
    return np.asarray(np.minimum(np.arange(len(at)) - first, LEVELS - 1))


def _blamed(
    of: NDArray[np.int64],
    at: NDArray[np.int64],
    of_lost: NDArray[np.int64],
    lost_at: NDArray[np.int64],
    *,
    within: int,
) -> NDArray[np.bool_]:
    blamed = np.zeros(len(at), dtype=np.bool_)
    if len(at) and len(lost_at):
        place = _up_to(of, at, of_lost, lost_at) - 1
        known = place[(place >= 0) & (of[place] == of_lost) & (lost_at - at[place] < within)]
        blamed[known] = True
    return blamed


def _up_to(
    of: NDArray[np.int64], at: NDArray[np.int64], of_asked: NDArray[np.int64], asked: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each ``asked`` moment how many of the sorted rows (``of``, ``at``) are not after it.

    By sorting both together: one number for customer and microsecond would not fit 64 bits in a large lake.
    """
    who, when = np.concatenate([of, of_asked]), np.concatenate([at, asked])
    asks = np.repeat([False, True], [len(at), len(asked)])
    order = np.lexsort((asks, when, who))
    rows = np.cumsum(~asks[order])
    found = np.empty(len(order), dtype=np.int64)
    found[order] = rows
    return found[len(at) :]


def _numbered(sent: pa.Table, lost: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    names = [pc.binary_join_element_wise(part["customer_id"], part["channel"], "\n") for part in (sent, lost)]
    every = pa.chunked_array([chunk for name in names for chunk in name.chunks], pa.string()).combine_chunks()
    codes = np.asarray(pc.dictionary_encode(every).indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    return codes[: sent.num_rows], codes[sent.num_rows :]


def _microseconds(table: pa.Table) -> NDArray[np.int64]:
    return np.asarray(pc.cast(table["occurred_at"], pa.int64()).to_numpy(), dtype=np.int64)


def _moment(now: datetime) -> int:
    return (now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
