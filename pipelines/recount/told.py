"""What a decision was told: the parts of its own record that the ledger keeps in no column.

Zone, wishes and conversions carry no number of the audit, so that only the record tells what was known of them.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from pipelines.recount.history import Person
from pipelines.recount.windows import tick

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The customer as a decision knew them, and the version of the catalogue it chose from."""

    person: Person
    catalogue: str | None


def unpacked(content: bytes | None) -> Any:
    """Return the JSON in ``content``, which is compressed; None where there is none to be read."""
    try:
        return orjson.loads(zlib.decompress(content or b""))
    except (zlib.error, ValueError):
        return None


def told(frozen: bytes | None) -> Told | None:
    """Return what the frozen inputs say; None where they cannot be read."""
    record = unpacked(frozen)
    if not isinstance(record, dict) or "state" not in record:
        return None
    return Told(person=_person(record["state"]), catalogue=record.get("catalogue"))


def _person(state: Mapping[str, Any]) -> Person:
    customer = state.get("customer") or {}
    return Person(
        zone=customer.get("time_zone"),
        country=customer.get("country"),
        wish=state.get("preference") or {},
        converted={
            each["offer_id"]: tick(datetime.fromisoformat(each["last_converted"]))
            for each in state.get("exposures") or ()
            if each.get("last_converted")
        },
    )


def displaced_by(body: bytes | None) -> str | None:
    """Return the decision whose place the one written in ``body`` took."""
    named = orjson.loads(body).get("displaces") if body else None
    return str(named) if named else None
