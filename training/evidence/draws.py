"""Draws as they come from ledger and lake, as one table: about whom, when, what, and with which chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts.event import CONTROL, TRIAL_TYPES
from features.tables.moments import json_text
from training.sets import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from training.evidence.sample import Floats
    from training.sources import TrainingSources

DRAWS = pa.schema(
    [
        pa.field("customer_id", pa.string()),
        pa.field("at", pa.timestamp("us", "UTC")),
        pa.field("source", pa.string()),
        pa.field("offer_id", pa.string()),
        pa.field("channel", pa.string()),
        pa.field("sent", pa.bool_()),
        pa.field("propensity", pa.float64()),
    ]
)
"""``propensity`` is P(sent), whatever was drawn; ``at`` the moment from which on outcomes count, in both arms."""

_ALIKE = 1e-9
_TWO = 2


def trials(sources: TrainingSources) -> tuple[pa.Table, dict[str, str]]:
    """Return the draws of all imported trials, and by source why one cannot be read.

    Each arm is compared with the control rows, so that these stand once beside every arm. Sorted by source, arm,
    moment and customer: the order in which rows arrived makes no difference.
    """
    told = sources.collect(_assigned)
    parts, aside = [DRAWS.empty_table()], {}
    for name in pc.unique(told["trial"]).to_pylist():
        source = f"trial:{name}"
        rows = told.filter(pc.equal(told["trial"], name))
        try:
            # All of its arms or none: one that cannot be read says that the trial is not understood.
            parts += list(_arms(source, rows))
        except ValueError as error:
            aside[source] = f"{source} is set aside: {error}"
    return pa.concat_tables(parts), aside


def _assigned(events: Any) -> Any:
    drawn = events.filter(events["type"].isin(TRIAL_TYPES))
    return drawn.select(
        trial=drawn["campaign_id"].fill_null("unnamed"),
        at="occurred_at",
        customer_id="customer_id",
        arm=json_text(drawn["properties"], "$.treatment"),
        chance=json_text(drawn["properties"], "$.propensity").cast("float64"),
        offer_id="offer_id",
        channel="channel",
    )


def _arms(source: str, rows: pa.Table) -> Iterator[pa.Table]:
    names = sorted(pc.unique(rows["arm"]).to_pylist())
    if CONTROL not in names:
        raise ValueError(
            f"it has no control rows, only {', '.join(names)}: map the arm without a message to {CONTROL!r}"
        )
    if len(names) < _TWO:
        raise ValueError("all its rows are control rows: import those who were to get a message, too")
    control = rows.filter(pc.equal(rows["arm"], CONTROL))
    for name in names:
        if name != CONTROL:
            arm = rows.filter(pc.equal(rows["arm"], name))
            yield _against(source, name, arm, control, of_two=len(names) == _TWO)


def _against(source: str, name: str, arm: pa.Table, control: pa.Table, *, of_two: bool) -> pa.Table:
    """Return an arm's rows and the control's: P(sent) among those two."""
    chances = numbers(arm, "chance"), numbers(control, "chance")
    if all(np.ptp(each) < _ALIKE for each in chances):
        both = chances[0][0], chances[1][0]
        sent, held = (np.full(len(each), both[0] / sum(both)) for each in chances)
    elif of_two:
        sent, held = chances[0], 1 - chances[1]
    else:
        raise ValueError("its propensities differ from row to row and it has more than two arms: give shares")
    return pa.concat_tables([_drawn(source, arm, name, arm, sent), _drawn(source, arm, name, control, held)])


def _drawn(source: str, arm: pa.Table, name: str, rows: pa.Table, propensity: Floats) -> pa.Table:
    size = rows.num_rows
    is_arm = rows is arm
    return pa.table(
        {
            "customer_id": rows["customer_id"],
            "at": rows["at"],
            "source": pa.array([source] * size, pa.string()),
            "offer_id": pa.array([_one(arm, "offer_id") or name] * size, pa.string()),
            "channel": pa.array([_one(arm, "channel", name)] * size, pa.string()),
            "sent": pa.array(np.full(size, is_arm)),
            "propensity": pa.array(propensity),
        },
        schema=DRAWS,
    )


def _one(arm: pa.Table, column: str, needed_by: str | None = None) -> str | None:
    """Return what all rows of an arm say, or None where they say nothing."""
    found = pc.unique(arm[column].drop_null()).to_pylist()
    if len(found) > 1 or (not found and needed_by is not None):
        said = ", ".join(sorted(found)) or "none"
        raise ValueError(
            f"its arm {needed_by or ''} has {column} {said}: each arm is one message, on one {column}"
        )
    return found[0] if found else None
