"""The rows of Feast's SQLite online store, read without Feast: importing it takes seconds, a row microseconds.

A row's key is Feast's entity key, version 3: how many join keys, then type, length and name of each, then type,
length and text of each value. Its value is Feast's ``Value`` message (protobuf), of which two kinds are ours: a
list of doubles and a list of strings. An agreement test holds both against Feast's own reading.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from features.vocabulary import CUSTOMER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

PROJECT = "kairos"
"""``project`` of ``feature_store.yaml``: a table is called by it and by its view."""

_STRING = 2  # ValueType.STRING
_STRINGS, _DOUBLES = 12, 15  # the fields of Value: string_list_val, double_list_val
_ITEMS = 1  # the field of a list that holds its items
_BYTES = 2  # protobuf's wire type of what has a length before it
_MORE, _LOW = 0x80, 0x7F


def entity_key(customer_id: str) -> bytes:
    """Return the customer as Feast spells the key of a row."""
    name, value = CUSTOMER.encode(), customer_id.encode()
    return struct.pack("<III", 1, _STRING, len(name)) + name + struct.pack("<II", _STRING, len(value)) + value


def numbers(value: bytes) -> NDArray[np.float64] | None:
    """Return a list of doubles; None where the value is null.

    Raises:
        ValueError: where it is no such list.
    """
    held = _held(value, _DOUBLES)
    return None if held is None else np.frombuffer(b"".join(_parts(held, _ITEMS)), dtype="<f8")


def texts(value: bytes) -> list[str] | None:
    """Return a list of strings; None where the value is null.

    Raises:
        ValueError: where it is no such list.
    """
    held = _held(value, _STRINGS)
    return None if held is None else [part.decode() for part in _parts(held, _ITEMS)]


def _held(value: bytes, field: int) -> bytes | None:
    found = list(_parts(value, field))
    return found[-1] if found else None  # protobuf: of a field that is there twice, the last counts


def _parts(message: bytes, field: int) -> Iterator[bytes]:
    """Yield what the message holds under ``field``, of which alone it may consist."""
    at = 0
    while at < len(message):
        tag, at = _number(message, at)
        size, at = _number(message, at)
        if tag != field << 3 | _BYTES or at + size > len(message):
            raise ValueError(f"an online row is damaged: {message[:16]!r} is no list under field {field}")
        yield message[at : at + size]
        at += size


def _number(message: bytes, at: int) -> tuple[int, int]:
    """Return protobuf's variable-length number at ``at``, and where it ends."""
    value = shift = 0
    while at < len(message):
        byte = message[at]
        value |= (byte & _LOW) << shift
        at, shift = at + 1, shift + 7
        if not byte & _MORE:
            return value, at
    raise ValueError(f"an online row is damaged: {message[:16]!r} ends within a number")
