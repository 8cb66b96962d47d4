"""What the ledger stores of a value, and back: moments as integers, records as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import orjson

from decisions.records import Decision, DecisionState

if TYPE_CHECKING:
    from pydantic import TypeAdapter

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Return microseconds since 1970 UTC, exactly (floats would lose some).

    Raises:
        TypeError: for a naive moment: nobody can say when it was.
    """
    return (moment - EPOCH) // _TICK


def micros_or_none(moment: datetime | None) -> int | None:
    """Return :func:`micros`, or None for None."""
    return None if moment is None else micros(moment)


def moment(value: int) -> datetime:
    """Return the UTC moment of :func:`micros`."""
    return EPOCH + timedelta(0, 0, value)


def moment_or_none(value: int | None) -> datetime | None:
    """Return :func:`moment`, or None for None."""
    return None if value is None else moment(value)


def _plain(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a decision holds a {type(value).__name__}, which has no place in a JSON record")


def text(value: object) -> str:
    """Return ``value`` as JSON text."""
    return orjson.dumps(value, default=_plain).decode()


def decision_to_json(decision: Decision) -> bytes:
    """Return the whole decision as JSON; moments are ISO with the offset, to the microsecond."""
    return orjson.dumps(decision, default=_plain)


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Decision]:
    from pydantic import TypeAdapter  # noqa: PLC0415  # built on the first read: 20 ms a light worker need not pay

    return TypeAdapter(Decision)


def decision_from_json(body: bytes, state: str) -> Decision:
    """Return the decision as it was recorded, in the state it is in now."""
    decision = _adapter().validate_json(body)
    return dataclasses.replace(decision, state=cast("DecisionState", state))
