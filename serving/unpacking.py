"""Bodies that come packed: gzip alone, and never more of it than the body may have unpacked."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.datastructures import Headers

TAKEN = "gzip"
"""What `Accept-Encoding` says."""
_GZIP = {"gzip", "x-gzip"}
_GZIP_WRAPPER = 16 + zlib.MAX_WBITS


class Unreadable(ValueError):  # noqa: N818  # named for what it is
    """A body that says it is packed and cannot be unpacked; the message says why."""


class TooLarge(ValueError):  # noqa: N818  # as above
    """A body that would be larger than is allowed."""


def packings(headers: Headers) -> list[str]:
    """Return how the body is packed, innermost first; empty where it is not."""
    named = ",".join(headers.getlist("content-encoding")).lower().split(",")
    return [word for each in named if (word := each.strip()) not in {"", "identity"}]


def is_taken(packed: list[str]) -> bool:
    """Return whether such a body can be unpacked: gzip, once."""
    return not packed or (len(packed) == 1 and packed[0] in _GZIP)


def unpacked(body: bytes, limit: int) -> bytes:
    """Return what a gzip body holds, all of its members.

    Raises:
        TooLarge: once it is more than ``limit`` bytes; the rest is not unpacked.
        Unreadable: it is not gzip, or was cut or damaged.
    """
    whole = b""
    while body:
        member = zlib.decompressobj(_GZIP_WRAPPER)
        try:
            whole += member.decompress(body, limit + 1 - len(whole))
        except zlib.error as error:
            raise Unreadable(str(error)) from error
        if len(whole) > limit:
            raise TooLarge
        if not member.eof:
            raise Unreadable("it ends before its end")
        body = member.unused_data
    return whole
