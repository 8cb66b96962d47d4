"""One way to write a value down, so that equal values give equal bytes: JSON with sorted keys."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import orjson
from pydantic import BaseModel


def canonical(value: Any) -> bytes:
    """Return ``value`` (records, contracts, mappings, moments) as JSON with sorted keys."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY)


def digest(data: bytes) -> str:
    """Return the hash of ``data``: 128 bits in hexadecimal digits."""
    return blake2b(data, digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, frozenset):
        return sorted(value)
    return dict(value)
