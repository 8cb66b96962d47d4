"""Events as rows of numbers, their way to the log, and the log as the contract has it.

Words are written once a day for all events that arrive on it: nearly all the time of a world went into strings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import EVENT_SCHEMA
from simulation.calendar import DAY
from simulation.draws import Purpose
from simulation.shop import CHANNELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.draws import Draws
    from simulation.family import Noise
    from simulation.shop import Shop

    Ints = NDArray[np.int64]
    Rows = NDArray[np.void]

ROW = np.dtype(
    [
        ("kind", np.int8),  # of KINDS
        ("who", np.int64),
        ("seconds", np.int64),
        ("day", np.int64),  # day and turn name what it belongs to: a message, a visit, an order
        ("turn", np.int8),
        ("channel", np.int8),  # -1: none
        ("offer", np.int8),  # -1: none
        ("detail", np.int8),  # of _DETAILS, then the shop's categories
        ("value", np.float64),  # nan: none
        ("decision", object),
    ]
)
KINDS = (
    "session",
    "purchased",  # an ordinary order
    "purchased.extra",  # an order that follows a message
    "sent",
    "bounced",
    "delivered",
    "opened",
    "opened.machine",
    "clicked",
    "clicked.machine",
    "unsubscribed",
    "complained",
    "converted",
)
_PREFIX = pa.array(("v", "o", "p", *["m"] * 10))
_TAG = pa.array(("", "", "", *[f".{kind}" for kind in KINDS[3:]]))
_TYPE = pa.array([kind.split(".")[0] for kind in KINDS])
_MACHINE = np.array([kind.endswith(".machine") for kind in KINDS])
_FIRST_OF_MESSAGE = KINDS.index("sent")
_LOSABLE = np.isin([kind.split(".")[0] for kind in KINDS], ("session", "delivered", "opened", "clicked"))
_PUNCTUAL = np.isin(KINDS, ("sent", "bounced", "unsubscribed", "complained"))

_DETAILS = ("{}", '{"bounce":"soft"}', '{"bounce":"hard"}')
SOFT, HARD, FIRST_CATEGORY = 1, 2, 3
_CHANNELS = pa.array(CHANNELS)
LATEST = 3
"""Days by which a late event may miss its day."""


def rows(kind: str, who: Ints, moments: Ints, *, day: int, turn: int = 0, **columns: Any) -> Rows:
    """Return one row for each of ``who``; ``columns`` are more of :data:`ROW`."""
    made = np.zeros(len(who), dtype=ROW)
    blank = {"channel": -1, "offer": -1, "value": np.nan, "decision": None}
    known = {"kind": KINDS.index(kind), "who": who, "seconds": moments, "day": day, "turn": turn}
    for name, values in {**blank, **known, **columns}.items():
        made[name] = values
    return made


def travelled(events: Rows, noise: Noise, draws: Draws) -> tuple[Rows, Ints]:
    """Return what of ``events`` gets through, and when each arrives.

    Fates belong to person, kind and second, so that two policies lose the same events where they share them.
    """
    kind, who, seconds = events["kind"], events["who"], events["seconds"]
    late = np.where(_PUNCTUAL[kind], 0.0, noise.late)
    lateness = draws.of_events(Purpose.LATENESS, kind, who, seconds)
    days = np.where(lateness < late, 1 + np.floor(lateness / np.maximum(late, 1e-9) * LATEST), 0).astype(np.int64)
    lost = _LOSABLE[kind] & (draws.of_events(Purpose.LOSSES, kind, who, seconds) < noise.lost)
    return events[~lost], (seconds + days * DAY)[~lost]


def logged(events: Rows, shop: Shop) -> pa.Table:
    """Return ``events`` as the contract has them (``EVENT_SCHEMA``), oldest first."""
    events = events[np.lexsort([events[name] for name in ("who", "turn", "day", "kind", "seconds")])]
    kind = pa.array(events["kind"])
    day, turn, who = (pc.cast(pa.array(events[name]), pa.string()) for name in ("day", "turn", "who"))
    number = pc.binary_join_element_wise(day, turn, who, ".")
    event_id = pc.binary_join_element_wise(_PREFIX.take(kind), number, _TAG.take(kind), "")
    message = pa.array(events["kind"] >= _FIRST_OF_MESSAGE)
    valued = ~np.isnan(events["value"])
    columns = {
        "event_id": event_id,
        "customer_id": pc.binary_join_element_wise("c", who, ""),
        "type": _TYPE.take(kind),
        "occurred_at": pa.array(events["seconds"] * 1_000_000, pa.timestamp("us", "UTC")),
        "channel": _word(_CHANNELS, events["channel"]),
        "decision_id": pa.array(events["decision"], pa.string()),
        "message_id": pc.if_else(
            message, pc.binary_join_element_wise("m", number, ""), pa.scalar(None, pa.string())
        ),
        "campaign_id": pa.nulls(len(events), pa.string()),
        "offer_id": _word(pa.array([offer.offer_id for offer in shop.offers]), events["offer"]),
        "value": pa.array(events["value"], mask=~valued),
        "currency": pc.if_else(pa.array(valued), shop.currency, pa.scalar(None, pa.string())),
        "automated": pa.array(_MACHINE[events["kind"]]),
        "properties": _properties(events["detail"], event_id, shop),
    }
    return pa.table(columns).cast(EVENT_SCHEMA)


def _word(words: pa.StringArray, numbers: NDArray[np.int8]) -> pa.StringArray:
    return words.take(pa.array(numbers, mask=numbers < 0))


def _properties(detail: NDArray[np.int8], event_id: pa.StringArray, shop: Shop) -> pa.StringArray:
    ordered = [f'{{"category":"{category}","order_id":"' for category in shop.categories]
    opening = pa.array([*_DETAILS, *ordered]).take(pa.array(detail))
    order = pc.binary_join_element_wise(opening, event_id, '"}', "")
    return pc.if_else(pa.array(detail >= FIRST_CATEGORY), order, opening)
