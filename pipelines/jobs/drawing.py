"""The ledger's own randomised decisions: what went, what was held, and with which chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
from sqlalchemy import select

from decisions.ledger.storage import schema
from pipelines.recount.snapshot import snapshot
from training.evidence.draws import DRAWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from runtime.build import Kairos

SOURCE = "ledger"
_BLOCK = 10_000
_decision, _record = schema.decision.c, schema.record.c
_ASKED = (
    select(_decision.customer_id, _decision.decided_at, _record.body)
    .join_from(schema.decision, schema.record, _decision.decision_id == _record.decision_id)
    .where(_decision.purpose == "marketing", _decision.propensity_exact == 1, _decision.propensity < 1)
)


def draws_of(kairos: Kairos) -> pa.Table:
    """Return every decision between sending and holding that was drawn, held ones with what would have gone.

    Outcomes count from the moment of the decision on: only that is the same in both arms.
    """
    with snapshot(kairos.settings.ledger) as connection:
        found = connection.execution_options(yield_per=_BLOCK).execute(_ASKED)
        parts = [_table([tuple(row) for row in block]) for block in found.partitions(_BLOCK)]
    return pa.concat_tables([DRAWS.empty_table(), *parts])


def _table(rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    columns = list(zip(*_drawn(rows), strict=True)) or [()] * len(DRAWS)
    arrays = [
        pa.array(values, pa.int64()).cast(field.type)
        if pa.types.is_timestamp(field.type)
        else pa.array(values, field.type)
        for values, field in zip(columns, DRAWS, strict=True)
    ]
    return pa.table(arrays, schema=DRAWS)


def _drawn(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[str, int, str, str, str, bool, float]]:
    for customer_id, decided_at, body in rows:
        decision = orjson.loads(body)
        stages = {stage["name"]: stage for stage in decision["stages"]}
        if (chance := _chance(stages)) is not None and 0 < chance < 1:
            offer_id, _, channel = stages["offer_channel"]["chosen"].rpartition("|")
            sent = decision["action"] == "send"
            yield customer_id, decided_at, SOURCE, offer_id, channel, sent, chance


def _chance(stages: Mapping[str, Any]) -> float | None:
    """Return P(sent) of the message that was drawn; None where none was, or where a reserved place was at stake.

    What to send and when is drawn whatever is said to sending it: given that, sending is a draw of its own.
    """
    if not {"send_or_hold", "offer_channel", "holdback"} <= stages.keys() or "keep_or_displace" in stages:
        return None
    send, going = (_of(stages[name], "send") for name in ("send_or_hold", "holdback"))
    return send * going


def _of(stage: Mapping[str, Any], option: str) -> float:
    return float(stage["probabilities"][stage["options"].index(option)])
