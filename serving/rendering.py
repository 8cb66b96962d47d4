"""JSON out, by orjson: datetimes in UTC end in Z, records are objects, not-a-number is null."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


class Json(Response):
    """A JSON response."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return ``content`` as JSON."""
        return dumps(content)


def dumps(content: Any) -> bytes:
    """Return ``content`` as JSON; mappings of any kind are objects, other collections arrays."""
    return orjson.dumps(content, default=_plain, option=_OPTIONS)


def _plain(value: Any) -> Any:
    if hasattr(value, "keys"):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
