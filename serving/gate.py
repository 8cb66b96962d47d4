"""What stands before every ``/v1`` request: the key, the kind of body and its size, in that order.

A plain ASGI wrapper that answers and never raises: inside BentoML, an exception above the application leaves
the caller waiting for the timeout. The order is the cheapest refusal first; a stranger's body is never read.
"""

from __future__ import annotations

import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from serving.problems import Problem, answer, problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PROTECTED = "/v1"
_WITH_BODY = {"POST", "PUT", "PATCH"}


class Gate:
    """Lets a request through to ``app`` when it carries the key and a JSON body of at most ``limit`` bytes."""

    def __init__(self, app: ASGIApp, *, api_key: Callable[[], str], limit: int) -> None:
        self.app = app
        self.api_key = api_key
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a problem document, or hand on."""
        if scope["type"] != "http" or not scope["path"].startswith(PROTECTED):
            await self.app(scope, receive, send)
            return
        refusal = self._refused(scope["method"], Headers(scope=scope))
        if refusal is None and scope["method"] in _WITH_BODY:
            body = await _read(receive, self.limit)
            refusal = self._too_large() if body is None else None
            receive = _replayed(body or b"", receive)
        await (answer(refusal) if refusal else self.app)(scope, receive, send)

    def _refused(self, method: str, headers: Headers) -> Problem | None:
        if not self._has_key(headers):
            return problem(
                HTTPStatus.UNAUTHORIZED,
                "unauthorized",
                "send the API key as 'Authorization: Bearer KEY' or as 'X-API-Key: KEY'",
            )
        if method in _WITH_BODY and not _is_json(headers):
            return problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "send the body as 'Content-Type: application/json'",
            )
        return None

    def _has_key(self, headers: Headers) -> bool:
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        presented = bearer.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
        # Compared in constant time, so that a wrong key's answer time tells nothing of the right one.
        return hmac.compare_digest(presented.encode(), self.api_key().encode())

    def _too_large(self) -> Problem:
        return problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too_large",
            f"the body is larger than {self.limit} bytes; send it in several requests",
        )


def _is_json(headers: Headers) -> bool:
    if headers.get("content-length") == "0":
        return True  # confirm and release need no body
    if "content-type" not in headers and "transfer-encoding" not in headers and "content-length" not in headers:
        return True
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


async def _read(receive: Receive, limit: int) -> bytes | None:
    """Return the whole body, or None once it is longer than ``limit``, whatever its header claimed."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives ``body`` once, and then whatever comes after it (a disconnect)."""
    first = [True]

    async def replay() -> Message:
        if first:
            first.clear()
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return replay
