"""What stands before every ``/v1`` request: the key, how often, the role, then the kind of body and its size.

A plain ASGI wrapper that answers and never raises: inside BentoML, an exception above the application leaves
the caller waiting for the timeout. The order is the cheapest refusal first; a stranger's body is never read.
"""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers

from decisions.ledger import StorageError
from decisions.ledger.actor import acting
from decisions.tokens import UNSUBSCRIBE_PATH
from serving import problems, unpacking
from serving.limiting import Limiter, address_of
from serving.problems import answer, problem
from serving.roles import Rule, methods_at, rule_at
from serving.unpacking import TooLarge, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from runtime.access import Caller
    from runtime.build import Kairos
    from serving.rendering import Json

PROTECTED = "/v1"
CALLER = "kairos.caller"
"""Where a request's scope holds who asks; None on public endpoints."""
TEMPLATE = "kairos.template"
"""Where it holds the template of its path, for the log of a request that is refused before it is routed."""
_PUBLIC = "public"
_WITH_BODY = {"POST", "PUT", "PATCH"}
_OF_THE_PACKED = {b"content-encoding", b"content-length"}


class Gate:
    """Lets a request through to ``app`` as its :class:`Rule` says, and remembers for the audit whose it is."""

    def __init__(self, app: ASGIApp, *, kairos: Callable[[], Kairos]) -> None:
        self.app = app
        self.kairos = kairos

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a problem document, or hand on."""
        if scope["type"] != "http" or not scope["path"].startswith(PROTECTED):
            await self.app(scope, receive, send)
            return
        scope["path"] = _straight(scope["path"])
        rule, scope[TEMPLATE] = rule_at(scope["method"], scope["path"])
        headers = Headers(scope=scope)
        refusal = await self._unknown(scope, rule, headers) or _not_allowed(scope, rule, headers)
        if refusal is None and scope["method"] in _WITH_BODY:
            body = await _body(scope, receive, rule)
            refusal = None if isinstance(body, bytes) else body
            receive = _replayed(body if isinstance(body, bytes) else b"", receive)
        caller = scope.get(CALLER)
        with acting(caller.key_id if caller else _PUBLIC):
            await (refusal or self.app)(scope, receive, send)

    async def _unknown(self, scope: Scope, rule: Rule, headers: Headers) -> Json | None:
        """Find out who asks; refuse a stranger, and whoever asks too often."""
        if rule.public:
            return self._too_often(_PUBLIC, address_of(scope.get("client")))
        try:
            caller = scope[CALLER] = await self._authenticated(_presented(headers))
        except StorageError as error:
            return problems.ledger_away(error)
        if caller is None:
            return self._too_often("stranger", address_of(scope.get("client"))) or _stranger()
        return self._too_often(caller.role, caller.key_id)

    async def _authenticated(self, presented: str) -> Caller | None:
        access = self.kairos().access
        if access.at_once(presented):
            return access.authenticate(presented)
        return await run_in_threadpool(access.authenticate, presented)  # the event loop never waits for the ledger

    def _too_often(self, kind: str, who: str) -> Json | None:
        seconds = self._limiter.wait(kind, who)
        return None if seconds is None else _slow_down(seconds)

    @cached_property
    def _limiter(self) -> Limiter:
        settings = self.kairos().settings
        return Limiter(settings.rate_limits, workers=settings.workers)


def _straight(path: str) -> str:
    """Let the link of a message work with a slash behind it too: on a redirect, a mailer's POST may be lost."""
    return UNSUBSCRIBE_PATH if path.rstrip("/") == UNSUBSCRIBE_PATH else path


def _presented(headers: Headers) -> str:
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


def _stranger() -> Json:
    detail = "send the API key as 'Authorization: Bearer KEY' or as 'X-API-Key: KEY'; it may be revoked or expired"
    response = answer(problem(HTTPStatus.UNAUTHORIZED, "unauthorized", detail))
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _slow_down(seconds: int) -> Json:
    detail = f"too many requests; the next one may come in {seconds} s. Endpoints that take many items count once"
    response = answer(problem(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", detail))
    response.headers["Retry-After"] = str(seconds)
    return response


def _not_allowed(scope: Scope, rule: Rule, headers: Headers) -> Json | None:
    """Refuse a method, a role that may not, and a body that is not read. What is nowhere gets its 404."""
    caller = scope.get(CALLER)
    if not scope[TEMPLATE] and (methods := methods_at(scope["path"])):
        return _not_possible(scope["method"], methods)
    if scope[TEMPLATE] and not rule.admits(caller and caller.role):
        return answer(forbidden(rule))
    if scope["method"] not in _WITH_BODY or rule.any_body:
        return None
    if not _is_read(headers):
        return _unsupported("send the body as 'Content-Type: application/json'")
    if not unpacking.is_taken(packed := unpacking.packings(headers)):
        response = _unsupported(f"the body is packed as {', '.join(packed)}: send it as it is, or as gzip, once")
        response.headers["Accept-Encoding"] = unpacking.TAKEN
        return response
    return None


def _not_possible(method: str, methods: list[str]) -> Json:
    response = answer(problems.not_possible(method))
    response.headers["Allow"] = ", ".join(methods)
    return response


def _unsupported(detail: str) -> Json:
    return answer(problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))


def forbidden(rule: Rule) -> problems.Problem:
    """Return the problem that names the roles it takes."""
    detail = (
        f"this needs a key with the role {' or '.join(rule.names())}; an admin makes one with `kairos keys add`"
    )
    return problem(HTTPStatus.FORBIDDEN, "forbidden", detail)


def _too_large(limit: int) -> Json:
    detail = f"the body is larger than {limit} bytes, packed or not; send it in several requests"
    return answer(problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", detail))


def _is_read(headers: Headers) -> bool:
    if headers.get("content-length") == "0":
        return True  # confirm and release need no body
    if "content-type" not in headers and "transfer-encoding" not in headers and "content-length" not in headers:
        return True
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


async def _body(scope: Scope, receive: Receive, rule: Rule) -> bytes | Json:
    """Return the body, unpacked, or why it is refused; of one that nothing hangs on, nothing where it would be."""
    try:
        body = await _read(receive, rule.limit)
        if unpacking.packings(Headers(scope=scope)):
            body = unpacking.unpacked(body, rule.limit)
            scope["headers"] = [each for each in scope["headers"] if each[0] not in _OF_THE_PACKED]
    except (TooLarge, Unreadable) as refusal:
        if rule.any_body:
            return b""
        return _too_large(rule.limit) if isinstance(refusal, TooLarge) else _damaged(refusal)
    return body


def _damaged(refusal: Unreadable) -> Json:
    detail = f"the body is not the gzip that Content-Encoding says: {refusal}"
    return answer(problem(HTTPStatus.BAD_REQUEST, "malformed", detail))


async def _read(receive: Receive, limit: int) -> bytes:
    """Return the whole body.

    Raises:
        TooLarge: once it is longer than ``limit``, whatever its header claimed.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise TooLarge
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
