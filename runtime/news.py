"""What the ledger heard of customers' messages since their features were built."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from decisions.ledger.storage.codec import micros
from decisions.worth.news import NEVER, NEWS_DAYS, News, news
from features.vocabulary import CUSTOMER, TALLY_PAIRS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from decisions.worth.told import Told

_AS_OF, _HEARD_AT = "event_timestamp", "features_heard_at"
_BACK = timedelta(days=NEWS_DAYS)


class Telling(Protocol):
    """Who is told what comes of messages: the ledger."""

    def told(self, customer_ids: Collection[str], *, since: datetime, now: datetime) -> Sequence[Told]:
        """Return events of messages that happened from ``since`` on, told by ``now``, by customer and moment."""
        ...


def news_of(frame: pa.Table, telling: Telling, now: datetime) -> News | None:
    """Return what ``telling`` adds at ``now`` to the tallies of ``frame``, each customer a row; None for nothing.

    ``frame`` is as :class:`runtime.online.OnlineFeatures` reads it. Where it holds no tally of a customer, the
    ledger speaks for the last 63 days alone.
    """
    if not _has(frame, TALLY_PAIRS):
        return None
    ids = frame[CUSTOMER].to_pylist()
    told = telling.told(ids, since=now - _BACK, now=now)
    rows = {each: number for number, each in enumerate(ids)}
    return news(told, rows, built=_built(frame), heard=_heard(frame), now=micros(now)) if told else None


def _built(frame: pa.Table) -> NDArray[np.int64]:
    counted = pc.is_valid(frame[TALLY_PAIRS]).to_numpy()
    ticks = frame[_AS_OF].to_numpy().astype("datetime64[us]").astype(np.int64)  # null is before all that can be
    return np.where(counted, np.maximum(ticks, NEVER), NEVER)


def _heard(frame: pa.Table) -> int:
    """Return that moment, of all rows; where nobody can say it, features know all that happened before theirs."""
    if not _has(frame, _HEARD_AT) or frame[_HEARD_AT].null_count:
        return -NEVER
    return micros(pc.min(frame[_HEARD_AT]).as_py())


def _has(frame: pa.Table, name: str) -> bool:
    """Ask for one name: a list of all of a frame's hundreds takes longer than the rest."""
    return bool(frame.schema.get_field_index(name) >= 0)
