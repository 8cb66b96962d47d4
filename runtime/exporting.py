"""Everything that is known of one person, from every store, as one JSON object (docs/privacy.md has its shape)."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import orjson

from decisions.arms import assignments, in_holdout
from decisions.ledger import CustomerErased
from runtime.lake import lake_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    import pyarrow as pa

    from decisions.ledger.people.holdings import Holdings
    from runtime.build import Kairos

Plain = dict[str, Any]

FORMAT = 1
"""Version of the shape: raised when a key changes its meaning or goes."""

_IN_JSON = ("properties", "attributes", "contacts")
"""Columns of the lake that hold a JSON object as text."""


def export_customer(kairos: Kairos, customer_id: str) -> Plain:
    """Return everything that is known of ``customer_id`` now; empty parts for somebody nobody ever heard of.

    ``counts`` says how many rows each store holds. All are there but the daily history of the features, which
    follows from the events: of those, the present ones.

    Raises:
        CustomerErased: for somebody who was erased, of whom nothing is to be told but that.
    """
    if kairos.ledger.privacy.buried((customer_id,)):
        raise CustomerErased
    now = kairos.clock.now()
    held = kairos.ledger.privacy.holdings(customer_id)
    known = lake_of(kairos.settings).known(customer_id)
    events, people, features = _plain(known.events), _plain(known.customers), _features(kairos, customer_id, now)
    return {
        "format": FORMAT,
        "customer_id": customer_id,
        "exported_at": now,
        "customer": {"ledger": _first(held.rows["customer"]), "lake": _first(people)},
        "consents": [each.model_dump() for each in kairos.ledger.consents(customer_id)],
        "decisions": [_thawed(each) for each in held.decisions],
        "pressure": held.rows["pressure"],
        "exposures": held.rows["exposure"],
        "withheld": held.rows["withheld"],
        "aliases": held.rows["alias"],
        "reactions": held.rows["reaction"],
        "open_events": held.rows["open_event"],
        "outbox": held.rows["outbox"],
        "audit": held.rows["audit"],
        "events": events,
        "inbox": held.rows["inbox"],
        "features": features,
        "experiments": _arms(kairos, customer_id),
        "counts": {**_counts(held), "lake.events": len(events), "lake.customers": len(people)},
    }


def written(export: Mapping[str, Any], *, indented: bool = True) -> bytes:
    """Return an export as JSON, moments in UTC; not ``indented`` it is one line."""
    options = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
    return orjson.dumps(export, option=options | (orjson.OPT_INDENT_2 if indented else 0))


def _first(rows: Iterable[Plain]) -> Plain | None:
    return next(iter(rows), None)


def _plain(table: pa.Table) -> list[Plain]:
    texts = [name for name in _IN_JSON if name in table.column_names]
    return [{**row, **{name: orjson.loads(row[name]) for name in texts}} for row in table.to_pylist()]


def _thawed(decision: Plain) -> Plain:
    """Open the inputs the decision was made from: they are the customer's state and scores of that moment."""
    return {**decision, "inputs": orjson.loads(zlib.decompress(decision["inputs"]))}


def _features(kairos: Kairos, customer_id: str, now: datetime) -> Plain | None:
    """Return the present features by name; None where none are built or none can be read."""
    try:
        frame = kairos.features.online([customer_id], now=now)
    except Exception:  # noqa: BLE001 - whatever the store raises, the rest is still the person's to have
        return None
    found: Plain = frame.to_pylist()[0]
    return found


def _arms(kairos: Kairos, customer_id: str) -> Plain:
    """Return the arms in the experiments that run, and whether the customer is held out: both are computed."""
    arms = assignments(customer_id, kairos.policy, kairos.keys)
    return {
        "arms": {each.experiment_id: each.arm for each in arms},
        "holdout": in_holdout(customer_id, kairos.policy, kairos.keys),
    }


def _counts(held: Holdings) -> dict[str, int]:
    return {f"ledger.{table}": count for table, count in held.counts.items()}
